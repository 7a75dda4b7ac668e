//! The syntax of Kubernetes labels, taints and namespaces.

use crate::spec::{Checker, Finding};

/// Refuses a key or value that Kubernetes would refuse.
pub(super) fn check(path: &str, key: &str, value: &str, at: &mut Checker<'_>) {
    if !is_key(key) {
        let allowed =
            "an optional domain with a slash, then 1 to 63 letters, digits, hyphens, underscores and dots";
        at.refuse(Finding::new(path, format!("{key:?} is no Kubernetes key")).allowed(allowed));
    } else if is_reserved(key) {
        let finding = Finding::new(path, format!("{key:?} belongs to Kubernetes"));
        at.refuse(finding.hint("take a key with a domain of your own, or none"));
    }
    if !value.is_empty() && !is_value(value) {
        let allowed = "nothing, or 1 to 63 letters, digits, hyphens, underscores and dots";
        at.refuse(Finding::new(path, format!("{value:?} is no Kubernetes value")).allowed(allowed));
    }
}

/// Whether a text can name a namespace.
pub(super) fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&text.len())
        && text.chars().all(allowed)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((domain, name)) => domain.len() <= 253 && domain.split('.').all(is_name) && is_value(name),
        None => is_value(text),
    }
}

fn is_value(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= 63 && text.chars().all(allowed) && ends(text.chars().next()) && ends(text.chars().last())
}

fn is_reserved(key: &str) -> bool {
    let domain = key.split_once('/').map_or("", |(domain, _)| domain);
    ["kubernetes.io", "k8s.io"].iter().any(|own| domain == *own || domain.ends_with(&format!(".{own}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_may_have_a_domain() {
        assert!(is_key("workload") && is_key("example.com/team.name_1"));
        assert!(!is_key("") && !is_key("-a") && !is_key("a/b/c") && !is_key("Example.com/x"));
        assert!(is_reserved("node.kubernetes.io/x") && !is_reserved("mykubernetes.io/x"));
    }
}
