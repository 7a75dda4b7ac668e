//! Who is at the other end of a connection: the address itself, or what the proxy in front says where there is one.

use std::{
    net::IpAddr,
    task::{Context, Poll},
};

use axum::http::{HeaderMap, Request};
use tower_service::Service;

/// Header in which a proxy names whom it passes on.
const FORWARDED: &str = "x-forwarded-for";

/// Address of the other end of the connection, as an extension of each request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// A service whose requests carry their peer.
#[derive(Clone)]
pub(super) struct WithPeer<S> {
    inner: S,
    peer: Option<Peer>,
}

impl<S> WithPeer<S> {
    pub(super) fn new(inner: S, address: Option<IpAddr>) -> Self {
        Self { inner, peer: address.map(Peer) }
    }
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for WithPeer<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(peer);
        }
        self.inner.call(request)
    }
}

/// Whom the failures of a request are counted for. Behind a proxy that is the last address it names: those before it are
/// what the client says of itself.
pub(super) fn address(peer: Option<Peer>, headers: &HeaderMap, behind_proxy: bool) -> Option<IpAddr> {
    let named = headers.get_all(FORWARDED).iter().next_back().and_then(|value| value.to_str().ok());
    let named = named.and_then(|names| names.rsplit(',').next()?.trim().parse().ok());
    named.filter(|_| behind_proxy).or(peer.map(|peer| peer.0))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn only_behind_a_proxy_is_a_header_believed_and_then_its_last_word() {
        let peer = Some(Peer(Ipv4Addr::LOCALHOST.into()));
        let headers: HeaderMap =
            [(FORWARDED.parse().unwrap(), "10.0.0.1, 10.0.0.2".parse().unwrap())].into_iter().collect();
        assert_eq!(address(peer, &headers, false), Some(Ipv4Addr::LOCALHOST.into()));
        assert_eq!(address(peer, &headers, true), Some(Ipv4Addr::new(10, 0, 0, 2).into()));
        assert_eq!(address(peer, &HeaderMap::new(), true), Some(Ipv4Addr::LOCALHOST.into()));
    }
}
