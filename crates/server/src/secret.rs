//! Opaque tokens: 32 random bytes behind a prefix that says what kind it is. Only their SHA-256 is kept.

use std::fmt;

use alethia_domain::plan::sha256_hex;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;

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

    /// What is kept of it.
    pub fn hash(&self) -> String {
        hash(&self.0)
    }
}

/// What is kept of a token: SHA-256 as lowercase hexadecimal. The tokens have 256 random bits, so no salt is needed.
pub fn hash(token: &str) -> String {
    sha256_hex(token.as_bytes())
}

/// Whether two hashes are equal, in a time that does not tell where they differ.
pub fn same(left: &str, right: &str) -> bool {
    left.as_bytes().ct_eq(right.as_bytes()).into()
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
            assert!(same(&token.hash(), &hash(token.reveal())));
        }
        assert_eq!(TokenKind::of("ghp_abc"), None);
    }
}
