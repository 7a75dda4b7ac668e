//! Bodies: JSON with the path of what is wrong in it, or raw bytes. Both within the limit of their route.

use axum::{
    body::{Bytes, HttpBody},
    extract::{FromRequest, OptionalFromRequest, Request},
    http::header,
};
use serde::de::DeserializeOwned;

use crate::{error::Error, http::problem::unreadable_body};

/// A JSON body.
pub(in crate::http) struct Body<T>(pub(in crate::http) T);

/// Bytes as they came.
pub(in crate::http) struct Raw(pub(in crate::http) Bytes);

/// The largest body of a route in bytes, as an extension that its layer sets.
#[derive(Clone, Copy)]
pub(in crate::http) struct BodyLimit(pub(in crate::http) usize);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let content_type = request.headers().get(header::CONTENT_TYPE).map(|value| value.as_bytes().to_vec());
        if !content_type.is_some_and(|value| value.starts_with(b"application/json")) {
            return Err(Error::Malformed("the body must be JSON: content-type: application/json".to_owned()));
        }
        let Raw(bytes) = Raw::from_request(request, state).await?;
        read(&bytes).map(Self)
    }
}

/// A body that may be left out.
impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Error> {
        let typed = request.headers().contains_key(header::CONTENT_TYPE);
        if !typed && request.body().size_hint().exact() == Some(0) {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let limit = request.extensions().get::<BodyLimit>().map_or(0, |limit| limit.0);
        Bytes::from_request(request, state)
            .await
            .map(Self)
            .map_err(|rejection| unreadable_body(rejection, limit))
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        match cause.classify() {
            serde_json::error::Category::Data => Error::field(path, cause.to_string()),
            serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof
            | serde_json::error::Category::Io => Error::Malformed(format!("the body is no JSON: {cause}")),
        }
    })?;
    json.end().map_err(|error| Error::Malformed(format!("the body is no JSON: {error}")))?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use alethia_api::zones::NewZone;

    use super::*;

    #[test]
    fn a_wrong_field_is_named_by_its_path() {
        let error = read::<Vec<NewZone>>(br#"[{"name": "a"}, {"name": 5}]"#).unwrap_err();
        let Error::Invalid(faults) = error else { panic!("{error:?}") };
        assert_eq!(faults[0].path, "[1].name");
    }

    #[test]
    fn a_broken_body_is_malformed() {
        assert!(matches!(read::<NewZone>(b"{"), Err(Error::Malformed(_))));
        assert!(matches!(read::<NewZone>(br#"{"name":"a"} x"#), Err(Error::Malformed(_))));
    }
}
