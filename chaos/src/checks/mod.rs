//! What must be true of the history of every run, whatever happened in it.
//!
//! Each check takes the evidence and tells in one sentence each what is wrong. None asks the platform anything.

mod cloud;
mod evidence;
mod jobs;
mod lifecycles;
mod logs;
mod secrets;
mod states;
mod streams;
mod terraform;
#[cfg(test)]
mod tests;

use chrono::TimeDelta;

pub(crate) use evidence::Evidence;

/// How far the times of two transactions may be apart that were one after the other: each looks at the clock first.
pub(crate) const TOLERANCE: TimeDelta = TimeDelta::seconds(5);

/// All of them.
pub(crate) fn all(evidence: &Evidence) -> Vec<String> {
    let checks: [fn(&Evidence) -> Vec<String>; 8] = [
        jobs::check,
        lifecycles::check,
        terraform::check,
        states::check,
        cloud::check,
        logs::check,
        streams::check,
        secrets::check,
    ];
    checks.into_iter().flat_map(|check| check(evidence)).collect()
}
