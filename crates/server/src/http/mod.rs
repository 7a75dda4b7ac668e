//! HTTP: one file a noun, each handler thin. Extract, one `app` call, respond.
//!
//! Every route takes the proof that its caller may use it as an extractor; the only exceptions are the health checks
//! and the documentation of the API, which tell nothing about anybody's platform.

mod audit;
mod docs;
mod extract;
mod health;
mod identities;
mod jobs;
mod keys;
mod limits;
mod logs;
mod peer;
mod problem;
mod router;
mod runner;
mod runners;
mod serve;
mod specs;
mod state_backend;
mod states;
mod stream;
mod tokens;
mod version;
mod zones;

pub(crate) use serve::serve;
