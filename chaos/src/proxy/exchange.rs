//! One request and its answer, through the weather.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, PoisonError},
    task::{Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited, combinators::UnsyncBoxBody};
use hyper::{
    Method, Request, Response,
    body::{Body, Frame, Incoming},
    client::conn::http1,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{Shared, weather::Fate};

/// The largest body that is passed on, in bytes; more than the Console takes.
const LARGEST: usize = 80 * 1024 * 1024;
/// How long a Console may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Answer = Response<UnsyncBoxBody<Bytes, Failure>>;

/// An error closes the connection without an answer.
pub(super) async fn exchange(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Answer, Failure> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, LARGEST).collect().await?.to_bytes();
    let request = Request::from_parts(head, Full::new(body));
    let weather = shared.weather.borrow().clone();
    let is_state = request.uri().path().starts_with("/api/v1/state/") && request.method() == Method::POST;
    if is_state && !weather.hold_states.is_zero() {
        return late(&shared, request, weather.hold_states).await;
    }
    let fate = weather.fate(&mut shared.dice.lock().unwrap_or_else(PoisonError::into_inner));
    shared.traffic().count(fate);
    match fate {
        Fate::Pass => forward(&shared, request).await,
        Fate::Lose => Err("lost on the way".into()),
        Fate::Unanswered => {
            whole(forward(&shared, request).await?).await?;
            Err("the answer was lost on the way".into())
        }
        Fate::Tear => {
            let (head, body) = forward(&shared, request).await?.into_parts();
            Ok(Response::from_parts(head, Torn { inner: body, passed: false }.boxed_unsync()))
        }
        Fate::Delay(by) => late(&shared, request, by).await,
        // A stream of events that is there twice is two streams, which is no fault.
        Fate::Double { .. } | Fate::Echo(_) if request.method() == Method::GET => {
            forward(&shared, request).await
        }
        Fate::Double { second } => double(&shared, request, second).await,
        Fate::Echo(after) => {
            let (echo, again) = (Arc::clone(&shared), request.clone());
            shared.tasks.spawn(async move {
                tokio::time::sleep(after).await;
                // Nobody waits for the answer of an echo.
                if let Ok(answer) = forward(&echo, again).await {
                    let _ = whole(answer).await;
                }
            });
            forward(&shared, request).await
        }
    }
}

/// Arrives later, also when the sender does not wait so long.
async fn late(shared: &Arc<Shared>, request: Request<Full<Bytes>>, by: Duration) -> Result<Answer, Failure> {
    let on_its_way = Arc::clone(shared);
    let delivery = shared.tasks.spawn(async move {
        tokio::time::sleep(by).await;
        forward(&on_its_way, request).await
    });
    delivery.await?
}

async fn double(
    shared: &Arc<Shared>,
    request: Request<Full<Bytes>>,
    second: bool,
) -> Result<Answer, Failure> {
    let (first, both) = (request.clone(), Arc::clone(shared));
    let pair = shared.tasks.spawn(async move {
        let first = async { whole(forward(&both, first).await?).await };
        let last = async { whole(forward(&both, request).await?).await };
        tokio::join!(first, last)
    });
    let (first, last) = pair.await?;
    if second { last } else { first }
}

/// An answer that is there as a whole.
async fn whole(answer: Answer) -> Result<Answer, Failure> {
    let (head, body) = answer.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Response::from_parts(head, Full::new(body).map_err(no_failure).boxed_unsync()))
}

async fn forward(shared: &Arc<Shared>, request: Request<Full<Bytes>>) -> Result<Answer, Failure> {
    let stream = connect(shared.consoles()).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the answer's body.
    shared.tasks.spawn(connection);
    let answer = sender.send_request(request).await?;
    Ok(answer.map(|body| body.map_err(Failure::from).boxed_unsync()))
}

/// To the first that takes the connection.
async fn connect(consoles: impl Iterator<Item = SocketAddr>) -> io::Result<TcpStream> {
    let mut last = io::Error::other("there is no Console");
    for console in consoles {
        match tokio::time::timeout(CONNECT, TcpStream::connect(console)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

fn no_failure(never: Infallible) -> Failure {
    match never {}
}

/// A body that breaks off in the middle of its first part.
struct Torn<B> {
    inner: B,
    passed: bool,
}

impl<B: Body<Data = Bytes, Error = Failure> + Unpin> Body for Torn<B> {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        if std::mem::replace(&mut self.passed, true) {
            return Poll::Ready(Some(Err("torn on the way".into())));
        }
        self.passed = false;
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        self.passed = true;
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(|data| data.slice(..data.len() / 2)))))
    }
}
