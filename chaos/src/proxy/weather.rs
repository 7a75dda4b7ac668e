//! What a gate does to requests, and for each request the dice that decide it.

use std::{fmt, time::Duration};

use rand::{Rng, RngExt, rngs::StdRng};

/// How bad it is; calm by default. Each share is of 1000 requests.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Weather {
    /// No connection at all.
    pub(crate) cut: bool,
    /// Requests that never arrive.
    pub(crate) lose: u16,
    /// Requests that arrive and whose answer is lost.
    pub(crate) unanswered: u16,
    /// Answers that end in the middle.
    pub(crate) tear: u16,
    /// Requests that arrive late.
    pub(crate) delay: u16,
    /// How late, at most.
    pub(crate) delay_by: Duration,
    /// Requests that arrive twice at once.
    pub(crate) double: u16,
    /// Requests of Runners that arrive again later.
    pub(crate) echo: u16,
    /// How much later.
    pub(crate) echo_after: Duration,
    /// Writes of a state wait as long as this.
    pub(crate) hold_states: Duration,
}

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fate {
    Pass,
    Lose,
    Unanswered,
    Tear,
    Delay(Duration),
    /// Which of the two answers counts.
    Double {
        second: bool,
    },
    Echo(Duration),
}

impl Weather {
    pub(super) fn fate(&self, dice: &mut StdRng) -> Fate {
        let fates = [
            (self.lose, Fate::Lose),
            (self.unanswered, Fate::Unanswered),
            (self.tear, Fate::Tear),
            (self.delay, Fate::Delay(self.delay_by.mul_f64(dice.random::<f64>()))),
            (self.double, Fate::Double { second: dice.random() }),
            (self.echo, Fate::Echo(self.echo_after)),
        ];
        let mut thrown = dice.next_u32() % 1000;
        for (share, fate) in fates {
            match thrown.checked_sub(share.into()) {
                Some(rest) => thrown = rest,
                None => return fate,
            }
        }
        Fate::Pass
    }
}

impl fmt::Display for Weather {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.cut {
            return f.write_str("every connection is cut");
        }
        if !self.hold_states.is_zero() {
            return write!(f, "writes of states take {:.1} s", self.hold_states.as_secs_f64());
        }
        f.write_str("of 1000 requests")?;
        let shares = [
            (self.lose, "are lost"),
            (self.unanswered, "get no answer"),
            (self.tear, "get a torn answer"),
            (self.delay, "are late"),
            (self.double, "arrive twice"),
            (self.echo, "arrive again after the lease"),
        ];
        shares
            .into_iter()
            .filter(|(share, _)| *share > 0)
            .try_for_each(|(share, what)| write!(f, " {share} {what},"))
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn calm_weather_passes_everything_and_bad_weather_its_share() {
        let mut dice = StdRng::seed_from_u64(1);
        assert!((0..100).all(|_| Weather::default().fate(&mut dice) == Fate::Pass));
        let bad = Weather { lose: 300, ..Weather::default() };
        let lost = (0..1000).filter(|_| bad.fate(&mut dice) == Fate::Lose).count();
        assert!((200..400).contains(&lost), "{lost}");
    }
}
