//! The Git repositories that the environment is deployed from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ComponentKind;
use crate::spec::{Checker, Finding};

/// The Git repositories that the environment is deployed from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repositories {
    /// Whether any are used.
    pub enabled: bool,
    /// Manifests of the applications that run on the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applications: Option<Repository>,
    /// Manifests of what every cluster needs: ingress, certificates, monitoring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Repository>,
}

/// A place in a Git repository.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// Address, by https or ssh, without a user name or password in it.
    #[schemars(regex(pattern = r"^(https://|ssh://git@|git@)[A-Za-z0-9._:/~-]+$"), length(max = 512))]
    pub url: String,
    /// Branch, tag or commit.
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$"))]
    pub revision: String,
    /// Folder in the repository.
    #[schemars(regex(pattern = r"^(\.|[A-Za-z0-9_][A-Za-z0-9._/-]{0,254})$"))]
    pub path: String,
    /// Name of the Spec's secret that holds the deploy key or token; public repositories need none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40))]
    pub credential: Option<String>,
}

impl Repositories {
    pub(crate) fn check(&self, at: &mut Checker<'_>) {
        if self.applications.is_none() && self.platform.is_none() {
            let finding = Finding::new("", "it names no repository");
            at.refuse(finding.hint("add `applications` or `platform`, or remove the section"));
        }
        for (path, repository) in [("applications", &self.applications), ("platform", &self.platform)] {
            if let Some(repository) = repository {
                repository.check(path, at);
            }
        }
    }
}

impl Repository {
    fn check(&self, path: &str, at: &mut Checker<'_>) {
        for (field, value) in [("revision", &self.revision), ("path", &self.path)] {
            if value.split('/').any(|part| part == "..") {
                let finding =
                    Finding::new(format!("{path}.{field}"), format!("{value:?} leads out of the repository"));
                at.refuse(finding.hint("write it without `..`"));
            }
        }
        let Some(name) = &self.credential else { return };
        let path = format!("{path}.credential");
        let secrets = &at.document().secrets;
        match secrets.iter().find(|secret| secret.name == *name) {
            Some(secret) if secret.generate.is_some() => {
                let message = format!("{name:?} is a random value, which opens no repository");
                at.refuse(
                    Finding::new(path, message)
                        .hint("name a secret without `generate`; its owner puts the key in"),
                );
            }
            Some(_) => {}
            None if at.sees_all(ComponentKind::Secret) => {
                let names: Vec<&str> = secrets.iter().map(|secret| secret.name.as_str()).collect();
                at.refuse(Finding::unknown_name(path, name, "secret", &names));
            }
            None => {}
        }
    }
}
