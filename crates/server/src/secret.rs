//! Opaque tokens: 32 random bytes behind a prefix that says what kind it is. Only their SHA-256 is kept.
//!
//! A token is looked up by its digest. How long that takes tells at most something about the digest of what was sent,
//! and a digest can't be chosen byte by byte, so no comparison of secrets leaks through time.

use std::fmt;

use alethia_domain::plan::sha256_hex;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A person or a program that uses the API.
    Api,
    /// A Runner.
    Runner,
    /// One attempt at a job.
    Job,
}

/// A token in the clear. Never printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl TokenKind {
    const ALL: [Self; 3] = [Self::Api, Self::Runner, Self::Job];

    const fn prefix(self) -> &'static str {
        match self {
            Self::Api => "ala_",
            Self::Runner => "alr_",
            Self::Job => "alj_",
        }
    }

    /// What a text claims to be.
    pub fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()))
    }
}

impl Token {
    /// A new token of this kind.
    pub fn generate(kind: TokenKind) -> Self {
        let bytes: [u8; 32] = rand::random();
        Self(format!("{}{}", kind.prefix(), URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// A token that was made before.
    pub fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The token in the clear, for its one showing.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it: SHA-256 as lowercase hexadecimal. It has 256 random bits, so no salt is needed.
    pub fn hash(&self) -> String {
        sha256_hex(self.0.as_bytes())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_its_kind_and_never_prints_itself() {
        for kind in TokenKind::ALL {
            let token = Token::generate(kind);
            assert_eq!(TokenKind::of(token.reveal()), Some(kind));
            assert_eq!(format!("{token:?}"), "Token(***)");
            assert_ne!(token, Token::generate(kind));
            assert_eq!(token.hash(), Token::from_text(token.reveal()).hash());
        }
        assert_eq!(TokenKind::of("ghp_abc"), None);
    }
}
