//! Writes a new Spec file from a few answers: short, commented, and valid as it is.
//!
//! It writes what people usually change and leaves the rest to the defaults of the stage. Comments say what the next
//! step would be, so that the file teaches its own format.

use std::collections::BTreeSet;

use super::{document::Provider, print::print_value};
use crate::{component::ComponentKind, stage::Stage};

/// What somebody wants to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// Zone the Spec belongs to.
    pub zone: String,
    /// Name of the Spec.
    pub name: String,
    /// Environment it targets.
    pub stage: Stage,
    /// Cloud it runs on.
    pub provider: Provider,
    /// Region, by the cloud's own name.
    pub region: String,
    /// Cloud Identity that is used.
    pub identity: String,
    /// Domain of the environment; without one there is no DNS section.
    pub domain: Option<String>,
    /// Address of the repository that holds the manifests of the applications; without one there is no such section.
    pub repository: Option<String>,
    /// Kinds of components to begin with; `dns` and `repositories` follow from the fields above.
    pub kinds: BTreeSet<ComponentKind>,
}

/// The text of a Spec file with all that was asked for, and the network that it needs.
pub fn write(answers: &Answers) -> String {
    let mut text = head(answers);
    for kind in ComponentKind::ALL {
        if let Some(section) = section(kind, answers) {
            text.push('\n');
            text.push_str(&section);
        }
    }
    text
}

/// The default name of a first Cloud Identity, and the simulated cloud.
pub const SANDBOX_IDENTITY: &str = "sandbox";

fn head(answers: &Answers) -> String {
    let Answers { zone, name, stage, provider, region, identity, .. } = answers;
    let promise = match stage {
        Stage::Development => "development is cheap and easy to throw away",
        Stage::Staging => "staging is like production in kind, smaller in size",
        Stage::Production => "production is highly available and protected from deletion",
    };
    let [zone, name, region, identity] = [zone, name, region, identity].map(|text| quoted(text));
    let provider = provider.as_str();
    let mut text = format!(
        "# {stage} environment `{name}`. What is not written here has the defaults of its stage: {promise}.\n\
         # `alethia spec explain FILE` shows them all, `alethia spec schema` says what else there is.\n\n\
         apiVersion: alethia/v1\nkind: Spec\nzone: {zone}\nname: {name}\nstage: {stage}\n\n\
         cloud:\n  provider: {provider}\n  region: {region}\n  identity: {identity}"
    );
    if answers.identity == SANDBOX_IDENTITY {
        text.push_str(" # the simulated cloud; name one of your own identities to go to a real account");
    }
    text.push('\n');
    text
}

fn section(kind: ComponentKind, answers: &Answers) -> Option<String> {
    let is_asked = answers.kinds.contains(&kind);
    let stage = answers.stage;
    match kind {
        ComponentKind::Network => (is_asked || needs_network(answers)).then(|| network(stage)),
        ComponentKind::Dns => answers.domain.as_deref().map(dns),
        ComponentKind::Repositories => answers.repository.as_deref().map(repositories),
        ComponentKind::Cluster => is_asked.then(|| format!("cluster:\n{}", cluster(stage))),
        ComponentKind::Database => is_asked.then(|| database(stage)),
        ComponentKind::Cache => is_asked.then(|| cache(stage)),
        ComponentKind::Queue => is_asked.then(|| QUEUES.to_owned()),
        ComponentKind::Topic => is_asked.then(|| topic(answers)),
        ComponentKind::NosqlTable => is_asked.then(|| NOSQL_TABLES.to_owned()),
        ComponentKind::ContainerRegistry => is_asked.then(|| CONTAINER_REGISTRIES.to_owned()),
        ComponentKind::Secret => is_asked.then(|| SECRETS.to_owned()),
    }
}

const QUEUES: &str = "queues:
  - name: jobs
    visibility_timeout: 30s # how long a worker has for a message
    dead_letter: {} # keeps what failed five times; without it messages are tried until they expire
    # ordered: true # messages of a group arrive in order and once
";

const NOSQL_TABLES: &str = "nosql_tables:
  - name: items
    partition_key: { name: id } # can't be changed later
    # sort_key: { name: created_at, type: number }
    # expiry_attribute: expires_at
";

const CONTAINER_REGISTRIES: &str = "container_registries:
  - name: app
";

const SECRETS: &str = "secrets:
  - name: app-key
    generate: { length: 32 } # made in the cloud, seen by nobody; without it the owner puts a value in
";

fn needs_network(answers: &Answers) -> bool {
    let inside = [ComponentKind::Cluster, ComponentKind::Database, ComponentKind::Cache];
    inside.iter().any(|kind| answers.kinds.contains(kind))
}

