//! Accepts connections and serves them, within limits: how many at once, how long one may be idle, how long a request's
//! head may take and how large it may be. Ends in an orderly way: what is under way gets a grace, streams end by
//! themselves.
//!
//! HTTP/1.1 alone: a server that first looks which version a client speaks waits for it without a limit, and clients
//! speak HTTP/2 only over TLS, which is the proxy's.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto::Builder,
        graceful::{GracefulShutdown, Watcher},
    },
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::peer::WithPeer;
use crate::app::App;

/// Largest request head in bytes, and most headers.
const HEAD_SIZE: usize = 64 * 1024;
const HEADERS: usize = 100;
/// How long requests under way get at the end.
const GRACE: Duration = Duration::from_secs(10);
/// Pause after an accept that failed, as when file descriptors are used up.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until the Console is told to end, then until what is under way has ended.
pub(crate) async fn serve(listener: TcpListener, app: App) {
    let connections = Arc::new(Semaphore::new(app.config.limits.connections));
    let router = super::router::router(app.clone());
    let (graceful, tasks, broken_off) =
        (GracefulShutdown::new(), TaskTracker::new(), CancellationToken::new());
    while let Some((stream, permit)) = next(&listener, &connections, &app).await {
        let serving =
            connection(stream, permit, router.clone(), graceful.watcher(), app.config.limits.idle_time);
        tasks.spawn(broken_off.clone().run_until_cancelled_owned(serving));
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time and are broken off");
        broken_off.cancel();
    }
    tasks.wait().await;
}

async fn next(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
    app: &App,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    loop {
        let permit = connections.clone().acquire_owned();
        let permit = app.stop.run_until_cancelled(permit).await?.expect("the semaphore is never closed");
        match app.stop.run_until_cancelled(listener.accept()).await? {
            Ok((stream, _)) => return Some((stream, permit)),
            Err(error) => pause(&error).await,
        }
    }
}

async fn pause(error: &io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

async fn connection(
    stream: TcpStream,
    permit: OwnedSemaphorePermit,
    router: Router,
    watcher: Watcher,
    idle_time: Duration,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(idle_time)
        .max_buf_size(HEAD_SIZE)
        .max_headers(HEADERS);
    let service = WithPeer::new(router, stream.peer_addr().ok().map(|address| address.ip()));
    let serving = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    if let Err(error) = watcher.watch(serving.into_owned()).await {
        tracing::debug!(error = &*error, "a connection broke");
    }
    drop(permit);
}
