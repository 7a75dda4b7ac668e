//! The environment of Terraform: built from nothing, with the way into the cloud. The way to the state comes with each
//! process, see `guard::Backend`.
//!
//! Nothing of the Runner's own environment gets in but what is listed here. A job in the sandbox cloud never sees a cloud
//! credential, and a job in a real cloud never sees the sandbox.

use std::{collections::BTreeMap, path::Path};

use alethia_domain::access::CloudAccess;

use crate::guard::Backend;

/// Variables of the Runner that Terraform gets in any case, besides those of the network.
const PASSED_ON: [&str; 5] =
    ["PATH", "LANG", "TZ", "TF_REGISTRY_CLIENT_TIMEOUT", "TF_REGISTRY_DISCOVERY_RETRY"];
/// Variables that say how to reach others. Terraform and guard have folders of their own, so the files among them need
/// absolute paths.
const NETWORK: [&str; 10] = [
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
];
/// Variables of the Runner whose values must never show.
const SECRET: [&str; 4] =
    ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"];

/// How far Terraform's memory grows before it looks for garbage, in percent of what it uses. By itself, at 100, it spends
/// a sixth of its time on that; so it takes a sixth more memory instead. A Runner that is short of memory has its own GOGC.
const GROWTH: &str = "200";

/// What the environment is made of.
pub(crate) struct Sources<'a> {
    /// The Runner's own environment.
    pub own: &'a BTreeMap<String, String>,
    /// Variables of the sandbox cloud.
    pub sandbox: &'a BTreeMap<String, String>,
    /// Way into the cloud.
    pub access: &'a CloudAccess,
    /// Home of Terraform.
    pub home: &'a Path,
    /// Its folder for temporary files.
    pub temporary: &'a Path,
}

/// Why there is no way into the cloud.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    /// The job is for the sandbox, and the Runner has none.
    #[error("this Runner has no sandbox cloud")]
    NoSandbox,
}

/// The environment of every Terraform process of a job.
pub(crate) fn environment(sources: &Sources<'_>) -> Result<BTreeMap<String, String>, CredentialsError> {
    let mut environment: BTreeMap<String, String> = sources
        .own
        .iter()
        .filter(|(name, _)| PASSED_ON.contains(&name.as_str()))
        .chain(network(sources.own))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    environment.extend(fixed(sources));
    environment.extend(match sources.access {
        CloudAccess::Sandbox => sandbox(sources)?,
        CloudAccess::Aws { .. } => aws(sources),
    });
    Ok(environment)
}

/// Every value that a Runner knows to be secret while it works on a job.
pub(crate) fn secrets(own: &BTreeMap<String, String>, runner_token: &str, backend: &Backend) -> Vec<String> {
    let cloud = SECRET.iter().filter_map(|name| own.get(*name).cloned());
    backend.secrets().into_iter().chain([runner_token.to_owned()]).chain(cloud).collect()
}

/// Those variables of an environment that say how to reach others.
pub(crate) fn network(environment: &BTreeMap<String, String>) -> impl Iterator<Item = (&String, &String)> {
    environment.iter().filter(|(name, _)| NETWORK.contains(&name.as_str()))
}

fn fixed(sources: &Sources<'_>) -> Vec<(String, String)> {
    variables([
        ("GOGC", sources.own.get("GOGC").map_or(GROWTH, String::as_str)),
        ("HOME", sources.home.to_string_lossy().as_ref()),
        ("TMPDIR", sources.temporary.to_string_lossy().as_ref()),
        ("TF_IN_AUTOMATION", "1"),
        ("TF_INPUT", "0"),
        ("CHECKPOINT_DISABLE", "1"),
    ])
}

fn sandbox(sources: &Sources<'_>) -> Result<Vec<(String, String)>, CredentialsError> {
    if sources.sandbox.is_empty() {
        return Err(CredentialsError::NoSandbox);
    }
    Ok(sources.sandbox.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// What the AWS provider looks for: variables, and files in the home of the Runner's user.
fn aws(sources: &Sources<'_>) -> Vec<(String, String)> {
    let own = |name: &str| sources.own.get(name);
    let mut found: BTreeMap<String, String> = sources
        .own
        .iter()
        .filter(|(name, _)| name.starts_with("AWS_") || *name == "TF_CLI_CONFIG_FILE")
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if let Some(home) = own("HOME") {
        for (name, file) in [("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")] {
            let path = Path::new(home).join(".aws").join(file);
            if own(name).is_none() && path.is_file() {
                found.insert(name.to_owned(), path.to_string_lossy().into_owned());
            }
        }
    }
    found.into_iter().collect()
}

fn variables<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn environment_for(access: &CloudAccess, home: &str) -> BTreeMap<String, String> {
        let own = map(&[
            ("PATH", "/bin"),
            ("HOME", home),
            ("AWS_SECRET_ACCESS_KEY", "secret-key"),
            ("TF_VAR_x", "1"),
            ("TF_LOG", "trace"),
            ("DATABASE_URL", "postgres://"),
            ("HTTPS_PROXY", "http://proxy"),
            ("all_proxy", "http://proxy"),
        ]);
        environment(&Sources {
            own: &own,
            sandbox: &map(&[("ALETHIA_SANDBOX_CLOUD", "/cloud"), ("TF_CLI_CONFIG_FILE", "/cli")]),
            access,
            home: Path::new("/job/home"),
            temporary: Path::new("/job/tmp"),
        })
        .unwrap()
    }

    #[test]
    fn a_sandbox_job_sees_no_cloud_credential() {
        let environment = environment_for(&CloudAccess::Sandbox, "/nowhere");
        assert!(environment.keys().all(|name| !name.starts_with("AWS_")));
        assert_eq!(environment["TF_CLI_CONFIG_FILE"], "/cli");
        assert_eq!(environment["HOME"], "/job/home");
        assert_eq!(environment["HTTPS_PROXY"], "http://proxy");
        assert_eq!(environment["all_proxy"], "http://proxy");
        assert_eq!(environment["GOGC"], "200");
        for absent in ["TF_VAR_x", "TF_LOG", "DATABASE_URL"] {
            assert!(!environment.contains_key(absent), "{absent}");
        }
    }

    #[test]
    fn an_aws_job_sees_the_runners_credentials_and_no_sandbox() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        std::fs::write(home.path().join(".aws/config"), "").unwrap();
        let access = CloudAccess::Aws { role_arn: None, external_id: None };
        let environment = environment_for(&access, home.path().to_str().unwrap());
        assert_eq!(environment["AWS_SECRET_ACCESS_KEY"], "secret-key");
        assert!(environment["AWS_CONFIG_FILE"].ends_with("/.aws/config"));
        assert!(!environment.contains_key("AWS_SHARED_CREDENTIALS_FILE"));
        assert!(environment.keys().all(|name| !name.starts_with("ALETHIA_")));
    }

    #[test]
    fn a_runner_without_a_sandbox_says_so() {
        let none = BTreeMap::new();
        let sources = Sources {
            own: &none,
            sandbox: &none,
            access: &CloudAccess::Sandbox,
            home: Path::new("/"),
            temporary: Path::new("/"),
        };
        assert!(matches!(environment(&sources), Err(CredentialsError::NoSandbox)));
    }
}