fn network(stage: Stage) -> String {
    let nat = if stage == Stage::Production { "per_zone" } else { "single" };
    format!(
        "network:\n  cidr: 10.0.0.0/16 # private, /16 to /20; three quarters are for nodes and pods\n  \
         nat: {nat} # how private subnets reach the internet: none, single, per_zone\n"
    )
}

fn dns(domain: &str) -> String {
    let domain = quoted(domain);
    format!(
        "dns:\n  domain: {domain}\n  zone: create # or existing, with its zone_id\n  certificate:\n    wildcard: true\n"
    )
}

fn repositories(url: &str) -> String {
    let url = quoted(url);
    format!(
        "repositories:\n  applications: # what runs on the cluster\n    url: {url}\n    revision: main\n    path: .\n    \
         # credential: deploy-key # a secret of this Spec, for a private repository\n"
    )
}

fn database(stage: Stage) -> String {
    let capacity = match stage {
        Stage::Development => "{ min: 0, max: 2 }",
        Stage::Staging => "{ min: 0.5, max: 4 }",
        Stage::Production => "{ min: 1, max: 8 }",
    };
    format!(
        "databases:\n  - name: app\n    engine: postgresql # or mysql\n    \
         capacity: {capacity} # units of about 2 GiB memory; it grows and shrinks by itself\n"
    )
}

fn cache(stage: Stage) -> String {
    let memory = match stage {
        Stage::Development => "512MiB",
        Stage::Staging => "1GiB",
        Stage::Production => "4GiB",
    };
    format!("caches:\n  - name: app\n    engine: valkey # or redis\n    memory: {memory}\n")
}

fn topic(answers: &Answers) -> String {
    let subscriptions = if answers.kinds.contains(&ComponentKind::Queue) {
        "    subscriptions:
      - protocol: queue # or https, email, function
        endpoint: jobs
"
    } else {
        "    # subscriptions:
    #   - protocol: https # or queue, email, function
    #     endpoint: https://hooks.example.com/events
"
    };
    format!("topics:\n  - name: events\n{subscriptions}")
}

fn cluster(stage: Stage) -> &'static str {
    match stage {
        Stage::Development => {
            "  endpoint:\n    public: true\n    allowed_cidrs: [0.0.0.0/0] # better: the ranges you work from\n  node_groups:\n    \
             - name: default\n      vcpus: 2\n      memory: 8GiB\n      nodes: { min: 1, desired: 1, max: 3 }\n"
        }
        Stage::Staging => {
            "  # endpoint: { public: true, allowed_cidrs: [203.0.113.0/24] } # reachable from inside the network alone otherwise\n  \
             node_groups:\n    - name: default\n      vcpus: 2\n      memory: 8GiB\n      nodes: { min: 2, desired: 2, max: 4 }\n"
        }
        Stage::Production => {
            "  # endpoint: { public: true, allowed_cidrs: [203.0.113.0/24] } # reachable from inside the network alone otherwise\n  \
             node_groups:\n    - name: default\n      vcpus: 4\n      memory: 16GiB\n      nodes: { min: 3, desired: 3, max: 6 }\n"
        }
    }
}

fn quoted(text: &str) -> String {
    print_value(&text.into()).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec;

    fn everything(stage: Stage) -> Answers {
        Answers {
            zone: "default".into(),
            name: "shop".into(),
            stage,
            provider: Provider::Aws,
            region: "eu-west-1".into(),
            identity: SANDBOX_IDENTITY.into(),
            domain: Some("shop.example.com".into()),
            repository: Some("https://github.com/example/shop.git".into()),
            kinds: ComponentKind::ALL.into(),
        }
    }

    fn check(answers: &Answers) -> String {
        let text = write(answers);
        spec::parse("new.yaml", &text).unwrap_or_else(|problems| panic!("{text}\n{problems:#?}"));
        text
    }

    #[test]
    fn what_is_written_is_valid_at_every_stage() {
        for stage in Stage::ALL {
            insta::assert_snapshot!(format!("{stage}"), check(&everything(stage)));
        }
    }

    #[test]
    fn every_kind_can_be_asked_for_alone() {
        for kind in ComponentKind::ALL {
            let answers = Answers {
                domain: None,
                repository: None,
                kinds: [kind].into(),
                ..everything(Stage::Production)
            };
            check(&answers);
        }
    }

    #[test]
    fn odd_answers_can_not_add_keys() {
        let answers = Answers { name: "a\nstage: x #".into(), ..everything(Stage::Staging) };
        let problems = spec::parse("new.yaml", &write(&answers)).unwrap_err();
        assert!(problems.iter().all(|problem| problem.path == "name"), "{problems:#?}");
    }
}
