//! The Console as its clients see it: a real one on a free port of the loopback interface, with a folder of its own.
#![expect(clippy::unwrap_used, reason = "a test that can't go on says so by panicking")]

mod audit;
mod handshake;
mod hostile;
mod jobs;
mod limits;
mod main_job;
mod openapi;
mod outage;
mod reaper;
mod recover;
mod rolling;
mod routes;
mod runner_api;
mod specs;
mod state_replies;
mod states;
mod stream;
mod support;
mod terraform;
mod tokens;
mod two_consoles;
mod waiting;
mod zones;
