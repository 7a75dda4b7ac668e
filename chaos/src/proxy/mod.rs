//! The network between the platform's processes: one gate for each client, before all Consoles.
//!
//! A gate passes requests on to the Consoles in turn, as a load balancer does, and to the next one where the first refuses
//! the connection. While there is weather, it loses, delays, cuts and repeats them. What must stay true: a request that is
//! delayed or repeated arrives though its sender has hung up, for such packets are on their way; nothing is changed in it.

mod exchange;
mod traffic;
mod weather;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context, Result};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rand::{SeedableRng, rngs::StdRng};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use traffic::Traffic;
pub(crate) use weather::Weather;

/// The way of one client to the Consoles.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    server: AbortHandle,
}

/// What all connections of a gate share.
struct Shared {
    consoles: Vec<SocketAddr>,
    turn: AtomicUsize,
    dice: Mutex<StdRng>,
    weather: watch::Sender<Weather>,
    /// Cancelled, and made anew, when all connections are cut.
    line: Mutex<CancellationToken>,
    traffic: Mutex<Traffic>,
    tasks: TaskTracker,
}

impl Gate {
    /// Opens a gate on a free port.
    pub(crate) async fn open(consoles: Vec<SocketAddr>, seed: u64) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port for the proxy")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            consoles,
            turn: AtomicUsize::new(0),
            dice: Mutex::new(StdRng::seed_from_u64(seed)),
            weather: watch::Sender::new(Weather::default()),
            line: Mutex::default(),
            traffic: Mutex::default(),
            tasks: TaskTracker::new(),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&shared))).abort_handle();
        Ok(Self { address, shared, server })
    }

    /// Changes the weather. Connections that are open are cut when it begins with a cut.
    pub(crate) fn set(&self, weather: Weather) {
        let cuts = weather.cut;
        self.shared.weather.send_replace(weather);
        if cuts {
            std::mem::take(&mut *self.shared.line()).cancel();
        }
    }

    /// What happened to its requests so far.
    pub(crate) fn traffic(&self) -> Traffic {
        *self.shared.traffic()
    }

    /// Closes it; requests that are still on their way are dropped.
    pub(crate) fn close(&self) {
        self.server.abort();
        self.shared.line().cancel();
    }
}

impl Shared {
    fn line(&self) -> std::sync::MutexGuard<'_, CancellationToken> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn traffic(&self) -> std::sync::MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The Consoles, beginning with the one whose turn it is.
    fn consoles(&self) -> impl Iterator<Item = SocketAddr> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        (0..self.consoles.len()).map(move |next| self.consoles[(turn + next) % self.consoles.len()])
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let line = shared.line().clone();
                if !shared.weather.borrow().cut {
                    shared.tasks.spawn(connection(stream, Arc::clone(&shared), line));
                }
            }
            Err(error) => eprintln!("the proxy takes no connection: {error}"),
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>, line: CancellationToken) {
    let service = service_fn(move |request| exchange::exchange(Arc::clone(&shared), request));
    let serving =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    // A connection that breaks is what this is for.
    let _ = line.run_until_cancelled(serving).await;
}
