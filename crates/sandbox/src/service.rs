//! gRPC without generated code: every call is bytes in and bytes out.
//!
//! Terraform calls two services, `tfplugin6.Provider` ([`ProviderService`]) and the plugin library's
//! `plugin.GRPCController` ([`ControllerService`]). Each gets the method's name and its bytes, and answers with bytes.
//! Other services of the plugin library are answered with `unimplemented`, which Terraform accepts.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut, Bytes};
use tokio::sync::watch;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Request, Response, Status};

use crate::provider::Provider;

/// The largest message either side may send; a schema of all of AWS has 4 MiB.
const LARGEST_MESSAGE: usize = 64 << 20;

type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The provider as a gRPC service.
#[derive(Clone)]
pub(crate) struct ProviderService(pub(crate) Arc<Provider>);

/// The plugin library's control service: it can only say that we should go.
#[derive(Clone)]
pub(crate) struct ControllerService(pub(crate) watch::Sender<bool>);

impl NamedService for ProviderService {
    const NAME: &'static str = "tfplugin6.Provider";
}

impl NamedService for ControllerService {
    const NAME: &'static str = "plugin.GRPCController";
}

impl tower_service::Service<http::Request<Body>> for ProviderService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let provider = Arc::clone(&self.0);
        unary(request, move |method, message| async move { provider.call(&method, message).await })
    }
}

impl tower_service::Service<http::Request<Body>> for ControllerService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let shutdown = self.0.clone();
        unary(request, move |method, _| async move {
            if method == "Shutdown" {
                shutdown.send_replace(true);
                Ok(Bytes::new())
            } else {
                Err(Status::unimplemented(method))
            }
        })
    }
}

/// Runs one call through tonic's framing.
fn unary<F>(
    request: http::Request<Body>,
    call: impl FnOnce(String, Bytes) -> F + Send + 'static,
) -> Answer<Result<http::Response<Body>, Infallible>>
where
    F: Future<Output = Result<Bytes, Status>> + Send + 'static,
{
    let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
    Box::pin(async move {
        let grpc = Grpc::new(Raw).max_decoding_message_size(LARGEST_MESSAGE);
        let mut grpc = grpc.max_encoding_message_size(LARGEST_MESSAGE);
        Ok(grpc.unary(Call(Some((method, call))), request).await)
    })
}

struct Call<C>(Option<(String, C)>);

impl<C, F> UnaryService<Bytes> for Call<C>
where
    C: FnOnce(String, Bytes) -> F,
    F: Future<Output = Result<Bytes, Status>> + Send + 'static,
{
    type Response = Bytes;
    type Future = Answer<Result<Response<Bytes>, Status>>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let (method, call) = self.0.take().expect("a unary service is called once");
        let answer = call(method, request.into_inner());
        Box::pin(async move { answer.await.map(Response::new) })
    }
}

/// The codec that leaves bytes as they are.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(length)))
    }
}
