//! The Console: use cases (`app`), HTTP (`http`), and what runs by itself (`background`).
//!
//! Who starts one: the command line, for `serve`, `up` and embedded commands, and tests. [`Server::start`] opens the
//! store, makes sure that the owner has a token, and listens. A Console never calls a Runner: Runners come and ask.
//!
//! A handler extracts, makes one `app` call and responds. A use case takes the proof that its caller may do that (a
//! type that only `auth` makes), decides by the lifecycles, and does its work in one transaction.

pub mod app;
pub mod auth;
mod background;
pub mod config;
pub mod error;
mod first_start;
mod http;
pub mod metrics;
pub mod secret;
mod server;

pub use config::{Config, Limits, owner_token_file};
pub use error::Error;
pub use first_start::FirstStartError;
pub use server::{Server, StartError};
