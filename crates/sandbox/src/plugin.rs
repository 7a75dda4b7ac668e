//! The process that Terraform starts as `terraform-provider-aws` or `terraform-provider-random`.
//!
//! The CLI calls [`run`] before anything else starts, because Terraform starts each provider at least twice a command.
//! The process lives until Terraform says `Shutdown`, or is gone without a word.

use std::env;
use std::os::unix::process::parent_id;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::Server;

use crate::handshake::{self, HandshakeError, Socket};
use crate::provider::{Provider, ProviderError};
use crate::service::{ControllerService, ProviderService};

/// The variable with the folder that is the cloud.
pub const CLOUD_VARIABLE: &str = "ALETHIA_SANDBOX_CLOUD";

/// How long calls that still run may take after `Shutdown`.
const GRACE: Duration = Duration::from_millis(200);

/// How often to look whether Terraform is still there.
const WATCH: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
enum PluginError {
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error("{CLOUD_VARIABLE} is not set; it names the folder that is the sandbox cloud")]
    NoCloud,
    #[error("plugin cannot start its runtime")]
    Runtime(#[from] std::io::Error),
    #[error("plugin cannot serve")]
    Serve(#[from] tonic::transport::Error),
}

/// Serves the provider `aws` or `random` to the Terraform that started this process.
pub fn run(provider: &str) -> ExitCode {
    match serve(provider) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause =
                std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            eprintln!("sandbox: {error}{cause}");
            ExitCode::FAILURE
        }
    }
}

fn serve(name: &str) -> Result<(), PluginError> {
    handshake::check_cookie()?;
    let cloud = env::var_os(CLOUD_VARIABLE).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let provider = Arc::new(Provider::open(name, cloud.ok_or(PluginError::NoCloud)?)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(answer(name, provider))
}

async fn answer(name: &str, provider: Arc<Provider>) -> Result<(), PluginError> {
    let mut socket = Socket::open(name)?;
    let listener = socket.listener.take().expect("the listener of a fresh socket is there");
    let (shutdown, stopped) = watch::channel(false);
    let mut server = Server::builder();
    if let Some(tls) = socket.tls.take() {
        server = server.tls_config(tls)?;
    }
    let server = server
        .add_service(ProviderService(provider))
        .add_service(ControllerService(shutdown))
        .serve_with_incoming_shutdown(UnixListenerStream::new(listener), wait(stopped.clone()));
    socket.announce()?;
    tokio::select! {
        served = server => Ok(served?),
        () = grace(stopped) => Ok(()),
        () = orphaned() => Ok(()),
    }
}

/// Ends when `Shutdown` came.
async fn wait(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it the server: also an end.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn grace(stopped: watch::Receiver<bool>) {
    wait(stopped).await;
    tokio::time::sleep(GRACE).await;
}

/// Ends when the Terraform that started this process is gone: whoever is left alone gets another parent.
async fn orphaned() {
    let parent = parent_id();
    let mut watch = tokio::time::interval(WATCH);
    while parent_id() == parent {
        watch.tick().await;
    }
}
