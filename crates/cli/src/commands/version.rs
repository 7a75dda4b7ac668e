//! `version`: what this binary is.

use serde::Serialize;

use crate::{output, settings::Settings};

#[derive(Serialize)]
struct Version {
    version: &'static str,
    contract: u32,
}

/// Prints the version of the binary and of the contract it speaks.
pub(crate) fn run(settings: &Settings) -> anyhow::Result<()> {
    let version = Version { version: env!("CARGO_PKG_VERSION"), contract: alethia_api::CONTRACT_VERSION };
    output::print(settings.output.value, &version, || {
        format!("alethia {} (contract {})", version.version, version.contract)
    })
}
