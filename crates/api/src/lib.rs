//! The wire contract: what travels between the Console, its clients and its Runners, and the one typed client.
//!
//! Every type is the body of a request or a response under `/api/v1`. No logic but the client's lives here.

use std::ops::RangeInclusive;

pub mod client;
pub mod events;
pub mod identities;
pub mod jobs;
pub mod keys;
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
pub const CONTRACT_VERSION: u32 = 2;

/// Versions of the contract that a Console takes from Runners: its own and the one before, so that Consoles are renewed
/// first and Runners after them, one at a time.
pub const CONTRACT_VERSIONS: RangeInclusive<u32> = CONTRACT_VERSION - 1..=CONTRACT_VERSION;

/// Header that carries the key under which a creating POST is done once.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
