//! How often an address came without a valid token. Too often, and it is told to come later: who tries out tokens is
//! slowed down, and one wrongly set up program does not flood the log.
//!
//! Only failures count, and only they are answered differently: a valid token is good from any address, so that one
//! bad Runner never takes the others behind the same address with it. What is known is bounded: where there are too many
//! addresses, all share one count.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// After this time an address has all its failures again.
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses that are known apart.
const ADDRESSES: usize = 4096;

/// Failures by address.
#[derive(Default)]
pub(crate) struct Failures(Mutex<HashMap<Option<IpAddr>, Count>>);

#[derive(Clone, Copy)]
struct Count {
    since: Instant,
    failures: u32,
}

impl Failures {
    /// Counts a failure of an address; tells how long it is to wait when there were more than `most` in a minute.
    pub(crate) fn count(&self, address: Option<IpAddr>, most: u32, now: Instant) -> Option<Duration> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= ADDRESSES {
            known.retain(|_, count| now < count.since + WINDOW);
        }
        let room = known.len() < ADDRESSES || known.contains_key(&address);
        let fresh = Count { since: now, failures: 0 };
        let count = known.entry(address.filter(|_| room)).or_insert(fresh);
        if now >= count.since + WINDOW {
            *count = fresh;
        }
        count.failures = count.failures.saturating_add(1);
        (count.failures > most).then(|| (count.since + WINDOW).saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const MOST: u32 = 30;

    fn address(number: u32) -> Option<IpAddr> {
        Some(Ipv4Addr::from(number).into())
    }

    #[test]
    fn an_address_is_told_to_wait_until_its_window_ends() {
        let (failures, now) = (Failures::default(), Instant::now());
        for _ in 0..MOST {
            assert_eq!(failures.count(address(1), MOST, now), None);
        }
        assert_eq!(failures.count(address(1), MOST, now), Some(WINDOW));
        assert_eq!(failures.count(address(2), MOST, now), None, "another one has a count of its own");
        assert_eq!(failures.count(address(1), MOST, now + WINDOW), None);
    }

    #[test]
    fn what_is_known_is_bounded() {
        let (failures, now) = (Failures::default(), Instant::now());
        for number in 0..2 * u32::try_from(ADDRESSES).unwrap() {
            failures.count(address(number), MOST, now);
        }
        assert!(failures.0.lock().unwrap().len() <= ADDRESSES + 1);
        assert!(failures.count(address(u32::MAX), MOST, now).is_some(), "they share one count");
    }
}
