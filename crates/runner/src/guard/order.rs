//! What a Runner tells a guard: one order a line.

use std::{fmt, time::Duration};

use rustix::{
    process::Pid,
    time::{ClockId, clock_gettime},
};

use super::front::Backend;

/// A time in milliseconds of a clock that all processes of this machine read alike. It never goes back, whoever sets the
/// date, and goes on while the machine sleeps, where there is such a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

/// Until when Terraform may run unless another word comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// When it is interrupted.
    pub interrupt_at: Moment,
    /// When it is killed.
    pub kill_at: Moment,
}

/// What the guard is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Open the front of this state, behind the door that comes with the order.
    Serve(Backend),
    /// This process is Terraform.
    Watch(Pid),
    /// The lease was renewed.
    Until(Limits),
    /// Interrupt it, unless that was done before.
    Interrupt,
    /// Interrupt it once more.
    Insist,
}

#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

impl Moment {
    pub(crate) fn now() -> Self {
        let time = clock_gettime(CLOCK);
        Self(time.tv_sec.cast_unsigned() * 1000 + time.tv_nsec.cast_unsigned() / 1_000_000)
    }

    /// How many milliseconds lie between an earlier moment and this one; 0 when that one is later.
    pub(super) fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl std::ops::Add<Duration> for Moment {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl Order {
    /// Reads one line.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?;
        if let Some(backend) = line.strip_prefix("serve ") {
            return serde_json::from_str(backend).ok().map(Self::Serve);
        }
        let mut words = line.split_whitespace();
        let order = match words.next()? {
            "watch" => Self::Watch(Pid::from_raw(words.next()?.parse().ok()?)?),
            "until" => Self::Until(Limits {
                interrupt_at: Moment(words.next()?.parse().ok()?),
                kill_at: Moment(words.next()?.parse().ok()?),
            }),
            "interrupt" => Self::Interrupt,
            "insist" => Self::Insist,
            _ => return None,
        };
        words.next().is_none().then_some(order)
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serve(backend) => {
                writeln!(f, "serve {}", serde_json::to_string(backend).map_err(|_| fmt::Error)?)
            }
            Self::Watch(program) => writeln!(f, "watch {}", program.as_raw_nonzero()),
            Self::Until(limits) => writeln!(f, "until {} {}", limits.interrupt_at.0, limits.kill_at.0),
            Self::Interrupt => writeln!(f, "interrupt"),
            Self::Insist => writeln!(f, "insist"),
        }
    }
}

#[cfg(test)]
mod tests {
    use alethia_domain::lifecycle::JobType;

    use super::*;
    use crate::test_console::claim_of;

    #[test]
    fn every_order_is_read_as_it_was_written() {
        let limits = Limits { interrupt_at: Moment(8000), kill_at: Moment(9500) };
        let program = Pid::from_raw(42).unwrap();
        let serve = Order::Serve(Backend::of(&claim_of(JobType::Deploy), "https://console"));
        for order in [serve, Order::Watch(program), Order::Until(limits), Order::Interrupt, Order::Insist] {
            assert_eq!(Order::parse(order.to_string().as_bytes()), Some(order));
        }
        for nonsense in ["", "serve", "serve {}", "watch", "watch 0", "until 1", "interrupt now", "\u{fffd}"]
        {
            assert_eq!(Order::parse(nonsense.as_bytes()), None, "{nonsense}");
        }
    }
}
