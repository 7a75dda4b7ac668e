//! `version`: what this binary is, and the Console where one is named.

use alethia_api::{CONTRACT_VERSION, version::Version};
use serde::Serialize;

use crate::{
    output,
    session::{self, Needs},
    settings::Settings,
};

#[derive(Serialize)]
struct Versions {
    #[serde(flatten)]
    own: Version,
    #[serde(skip_serializing_if = "Option::is_none")]
    console: Option<Version>,
}

/// Prints the version of the binary and of the contract it speaks, then those of the Console.
///
/// # Errors
/// When the Console does not tell; the binary's own is printed all the same.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let own = Version { version: env!("CARGO_PKG_VERSION").to_owned(), contract: CONTRACT_VERSION };
    let (console, error) = match ask(settings).await {
        Ok(console) => (console, None),
        Err(error) => (None, Some(error)),
    };
    let versions = Versions { own, console };
    output::print(settings.output.value, &versions, || told(&versions))?;
    error.map_or(Ok(()), Err)
}

/// What the Console says of itself, where one is named: none is started for it.
async fn ask(settings: &Settings) -> anyhow::Result<Option<Version>> {
    if settings.server.value.is_none() {
        return Ok(None);
    }
    session::with(settings, Needs::Console, async |session| Ok(Some(session.client().version().await?))).await
}

fn told(versions: &Versions) -> String {
    let line =
        |name, version: &Version| format!("{name} {} (contract {})", version.version, version.contract);
    let console = versions.console.as_ref().map(|console| line("\nConsole", console));
    format!("{}{}", line("alethia", &versions.own), console.unwrap_or_default())
}
