//! The platform in this process: a Console on loopback and a Runner that speaks to it over HTTP, on one data folder.
//!
//! Embedded commands start it for their own length, `alethia up` and `alethia serve` until they are told to end. One
//! process at a time has a data folder; commands beside a running `up` find its address in the folder and use it.

mod folder;
mod local_runner;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use alethia_api::client::Client;
use alethia_runner::Tool;
use alethia_server::{Config, Server, StartError};
use anyhow::Context;

use crate::{error::Fault, session::Needs, settings::Settings};

pub(crate) use folder::{DataFolder, DataLock, Running, claim, in_use};
pub(crate) use local_runner::{LocalRunner, find_tool, machine_name, sandbox_cloud};

/// How long a Console may take to end what is under way.
const CONSOLE_PATIENCE: Duration = Duration::from_secs(15);

/// A Console, and a Runner where one is needed, in this process.
pub(crate) struct Platform {
    server: Server,
    runner: Option<LocalRunner>,
    lock: DataLock,
}

impl Platform {
    /// Starts it on a data folder that is ours. Terraform says what it is while the Console starts.
    ///
    /// # Errors
    /// When the Console or the Runner can't start; nothing is left running then.
    pub(crate) async fn start(
        settings: &Settings,
        lock: DataLock,
        listen: SocketAddr,
        needs: Needs,
    ) -> anyhow::Result<Self> {
        let tool = async {
            match needs {
                Needs::Runner => find_tool(settings).await.map(Some),
                Needs::Console => Ok(None),
            }
        };
        let (server, tool) = tokio::join!(Server::start(console_config(settings, listen)), tool);
        let server = server.map_err(|error| cannot_start(settings, error))?;
        let mut platform = Self { server, runner: None, lock };
        let started = match tool {
            Ok(Some(tool)) => platform.start_runner(settings, tool).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = started {
            platform.shutdown().await;
            return Err(error);
        }
        Ok(platform)
    }

    /// A client that speaks as the owner.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::new(&self.server.url(), self.server.owner_token())?)
    }

    /// Where the Console is reached from this machine.
    pub(crate) fn url(&self) -> String {
        let address = self.server.address();
        if address.ip().is_unspecified() {
            format!("http://127.0.0.1:{}", address.port())
        } else {
            self.server.url()
        }
    }

    /// Tells other commands on this data folder where the Console is, for as long as it runs.
    pub(crate) fn announce(&mut self) -> anyhow::Result<()> {
        let url = self.url();
        self.lock.announce(&url)
    }

    /// Resolves only when the Runner ends though nobody told it to; says why.
    pub(crate) async fn runner_ended(&mut self) -> anyhow::Error {
        match &mut self.runner {
            Some(runner) => runner.ended().await,
            None => std::future::pending().await,
        }
    }

    /// Ends the Runner, then the Console, and leaves the data folder.
    pub(crate) async fn shutdown(self) {
        let Self { server, runner, lock } = self;
        if let Some(runner) = runner {
            runner.shutdown().await;
        }
        let patience = CONSOLE_PATIENCE + server.app().config.drain;
        if tokio::time::timeout(patience, server.shutdown()).await.is_err() {
            tracing::warn!("the Console did not end in time");
        }
        drop(lock);
    }

    async fn start_runner(&mut self, settings: &Settings, tool: Tool) -> anyhow::Result<()> {
        let name = local_runner::name(settings);
        let token = self
            .server
            .register_local_runner(&name)
            .await
            .context("the Runner of this machine can't be registered")?;
        self.runner = Some(
            LocalRunner::start(settings, tool, &self.server.url(), &token, &name, Duration::ZERO).await?,
        );
        Ok(())
    }
}

fn cannot_start(settings: &Settings, error: StartError) -> anyhow::Error {
    let folder = settings.data_dir.value.display();
    let fault = Fault::failure(format!("the Console can't start with the data folder {folder}"));
    let fault = match error {
        StartError::Listen { .. } => {
            fault.hint("name another address with `--listen 127.0.0.1:PORT`; port 0 takes a free one")
        }
        StartError::Store(_) => {
            fault.hint("see which database and blobs are meant with `alethia config --effective`")
        }
        StartError::Files(_) => fault.hint("name another folder with `--data-dir DIR`"),
    };
    anyhow::Error::new(error).context(fault)
}

/// A free port of the loopback interface.
pub(crate) fn free_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Where `listen` of the settings is.
pub(crate) fn listen_address(settings: &Settings) -> anyhow::Result<SocketAddr> {
    let text = &settings.listen.value;
    text.parse().with_context(|| {
        Fault::usage(format!("{text:?} is no address to listen on"))
            .hint("write an IP address and a port, such as `--listen 127.0.0.1:4646`")
    })
}

/// File with the keys of the platform that keeps its data in the data folder.
pub(crate) fn key_file(settings: &Settings) -> PathBuf {
    console_config(settings, free_port()).master_key_file()
}

pub(crate) fn console_config(settings: &Settings, listen: SocketAddr) -> Config {
    let mut config = Config::new(&settings.data_dir.value);
    config.listen = listen;
    config.lease = Duration::from_secs(settings.lease.value.into());
    config.drain = settings.serving.drain;
    config.database_wait = settings.serving.database_wait;
    config.behind_proxy = settings.serving.behind_proxy;
    config.keep.events = settings.keep_events.value;
    config.keep.audit = settings.keep_audit.value;
    if let Some(database) = &settings.database.value {
        config.database = database.expose().to_owned();
    }
    if let Some(blobs) = &settings.blobs.value {
        config.blobs = blobs.clone();
    }
    config
}
