//! Terraform or OpenTofu on this machine: where it is and which version.
//!
//! Looked for once, before a Runner starts, so that a machine without one never claims a job. It takes a while to say its
//! version, which whoever starts more than a Runner need not wait for before the rest.

use std::{
    env,
    ffi::OsStr,
    fmt,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde::Deserialize;

/// The oldest version that the templates run with: write-only arguments came with it.
const OLDEST: (u32, u32) = (1, 11);
/// How long the tool may take to say its version.
const PATIENCE: Duration = Duration::from_secs(20);
/// What is looked for on PATH, in this order.
const NAMES: [&str; 2] = ["terraform", "tofu"];

/// The tool that runs the jobs. Prints as `terraform 1.11.4`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// Where it is.
    pub path: PathBuf,
    /// `terraform` or `tofu`.
    pub name: &'static str,
    /// Its version, such as `1.11.4`.
    pub version: String,
}

/// Why there is no tool to work with.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// Neither is there.
    #[error(
        "neither terraform nor tofu is on PATH; install Terraform >= 1.11 or OpenTofu >= 1.11, or name it with --tool PATH"
    )]
    Missing,
    /// What was named is not there.
    #[error("there is no program at {}; name terraform or tofu >= 1.11 with --tool PATH", .0.display())]
    NotAProgram(PathBuf),
    /// It does not say its version.
    #[error("{} does not answer `version -json` as terraform and tofu do: {reason}", path.display())]
    Unusable {
        /// Where it is.
        path: PathBuf,
        /// What happened.
        reason: String,
    },
    /// It is too old.
    #[error("{} is version {version}; Terraform >= 1.11 or OpenTofu >= 1.11 is needed", path.display())]
    TooOld {
        /// Where it is.
        path: PathBuf,
        /// Its version.
        version: String,
    },
}

#[derive(Deserialize)]
struct VersionAnswer {
    terraform_version: String,
}

impl Tool {
    /// Finds the tool that was named, or else the first on `search_path`, and asks its version.
    ///
    /// # Errors
    /// When there is none, or it is too old.
    pub async fn find(named: Option<&Path>, search_path: Option<&OsStr>) -> Result<Self, ToolError> {
        let path = match named {
            Some(path) if is_program(path) => path.to_path_buf(),
            Some(path) => return Err(ToolError::NotAProgram(path.to_path_buf())),
            None => on_path(search_path).ok_or(ToolError::Missing)?,
        };
        let path = std::path::absolute(&path).unwrap_or(path);
        let version = ask_version(&path).await?;
        if !is_new_enough(&version) {
            return Err(ToolError::TooOld { path, version });
        }
        let name = if is_tofu(&path) { "tofu" } else { "terraform" };
        Ok(Self { path, name, version })
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

fn on_path(search_path: Option<&OsStr>) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = env::split_paths(search_path?).collect();
    NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

fn is_tofu(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains("tofu"))
}

async fn ask_version(path: &Path) -> Result<String, ToolError> {
    let unusable = |reason: String| ToolError::Unusable { path: path.to_path_buf(), reason };
    let asked = tokio::process::Command::new(path)
        .args(["version", "-json"])
        .current_dir("/")
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .env("CHECKPOINT_DISABLE", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(unusable(error.to_string())),
        Err(_) => return Err(unusable(format!("no answer within {} s", PATIENCE.as_secs()))),
    };
    if !output.status.success() {
        return Err(unusable(output.status.to_string()));
    }
    serde_json::from_slice::<VersionAnswer>(&output.stdout)
        .map(|answer| answer.terraform_version)
        .map_err(|error| unusable(error.to_string()))
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.split(['.', '-']).map(|part| part.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) >= OLDEST,
        (Some(_) | None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use alethia_testkit::fake_terraform::FakeTerraform;

    use super::*;

    #[test]
    fn the_version_decides() {
        for (version, enough) in [
            ("1.11.4", true),
            ("1.11.0-rc1", true),
            ("2.0.0", true),
            ("1.10.9", false),
            ("0.15", false),
            ("x", false),
        ] {
            assert_eq!(is_new_enough(version), enough, "{version}");
        }
    }

    #[tokio::test]
    async fn nothing_on_the_path_names_both_tools() {
        let folder = tempfile::tempdir().unwrap();
        let error = Tool::find(None, Some(folder.path().as_os_str())).await.unwrap_err().to_string();
        assert!(error.contains("terraform") && error.contains("tofu") && error.contains("--tool"), "{error}");
    }

    #[tokio::test]
    async fn what_was_named_must_be_a_program() {
        let error = Tool::find(Some(Path::new("/nowhere/tofu")), None).await.unwrap_err();
        assert!(error.to_string().contains("/nowhere/tofu"), "{error}");
    }

    #[tokio::test]
    async fn an_old_one_is_refused_with_its_version() {
        let fake = FakeTerraform::new().version("1.5.7").install().unwrap();
        let error = Tool::find(Some(&fake.path()), None).await.unwrap_err();
        assert!(matches!(&error, ToolError::TooOld { version, .. } if version == "1.5.7"), "{error}");
    }

    #[tokio::test]
    async fn one_that_does_not_know_its_version_is_refused() {
        let error = Tool::find(Some(Path::new("/bin/true")), None).await.unwrap_err();
        assert!(matches!(error, ToolError::Unusable { .. }), "{error}");
    }

    #[tokio::test]
    async fn the_first_on_the_path_is_taken() {
        let fake = FakeTerraform::new().install().unwrap();
        let program = fake.path();
        let folder = program.parent().unwrap();
        let tool = Tool::find(None, Some(folder.as_os_str())).await.unwrap();
        assert_eq!(tool.to_string(), "terraform 1.11.4");
    }
}
