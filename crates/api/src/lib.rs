//! The wire contract: what travels between the Console, its clients and its Runners, and the one typed client.
//!
//! Every type is the body of a request or a response under `/api/v1`. No logic but the client's lives here.

pub mod client;
pub mod events;
pub mod identities;
pub mod jobs;
pub mod logs;
pub mod page;
pub mod problem;
pub mod runner;
pub mod runners;
pub mod specs;
pub mod states;
pub mod tokens;
pub mod version;
pub mod zones;

/// Version of the contract; a Runner says it at every claim.
pub const CONTRACT_VERSION: u32 = 1;

/// Header that carries the key under which a creating POST is done once.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
