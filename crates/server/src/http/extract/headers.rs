//! Headers that change what a request means: preconditions, the Idempotency-Key, the place to resume from.

use alethia_api::IDEMPOTENCY_KEY;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, header, request::Parts},
};

use crate::{app::specs::Expected, error::Error};

const LAST_EVENT_ID: &str = "last-event-id";
/// Longest Idempotency-Key in bytes.
const LONGEST_KEY: usize = 128;

/// What the Spec must be like for the request to count.
pub(in crate::http) struct Precondition(pub(in crate::http) Expected);

/// The key under which a creating POST is done once, if there is one.
pub(in crate::http) struct IdempotencyKey(pub(in crate::http) Option<String>);

/// Where a stream is to go on, if it was broken off.
pub(in crate::http) struct LastEventId(pub(in crate::http) Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Precondition {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let if_match = text(&parts.headers, header::IF_MATCH)?;
        let if_none_match = text(&parts.headers, header::IF_NONE_MATCH)?;
        match (if_match, if_none_match) {
            (None, None) => Ok(Self(Expected::Anything)),
            (Some("*"), None) => Ok(Self(Expected::Existing)),
            (Some(tag), None) => revision(tag).map(|number| Self(Expected::Revision(number))),
            (None, Some("*")) => Ok(Self(Expected::Nothing)),
            (None, Some(_)) => Err(Error::Malformed("If-None-Match takes only *".to_owned())),
            (Some(_), Some(_)) => {
                Err(Error::Malformed("If-Match and If-None-Match exclude each other".to_owned()))
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let key = text(&parts.headers, HeaderName::from_static(IDEMPOTENCY_KEY))?;
        match key {
            Some(key) if key.is_empty() || key.len() > LONGEST_KEY => {
                Err(Error::Malformed(format!("an Idempotency-Key has 1 to {LONGEST_KEY} characters")))
            }
            Some(key) => Ok(Self(Some(key.to_owned()))),
            None => Ok(Self(None)),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for LastEventId {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let id = text(&parts.headers, HeaderName::from_static(LAST_EVENT_ID))?;
        Ok(Self(id.filter(|id| !id.is_empty()).map(str::to_owned)))
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>, Error> {
    let Some(value) = headers.get(&name) else { return Ok(None) };
    value.to_str().map(Some).map_err(|_| Error::Malformed(format!("the header {name} is no text")))
}

fn revision(tag: &str) -> Result<u32, Error> {
    let number = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).and_then(|n| n.parse().ok());
    number.ok_or_else(|| Error::Malformed(format!("If-Match takes an ETag such as \"3\", not {tag}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_is_a_quoted_revision() {
        assert_eq!(revision("\"12\"").unwrap(), 12);
        assert!(revision("12").is_err());
        assert!(revision("W/\"12\"").is_err());
    }
}
