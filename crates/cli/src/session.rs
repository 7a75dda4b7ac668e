//! Which Console a command speaks to, and as whom.
//!
//! In this order: the one that `--server` names; the one that runs on the same data folder; one that is started inside
//! of this process for the length of the command. The code behind it is the same: a typed client over HTTP.

use std::path::Path;

use alethia_api::client::Client;
use alethia_server::owner_token_file;

use crate::{
    embedded::{self, DataFolder, Platform, Running},
    error::Fault,
    settings::Settings,
    typed::Typed,
};

/// What a command needs besides a Console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: it only reads and writes what the Console has.
    Console,
    /// A Runner, because it creates a job and waits for it.
    Runner,
}

/// A Console that can be spoken to.
#[derive(Debug)]
pub(crate) struct Session {
    client: Client,
    embedded: bool,
    typed: Typed,
}

impl Session {
    /// The Console.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Whether Console and Runner end with this process.
    pub(crate) fn is_embedded(&self) -> bool {
        self.embedded
    }

    /// How the next command has to be typed to reach the same Console.
    pub(crate) fn typed(&self) -> &Typed {
        &self.typed
    }
}

/// Does the work with a Console, and ends what was started for it, whatever came out.
///
/// # Errors
/// When there is no Console, the work fails, or the Runner in this process ends before the work does.
pub(crate) async fn with<T>(
    settings: &Settings,
    needs: Needs,
    work: impl AsyncFnOnce(&Session) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    if let Some(session) = remote(settings)? {
        return work(&session).await;
    }
    match embedded::claim(settings).await? {
        DataFolder::Running(running) => work(&beside(settings, &running)?).await,
        DataFolder::Ours(lock) => {
            let mut platform = Platform::start(settings, lock, embedded::free_port(), needs).await?;
            let session =
                Session { client: platform.client()?, embedded: true, typed: settings.typed.clone() };
            let result = tokio::select! {
                result = work(&session) => result,
                error = platform.runner_ended() => Err(error),
            };
            platform.shutdown().await;
            result
        }
    }
}

fn remote(settings: &Settings) -> anyhow::Result<Option<Session>> {
    let Some(server) = &settings.server.value else { return Ok(None) };
    let token = match settings.token()? {
        Some(token) => token,
        None => own_token(&settings.data_dir.value, server)?,
    };
    Ok(Some(Session { client: Client::new(server, &token)?, embedded: false, typed: settings.typed.clone() }))
}

fn beside(settings: &Settings, running: &Running) -> anyhow::Result<Session> {
    let token = match settings.token()? {
        Some(token) => token,
        None => own_token(&settings.data_dir.value, &running.address)?,
    };
    Ok(Session {
        client: Client::new(&running.address, &token)?,
        embedded: false,
        typed: settings.typed.clone(),
    })
}

/// The owner's token of a Console on this machine.
fn own_token(data_dir: &Path, server: &str) -> anyhow::Result<String> {
    let is_here = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"]
        .iter()
        .any(|here| server.starts_with(here));
    let token = if is_here { std::fs::read_to_string(owner_token_file(data_dir)).ok() } else { None };
    token.map(|token| token.trim().to_owned()).ok_or_else(|| {
        Fault::usage(format!("there is no token for the Console at {server}"))
            .hint("give one with `--token-file FILE` or ALETHIA_TOKEN")
            .into()
    })
}
