//! Where the project's things are: the checkout, the target folder, the cache, cargo.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies one folder below the checkout")
}

/// The cargo that runs this task, started in the checkout.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Cargo's target folder.
pub(crate) fn target() -> Result<PathBuf> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .no_deps()
        .current_dir(root())
        .exec()
        .context("failed to ask cargo for its target folder")?;
    Ok(metadata.target_directory.into())
}

/// The `alethia` binary of a profile's folder (`debug` or `release`), which must have been built.
pub(crate) fn binary(profile: &str) -> Result<PathBuf> {
    program(profile, "alethia")
}

/// Any program of the workspace, likewise.
pub(crate) fn program(profile: &str, name: &str) -> Result<PathBuf> {
    let path = target()?.join(profile).join(name);
    if !path.is_file() {
        bail!("{} is not there; build it with `cargo build --workspace --all-targets`", path.display());
    }
    Ok(path)
}

/// A folder of the user's cache that outlives the checkout.
pub(crate) fn cache(name: &str) -> Result<PathBuf> {
    Ok(user_folder("XDG_CACHE_HOME", ".cache")?.join("alethia").join(name))
}

/// A folder of the user's data.
pub(crate) fn data(name: &str) -> Result<PathBuf> {
    Ok(user_folder("XDG_DATA_HOME", ".local/share")?.join(name))
}

fn user_folder(variable: &str, below_home: &str) -> Result<PathBuf> {
    if let Some(folder) = env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute()) {
        return Ok(folder);
    }
    let home = env::home_dir().with_context(|| format!("no home folder; set HOME or {variable}"))?;
    Ok(home.join(below_home))
}
