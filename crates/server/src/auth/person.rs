//! People and programs with an API token, and the proof that one has at least a role.

use std::ops::Deref;

use alethia_domain::role::Role;
use alethia_store::tokens;
use axum::{extract::FromRequestParts, http::request::Parts};

use super::{Actor, credential};
use crate::{
    app::App,
    error::{Error, Result},
    secret::TokenKind,
};

/// The holder of an API token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Name of the token: author of what is done with it.
    pub name: String,
    /// What it allows.
    pub role: Role,
}

impl Person {
    async fn of(parts: &Parts, app: &App) -> Result<Self> {
        let token = credential::token(&parts.headers, TokenKind::Api)?;
        let known = tokens::by_hash(&app.store, &token.hash(), app.now()).await?;
        let known = known.ok_or(Error::Unauthenticated("the API token is unknown, revoked or expired"))?;
        Actor::is(parts, &known.name);
        Ok(Self { name: known.name, role: known.role })
    }

    fn must_be(self, needed: Role) -> Result<Self> {
        if self.role >= needed {
            Ok(self)
        } else {
            Err(Error::Forbidden { name: self.name, role: self.role, needed })
        }
    }
}

impl Admin {
    /// Proof that a caller who may do less for less may also do this.
    ///
    /// # Errors
    /// When the caller is no admin.
    pub(crate) fn must_be(person: &Person) -> Result<Self> {
        person.clone().must_be(Role::Admin).map(Self)
    }
}

macro_rules! proofs {
    ($($(#[$doc:meta])* $name:ident: $role:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(Person);

        impl $name {
            /// The Console itself, or whoever runs it in the same process.
            pub fn of_the_console(name: &str) -> Self {
                Self(Person { name: name.to_owned(), role: $role })
            }
        }

        impl Deref for $name {
            type Target = Person;

            fn deref(&self) -> &Person {
                &self.0
            }
        }

        impl FromRequestParts<App> for $name {
            type Rejection = Error;

            async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
                Person::of(parts, app).await?.must_be($role).map(Self)
            }
        }
    )*};
}

proofs! {
    /// Proof that the caller may look.
    Viewer: Role::Viewer;
    /// Proof that the caller may change Specs, and create and cancel jobs.
    Operator: Role::Operator;
    /// Proof that the caller may manage Zones, Runners, Cloud Identities and states.
    Admin: Role::Admin;
    /// Proof that the caller may manage tokens.
    Owner: Role::Owner;
}
