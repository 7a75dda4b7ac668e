//! Calls that are repeated until they are answered, as careful clients do.

use std::{future::Future, time::Duration};

use alethia_api::client::ClientError;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long a call is repeated.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one try may take. Consoles that are frozen do not answer.
const TRY: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(250);

/// Makes a call until it is answered; gives the last error when that takes too long.
pub(crate) async fn persist<T, F>(
    stop: &CancellationToken,
    mut call: impl FnMut() -> F,
) -> Result<T, ClientError>
where
    F: Future<Output = Result<T, ClientError>>,
{
    let deadline = Instant::now() + PATIENCE;
    loop {
        match timeout(TRY, call()).await {
            Ok(Err(error)) if error.is_transient() && Instant::now() < deadline && !stop.is_cancelled() => {}
            Ok(answered) => return answered,
            Err(_) => {}
        }
        sleep(PAUSE).await;
    }
}
