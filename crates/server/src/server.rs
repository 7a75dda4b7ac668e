//! A running Console: what was started with it, and its orderly end.

use std::{io, net::SocketAddr, time::Duration};

use alethia_store::{Store, StoreConfig, StoreError, seal::Keyring};
use chrono::Utc;
use tokio::{net::TcpListener, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    app::{self, App},
    auth::Admin,
    background,
    config::Config,
    error::Error,
    first_start::{self, FirstStartError},
    http,
    secret::Token,
};

/// Pause before a database is tried again that was not there.
const OPEN_AGAIN: Duration = Duration::from_millis(500);

/// A running Console. Dropping it asks it to end; [`Server::shutdown`] also waits until it has.
pub struct Server {
    address: SocketAddr,
    owner_token: Token,
    app: App,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Why a Console did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder or a file in it can't be used.
    #[error(transparent)]
    Files(#[from] FirstStartError),
    /// The database or the blob store can't be used.
    #[error("the store can't be opened")]
    Store(#[from] StoreError),
    /// Nothing can listen there.
    #[error("can't listen on {address}")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What stands against it.
        #[source]
        source: io::Error,
    },
}

impl Server {
    /// Opens or makes what `config` names, and listens.
    ///
    /// # Errors
    /// When the data folder, the database, the blob store or the address can't be used.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let store = open(&config).await?;
        Self::start_on(store, config).await
    }

    /// A Console that takes what an attempt writes after its end: broken on purpose, for the test of whoever must notice.
    ///
    /// # Errors
    /// As [`Server::start`].
    #[doc(hidden)]
    pub async fn start_without_fences(config: Config) -> Result<Self, StartError> {
        let store = open(&config).await?.without_fences();
        Self::start_on(store, config).await
    }

    async fn start_on(store: Store, config: Config) -> Result<Self, StartError> {
        let owner_token = first_start::owner_token(&config)?;
        app::tokens::ensure_owner(&store, &owner_token, Utc::now()).await?;
        let listener = listen(config.listen).await?;
        let address =
            listener.local_addr().map_err(|source| StartError::Listen { address: config.listen, source })?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let app = App::new(store, config, stop.clone());
        tasks.spawn(http::serve(listener, app.clone()));
        tasks.spawn(background::reaper::run(app.clone()));
        tasks.spawn(background::dispatch::run(app.clone()));
        tasks.spawn(background::keys::run(app.clone()));
        tasks.close();
        tracing::info!(%address, "the Console listens");
        Ok(Self { address, owner_token, app, stop, tasks })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where clients reach it, such as `http://127.0.0.1:4646`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The owner's token in the clear; also in the data folder.
    pub fn owner_token(&self) -> &str {
        self.owner_token.reveal()
    }

    /// A token for a Runner inside this process. A Runner of that name gets a new one; its old one is worthless then.
    ///
    /// # Errors
    /// When the name is none or the store is not available.
    pub async fn register_local_runner(&self, name: &str) -> Result<String, Error> {
        let console = Admin::of_the_console("console");
        app::runners::register_again(&self.app, &console, name).await.map(|token| token.reveal().to_owned())
    }

    /// What use cases need; for whoever calls them in this process.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Says that it is not ready and goes on for the time of the configuration; then takes no more requests, ends streams
    /// and long polls, waits for what is under way, closes the store.
    pub async fn shutdown(self) {
        self.app.ending.cancel();
        tokio::time::sleep(self.app.config.drain).await;
        self.stop.cancel();
        self.tasks.wait().await;
        self.app.store.clone().close().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn open(config: &Config) -> Result<Store, StartError> {
    first_start::private_folder(&config.data_dir)?;
    let store = StoreConfig {
        database_url: config.database.clone(),
        blobs_url: config.blobs.clone(),
        keyring: Keyring::from_file(&config.master_key_file())?,
    };
    let until = Instant::now() + config.database_wait;
    loop {
        match Store::open(&store, Utc::now()).await {
            Err(error) if error.may_pass() && Instant::now() < until => {
                tracing::warn!(%error, "the database is not there yet; the Console waits for it");
                tokio::time::sleep(OPEN_AGAIN).await;
            }
            opened => return Ok(opened?),
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })
}
