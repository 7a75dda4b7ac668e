//! `cargo xtask fixture`: keeps a seeded platform of this version for the tests of later ones.
//!
//! Run it once a release, on the code that is released, and commit the folder: `crates/store/tests/releases/VERSION`.
//! The tests of upgrades take every folder there is. A folder that is there is never written again: what it holds was
//! written by code that is gone.

use anyhow::{Result, ensure};

use crate::{project, steps};

pub(crate) fn run() -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let folder = project::root().join("crates/store/tests/releases").join(version);
    ensure!(!folder.exists(), "{} is there already; a release is kept once", folder.display());
    let mut command = project::cargo();
    command.args(["run", "--quiet", "--package", "alethia-store", "--example", "fixture", "--"]).arg(&folder);
    steps::check(&mut command)?;
    println!("{} is made; commit it", folder.display());
    Ok(())
}
