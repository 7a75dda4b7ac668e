//! Many measurements become few numbers: percentiles of one run, median and spread of several.

use std::time::{Duration, Instant};

/// How long each of many equal things took, in milliseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latencies(Vec<f64>);

/// Several runs in one line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Latencies {
    pub(crate) fn add(&mut self, took: Duration) {
        self.0.push(took.as_secs_f64() * 1000.0);
    }

    pub(crate) fn since(&mut self, start: Instant) {
        self.add(start.elapsed());
    }

    pub(crate) fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn p50(&self) -> f64 {
        self.percentile(50)
    }

    pub(crate) fn p99(&self) -> f64 {
        self.percentile(99)
    }

    /// The smallest measurement that is not below so many percent of all; NaN when there are none.
    fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
    }
}

impl FromIterator<Latencies> for Latencies {
    fn from_iter<T: IntoIterator<Item = Latencies>>(parts: T) -> Self {
        let mut all = Self::default();
        parts.into_iter().for_each(|part| all.append(part));
        all
    }
}

impl Spread {
    /// Of at least one run.
    pub(crate) fn of(runs: &[f64]) -> Self {
        let mut sorted = runs.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        Self { median: f64::midpoint(low, high), least: sorted[0], most: sorted[sorted.len() - 1] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measurements_that_were_made() {
        let latencies = Latencies((1..=200).rev().map(f64::from).collect());
        assert_eq!((latencies.p50(), latencies.p99()), (100.0, 198.0));
        assert_eq!(Latencies(vec![3.0]).p99(), 3.0);
        assert!(Latencies::default().p50().is_nan());
    }

    #[test]
    fn a_spread_has_its_median_in_the_middle() {
        assert_eq!(Spread::of(&[9.0, 1.0, 2.0]), Spread { median: 2.0, least: 1.0, most: 9.0 });
        assert_eq!(Spread::of(&[1.0, 2.0]).median, 1.5);
    }
}
