//! Faults that the cloud is told to have: slowness, failures, hangs.
//!
//! The rules are in `faults.json` of the cloud's folder, which every apply reads anew, and in the variable
//! `ALETHIA_SANDBOX_FAULTS`, which holds the same JSON. A rule matches `type.name`, because a provider never learns
//! a resource's address. Tries are counted in the cloud's folder, for each rule and resource, so that a failure on the
//! n-th try survives the process. There are no rules unless somebody adds them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::cloud::{CloudError, files, secrets::hex};

/// The variable with rules of its own, a JSON array.
pub const VARIABLE: &str = "ALETHIA_SANDBOX_FAULTS";

/// One thing that goes wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// A glob (`*`, `?`) over `type.name`, such as `aws_rds_cluster.*orders*`.
    #[serde(rename = "match")]
    pub target: String,
    #[serde(default)]
    pub operation: Operation,
    /// How long the operation takes before anything else happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// The message that the operation fails with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail: Option<String>,
    /// Fail or hang on this try of a resource alone, counted from 1; without it on every try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// Never answer, until Terraform is interrupted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hang: bool,
}

/// What a rule applies to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    #[default]
    Any,
    Create,
    Update,
    Delete,
}

#[derive(Debug, thiserror::Error)]
pub enum FaultsError {
    #[error(
        "fault rules in {place} are not valid: a JSON array of {{\"match\", \"operation\", \"latency_ms\", \"fail\", \"nth\", \"hang\"}}"
    )]
    Invalid { place: String, source: serde_json::Error },
    #[error("fault rules cannot be kept")]
    Cloud(#[from] CloudError),
}

/// What an operation on one resource has to suffer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) latency: Duration,
    pub(crate) hang: bool,
    pub(crate) fail: Option<String>,
}

/// The rules of the cloud in the folder `cloud`.
pub fn load(cloud: &Path) -> Result<Vec<Rule>, FaultsError> {
    match files::read(&rules_file(cloud)) {
        Ok(rules) => Ok(rules.unwrap_or_default()),
        Err(CloudError::Damaged { path, source }) => {
            Err(FaultsError::Invalid { place: path.display().to_string(), source })
        }
        Err(error) => Err(error.into()),
    }
}

/// Adds a rule after the ones that the cloud has.
pub fn add(cloud: &Path, rule: Rule) -> Result<(), FaultsError> {
    let mut rules = load(cloud)?;
    rules.push(rule);
    Ok(files::write(&rules_file(cloud), &rules)?)
}

/// Removes all rules and forgets the tries that were counted.
pub fn clear(cloud: &Path) -> Result<(), FaultsError> {
    for tries in files::entries(&tries_folder(cloud))? {
        files::remove(&tries)?;
    }
    Ok(files::remove(&rules_file(cloud))?)
}

/// The rules of `variable`, the content of [`VARIABLE`].
pub(crate) fn parse(variable: &str) -> Result<Vec<Rule>, FaultsError> {
    serde_json::from_str(variable)
        .map_err(|source| FaultsError::Invalid { place: VARIABLE.to_owned(), source })
}

/// What the rules do to this operation on `target` (`type.name`). Counts it as a try.
pub(crate) fn decide(
    cloud: &Path,
    rules: &[Rule],
    target: &str,
    operation: Operation,
) -> Result<Fault, FaultsError> {
    let mut fault = Fault::default();
    for rule in rules.iter().filter(|rule| rule.concerns(target, operation)) {
        fault.latency = fault.latency.max(Duration::from_millis(rule.latency_ms.unwrap_or(0)));
        if is_due(cloud, rule, target)? {
            fault.hang |= rule.hang;
            fault.fail = fault.fail.or_else(|| rule.fail.clone());
        }
    }
    Ok(fault)
}

impl Rule {
    fn concerns(&self, target: &str, operation: Operation) -> bool {
        (self.operation == Operation::Any || self.operation == operation)
            && glob(self.target.as_bytes(), target.as_bytes())
    }
}

/// Whether the rule's n-th try is now. One resource is never worked on twice at a time, so its count has one writer.
fn is_due(cloud: &Path, rule: &Rule, target: &str) -> Result<bool, CloudError> {
    let Some(nth) = rule.nth else { return Ok(true) };
    let path = tries_folder(cloud).join(format!("{}.json", rule_key(rule, target)));
    let tries = files::read::<u64>(&path)?.unwrap_or(0) + 1;
    files::write(&path, &tries)?;
    Ok(tries == nth)
}

fn rule_key(rule: &Rule, target: &str) -> String {
    let text = serde_json::to_vec(&(rule, target)).expect("a rule is plain data");
    hex(&Sha256::digest(text)[..8])
}

fn rules_file(cloud: &Path) -> PathBuf {
    cloud.join("faults.json")
}

fn tries_folder(cloud: &Path) -> PathBuf {
    cloud.join("tries")
}

fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), None) => glob(rest, text),
        (Some((b'*', rest)), Some((_, tail))) => glob(rest, text) || glob(pattern, tail),
        (Some((wanted, rest)), Some((byte, tail))) => (*wanted == b'?' || wanted == byte) && glob(rest, tail),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(target: &str) -> Rule {
        Rule { target: target.to_owned(), fail: Some("throttled".to_owned()), ..Rule::default() }
    }

    #[test]
    fn a_rule_matches_by_glob_and_operation() {
        let folder = tempfile::tempdir().unwrap();
        let rules = [Rule { operation: Operation::Create, ..rule("aws_rds_*.*orders?") }];
        let failed =
            |target, operation| decide(folder.path(), &rules, target, operation).unwrap().fail.is_some();
        assert!(failed("aws_rds_cluster.shop-orders1", Operation::Create));
        assert!(!failed("aws_rds_cluster.shop-orders1", Operation::Delete));
        assert!(!failed("aws_rds_cluster.shop-orders", Operation::Create));
    }

    #[test]
    fn only_the_nth_try_of_each_resource_fails() {
        let folder = tempfile::tempdir().unwrap();
        let rules = [Rule { nth: Some(2), ..rule("*") }];
        let failed =
            |target| decide(folder.path(), &rules, target, Operation::Create).unwrap().fail.is_some();
        assert_eq!(
            [failed("a"), failed("a"), failed("b"), failed("a"), failed("b")],
            [false, true, false, false, true]
        );
    }

    #[test]
    fn rules_are_kept_and_cleared() {
        let folder = tempfile::tempdir().unwrap();
        add(folder.path(), rule("a")).unwrap();
        add(folder.path(), rule("b")).unwrap();
        assert_eq!(load(folder.path()).unwrap(), [rule("a"), rule("b")]);
        clear(folder.path()).unwrap();
        assert_eq!(load(folder.path()).unwrap(), []);
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(parse(r#"[{"match": "*", "colour": "red"}]"#).is_err());
    }
}
