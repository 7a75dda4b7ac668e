//! What makes Terraform find the sandbox instead of the real providers: a mirror folder and a CLI configuration.
//!
//! The packages are constant shell wrappers whose bytes never contain a path, so their hash in a lock file is the same
//! on every machine and after every build. [`write()`] may be called by many at once and by everyone every time: it
//! writes only what is not there, each file whole by a rename.

use std::collections::BTreeMap;
use std::env::consts;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::plugin::CLOUD_VARIABLE;

/// The providers that the sandbox stands in for, each with the one version whose schemas it carries.
pub const PROVIDERS: [(&str, &str); 2] = [("aws", "6.66.0"), ("random", "3.9.1")];

/// The registries of Terraform and of OpenTofu.
const REGISTRIES: [&str; 2] = ["registry.terraform.io", "registry.opentofu.org"];

/// The variable with the program that the packages start.
pub const EXECUTABLE_VARIABLE: &str = "ALETHIA_SANDBOX_EXE";

/// A mirror that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// The folder with the packages.
    pub packages: PathBuf,
    /// The configuration file that points Terraform to it, and to nothing else.
    pub cli_config: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    #[error("provider mirror cannot be written at {path}")]
    Io { path: PathBuf, source: io::Error },
    #[error("provider mirror cannot be at {0:?}: the path is not plain text")]
    Path(PathBuf),
}

/// Writes the mirror into the folder `dir`, or finds it there.
pub fn write(dir: &Path) -> Result<Mirror, MirrorError> {
    make_folder(dir)?;
    let dir = dir.canonicalize().map_err(|source| MirrorError::Io { path: dir.to_owned(), source })?;
    let packages = dir.join("providers");
    for (name, version) in PROVIDERS {
        for registry in REGISTRIES {
            let folder = packages.join(format!("{registry}/hashicorp/{name}/{version}/{}", platform()));
            make_folder(&folder)?;
            settle(
                &dir,
                &folder.join(format!("terraform-provider-{name}_v{version}")),
                &wrapper(name),
                0o755,
            )?;
        }
    }
    let cli_config = dir.join("terraform.rc");
    settle(&dir, &cli_config, &configuration(&packages)?, 0o600)?;
    Ok(Mirror { packages, cli_config })
}

impl Mirror {
    /// The environment of a Terraform that shall see the cloud in the folder `cloud`; `exe` is the program that answers
    /// `sandbox plugin PROVIDER`. Both must be absolute.
    pub fn environment(&self, exe: &Path, cloud: &Path) -> BTreeMap<String, String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        BTreeMap::from([
            ("TF_CLI_CONFIG_FILE".to_owned(), text(&self.cli_config)),
            (EXECUTABLE_VARIABLE.to_owned(), text(exe)),
            (CLOUD_VARIABLE.to_owned(), text(cloud)),
        ])
    }
}

/// This machine as Terraform names it.
fn platform() -> String {
    let system = if consts::OS == "macos" { "darwin" } else { consts::OS };
    let machine = match consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    };
    format!("{system}_{machine}")
}

/// The package of a provider. Changing a byte of it changes the lock files of every stack.
fn wrapper(provider: &str) -> String {
    format!("#!/bin/sh\nexec \"${EXECUTABLE_VARIABLE}\" sandbox plugin {provider}\n")
}

fn configuration(packages: &Path) -> Result<String, MirrorError> {
    let path = packages
        .to_str()
        .filter(|path| !path.contains(['"', '\n', '$', '%']))
        .ok_or_else(|| MirrorError::Path(packages.to_owned()))?;
    let path = path.replace('\\', "\\\\");
    Ok(format!(
        "disable_checkpoint = true\n\nprovider_installation {{\n  filesystem_mirror {{\n    path = \"{path}\"\n  }}\n}}\n"
    ))
}

/// Makes the file be what it shall be. A new one is written in `dir` first: Terraform hashes what a package folder holds.
fn settle(dir: &Path, path: &Path, content: &str, mode: u32) -> Result<(), MirrorError> {
    if fs::read(path).is_ok_and(|found| found == content.as_bytes()) {
        return Ok(());
    }
    replace(dir, path, content, mode).map_err(|source| MirrorError::Io { path: path.to_owned(), source })
}

fn replace(dir: &Path, path: &Path, content: &str, mode: u32) -> io::Result<()> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let temporary = dir.join(format!(".{}.{number}.new", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&temporary)?;
    file.write_all(content.as_bytes())?;
    drop(file);
    fs::set_permissions(&temporary, Permissions::from_mode(mode))?;
    fs::rename(&temporary, path)
}

fn make_folder(path: &Path) -> Result<(), MirrorError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| MirrorError::Io { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_write_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let first = write(folder.path()).unwrap();
        let modified = |mirror: &Mirror| fs::metadata(&mirror.cli_config).unwrap().modified().unwrap();
        let before = modified(&first);
        let second = write(folder.path()).unwrap();
        assert_eq!((first, before), (second.clone(), modified(&second)));
    }

    #[test]
    fn a_package_holds_one_file_without_a_path() {
        let folder = tempfile::tempdir().unwrap();
        let mirror = write(folder.path()).unwrap();
        let package =
            mirror.packages.join(format!("registry.opentofu.org/hashicorp/aws/6.66.0/{}", platform()));
        let files: Vec<_> = fs::read_dir(&package).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files, [package.join("terraform-provider-aws_v6.66.0")]);
        assert_eq!(
            fs::read_to_string(&files[0]).unwrap(),
            "#!/bin/sh\nexec \"$ALETHIA_SANDBOX_EXE\" sandbox plugin aws\n"
        );
    }

    #[test]
    fn many_may_write_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..8).map(|_| scope.spawn(|| write(path).unwrap())).collect();
            let mirrors: Vec<_> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
            assert!(mirrors.windows(2).all(|pair| pair[0] == pair[1]));
        });
    }
}
