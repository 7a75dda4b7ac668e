//! Accepts connections and serves them, within limits: how many at once, how long a request's head may take and how
//! large it may be. Ends in an orderly way: what is under way gets a grace, streams end by themselves.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::task::TaskTracker;

use crate::app::App;

/// How long a request's head may take to arrive, and so how long a connection may be idle. Longer than clients keep
/// idle connections (90 s in reqwest): who closes first must not be the one who is about to be asked.
const HEAD_TIME: Duration = Duration::from_secs(100);
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
    let (graceful, tasks) = (GracefulShutdown::new(), TaskTracker::new());
    while let Some((stream, permit)) = next(&listener, &connections, &app).await {
        tasks.spawn(connection(stream, permit, router.clone(), graceful.watcher()));
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time and are broken off");
    } else {
        tasks.wait().await;
    }
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
    watcher: hyper_util::server::graceful::Watcher,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_SIZE)
        .max_headers(HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_SIZE as u32)
        .max_concurrent_streams(256);
    let serving = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    if let Err(error) = watcher.watch(serving.into_owned()).await {
        tracing::debug!(error = &*error, "a connection broke");
    }
    drop(permit);
}
