//! What a request says of itself: a bearer token, or basic authentication where Terraform itself sends it, by hand or of a
//! Runner of the former version.

use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    error::{Error, Result},
    secret::{Token, TokenKind},
};

/// User name that goes with a job token in basic authentication.
const JOB_USER: &str = "job";

/// The token of a request, which must be of this kind.
pub(super) fn token(headers: &HeaderMap, kind: TokenKind) -> Result<Token> {
    let value = headers.get(header::AUTHORIZATION).ok_or(Error::Unauthenticated(missing(kind)))?;
    let value = value.to_str().map_err(|_| Error::Unauthenticated("the authorization header is no text"))?;
    let text = match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim().to_owned(),
        Some((scheme, pair)) if scheme.eq_ignore_ascii_case("basic") => basic(pair)?,
        Some(_) | None => {
            return Err(Error::Unauthenticated("the authorization header must be `Bearer TOKEN`"));
        }
    };
    match TokenKind::of(&text) {
        Some(found) if found == kind => Ok(Token::from_text(&text)),
        Some(_) | None => Err(Error::Unauthenticated(wrong(kind))),
    }
}

fn basic(pair: &str) -> Result<String> {
    let pair = STANDARD.decode(pair.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = pair.ok_or(Error::Unauthenticated("the basic authentication can't be read"))?;
    match pair.split_once(':') {
        Some((JOB_USER, password)) => Ok(password.to_owned()),
        Some(_) | None => Err(Error::Unauthenticated("basic authentication takes the user `job` alone")),
    }
}

const fn missing(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Api => "this needs an API token: `Authorization: Bearer ala_…`",
        TokenKind::Runner => "this needs a Runner's token: `Authorization: Bearer alr_…`",
        TokenKind::Job => "this needs the token of an attempt at a job",
    }
}

const fn wrong(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Api => "the token is no API token; those begin with ala_",
        TokenKind::Runner => "the token is no Runner's token; those begin with alr_",
        TokenKind::Job => "the token is no job token; those begin with alj_",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(authorization: &str) -> HeaderMap {
        [(header::AUTHORIZATION, authorization.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn a_job_token_comes_by_bearer_or_by_basic() {
        let basic = format!("Basic {}", STANDARD.encode("job:alj_abc"));
        for authorization in ["Bearer alj_abc", "bearer  alj_abc", &basic] {
            assert_eq!(token(&headers(authorization), TokenKind::Job).unwrap().reveal(), "alj_abc");
        }
    }

    #[test]
    fn a_token_of_another_kind_is_refused() {
        for authorization in ["Bearer alr_abc", "Bearer x", "alj_abc", "Digest alj_abc", "Basic !!"] {
            let refused = token(&headers(authorization), TokenKind::Job);
            assert!(matches!(refused, Err(Error::Unauthenticated(_))), "{authorization}");
        }
        assert!(token(&HeaderMap::new(), TokenKind::Api).is_err());
    }
}
