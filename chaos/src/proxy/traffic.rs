//! How often what happened to a request.

use std::{fmt, ops::Add};

use super::weather::Fate;

/// How often what happened to a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    passed: usize,
    lost: usize,
    unanswered: usize,
    torn: usize,
    delayed: usize,
    doubled: usize,
    echoed: usize,
}

impl Traffic {
    pub(super) fn count(&mut self, fate: Fate) {
        let count = match fate {
            Fate::Pass => &mut self.passed,
            Fate::Lose => &mut self.lost,
            Fate::Unanswered => &mut self.unanswered,
            Fate::Tear => &mut self.torn,
            Fate::Delay(_) => &mut self.delayed,
            Fate::Double { .. } => &mut self.doubled,
            Fate::Echo(_) => &mut self.echoed,
        };
        *count += 1;
    }
}

impl Add for Traffic {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            lost: self.lost + other.lost,
            unanswered: self.unanswered + other.unanswered,
            torn: self.torn + other.torn,
            delayed: self.delayed + other.delayed,
            doubled: self.doubled + other.doubled,
            echoed: self.echoed + other.echoed,
        }
    }
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, lost, unanswered, torn, delayed, doubled, echoed } = self;
        write!(
            f,
            "{passed} requests passed, {lost} were lost, {unanswered} got no answer and {torn} a torn one, "
        )?;
        write!(f, "{delayed} were late, {doubled} came twice, {echoed} again later")
    }
}
