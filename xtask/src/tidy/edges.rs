//! Which crate may use which: the floors of the house.
//!
//! `domain <- terraform <- runner`, `domain <- api <- runner`, `domain <- store <- server <- cli`,
//! `api <- server`; the sandbox uses none of the others, the cli may use all. So the Runner never sees the
//! database, and the domain does no input or output. The same holds for libraries that belong on one floor. What
//! measures the platform or breaks it on purpose stands outside the house: it may use all, and nobody uses it.

use cargo_metadata::{DependencyKind, Metadata};

/// One dependency of a workspace member.
#[derive(Debug)]
pub(super) struct Edge {
    from: String,
    to: String,
    tests_only: bool,
}

const CLI: &str = "alethia";
const TESTKIT: &str = "alethia-testkit";
/// Programs that look at the platform from outside.
const HARNESSES: &[&str] = &["alethia-bench", "alethia-chaos"];

/// What a member may use of the other members, besides the testkit in its tests.
const FLOORS: &[(&str, &[&str])] = &[
    ("alethia-domain", &[]),
    ("alethia-sandbox", &[]),
    (TESTKIT, &[]),
    ("xtask", &[]),
    ("alethia-terraform", &["alethia-domain"]),
    ("alethia-api", &["alethia-domain"]),
    ("alethia-store", &["alethia-domain"]),
    ("alethia-server", &["alethia-domain", "alethia-api", "alethia-store"]),
    ("alethia-runner", &["alethia-domain", "alethia-api", "alethia-terraform"]),
];

/// Libraries with one home: (library, the only members that may use it).
const HOMES: &[(&str, &[&str])] = &[
    ("sea-orm", &["alethia-store"]),
    ("sea-orm-migration", &["alethia-store"]),
    ("sqlx", &["alethia-store"]),
    ("object_store", &["alethia-store"]),
    ("axum", &["alethia-server"]),
    ("reqwest", &["alethia-api"]),
    ("tonic", &["alethia-sandbox"]),
];

/// Members that do no input or output and read no clock: no runtime, no network.
const PURE: &[&str] = &["alethia-domain", "alethia-terraform"];
const IMPURE: &[&str] = &["tokio", "reqwest", "axum", "rand", "tempfile"];

/// All direct dependencies of the workspace's members.
pub(super) fn of(metadata: &Metadata) -> Vec<Edge> {
    let members = metadata.workspace_packages();
    let edges = members.iter().flat_map(|package| {
        package.dependencies.iter().map(|dependency| Edge {
            from: package.name.to_string(),
            to: dependency.name.clone(),
            tests_only: dependency.kind == DependencyKind::Development,
        })
    });
    edges.collect()
}

pub(super) fn check(edges: &[Edge]) -> Vec<String> {
    edges.iter().filter_map(|edge| member(edge).or_else(|| library(edge))).collect()
}

fn member(edge: &Edge) -> Option<String> {
    let Edge { from, to, tests_only } = edge;
    if HARNESSES.contains(&to.as_str()) {
        return Some(format!("{from} uses {to}, which nobody may"));
    }
    if HARNESSES.contains(&from.as_str()) {
        return None;
    }
    if to == TESTKIT {
        return (!tests_only).then(|| format!("{from} uses {to} outside its tests"));
    }
    let is_member = to == CLI || FLOORS.iter().any(|(name, _)| name == to);
    if !is_member || from == CLI {
        return None;
    }
    let Some((_, allowed)) = FLOORS.iter().find(|(name, _)| name == from) else {
        return Some(format!("{from} stands on no floor; give it one in xtask/src/tidy/edges.rs"));
    };
    (!allowed.contains(&to.as_str())).then(|| format!("{from} may not use {to}"))
}

fn library(edge: &Edge) -> Option<String> {
    let Edge { from, to, tests_only } = edge;
    if *tests_only || HARNESSES.contains(&from.as_str()) {
        return None;
    }
    if PURE.contains(&from.as_str()) && IMPURE.contains(&to.as_str()) {
        return Some(format!("{from} is pure and may not use {to}"));
    }
    let (_, homes) = HOMES.iter().find(|(name, _)| name == to)?;
    (!homes.contains(&from.as_str()))
        .then(|| format!("{to} belongs to {} and not to {from}", homes.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str, tests_only: bool) -> Edge {
        Edge { from: from.to_owned(), to: to.to_owned(), tests_only }
    }

    #[test]
    fn the_runner_never_sees_the_database() {
        let wrong =
            check(&[edge("alethia-runner", "alethia-store", false), edge("alethia-runner", "sqlx", false)]);
        assert_eq!(
            wrong,
            [
                "alethia-runner may not use alethia-store",
                "sqlx belongs to alethia-store and not to alethia-runner"
            ]
        );
    }

    #[test]
    fn tests_may_use_the_testkit_and_nothing_else_may() {
        assert!(check(&[edge("alethia-store", TESTKIT, true)]).is_empty());
        assert_eq!(
            check(&[edge("alethia-store", TESTKIT, false)]),
            ["alethia-store uses alethia-testkit outside its tests"]
        );
    }

    #[test]
    fn the_cli_may_use_all_and_nobody_the_cli() {
        assert!(check(&[edge(CLI, "alethia-sandbox", false)]).is_empty());
        assert_eq!(check(&[edge("alethia-server", CLI, true)]), ["alethia-server may not use alethia"]);
    }

    #[test]
    fn a_harness_may_use_all_and_nobody_the_harness() {
        assert!(
            check(&[edge("alethia-bench", TESTKIT, false), edge("alethia-bench", "sea-orm", false)])
                .is_empty()
        );
        assert_eq!(
            check(&[edge(CLI, "alethia-bench", true)]),
            ["alethia uses alethia-bench, which nobody may"]
        );
    }

    #[test]
    fn the_domain_stays_pure() {
        assert_eq!(
            check(&[edge("alethia-domain", "tokio", false)]),
            ["alethia-domain is pure and may not use tokio"]
        );
        assert!(check(&[edge("alethia-domain", "serde", false)]).is_empty());
    }

    #[test]
    fn a_new_member_must_be_given_a_floor() {
        let wrong = check(&[edge("alethia-new", "alethia-domain", false)]);
        assert_eq!(wrong, ["alethia-new stands on no floor; give it one in xtask/src/tidy/edges.rs"]);
    }
}
