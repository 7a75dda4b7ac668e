//! How many tests passed, failed and were skipped, read from what the test runners print.
//!
//! The closing line of `cargo xtask test` is the sum of these and of the task's own steps. A runner that prints
//! no summary has not run its tests: the caller counts that as a failure, never as nothing.

use std::fmt;
use std::ops::AddAssign;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    pub(crate) const PASSED: Self = Self { passed: 1, failed: 0, skipped: 0 };
    pub(crate) const FAILED: Self = Self { passed: 0, failed: 1, skipped: 0 };
    pub(crate) const SKIPPED: Self = Self { passed: 0, failed: 0, skipped: 1 };
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// The sum of all summaries in the output of `cargo nextest run` or `cargo test`; `None` when there is none.
pub(crate) fn read(output: &str) -> Option<Counts> {
    let mut total = None;
    for line in output.lines() {
        if let Some(counts) = summary(&plain(line)) {
            *total.get_or_insert_default() += counts;
        }
    }
    total
}

/// `     Summary [   1.2s] 3/9 tests run: 2 passed (1 slow), 1 timed out, 4 skipped`, or
/// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s`.
fn summary(line: &str) -> Option<Counts> {
    let line = line.trim();
    let parts = match line.strip_prefix("Summary [") {
        Some(rest) => rest.split_once("run:")?.1,
        None => line.strip_prefix("test result:")?.split_once(". ")?.1,
    };
    let mut counts = Counts::default();
    for part in parts.split([',', ';']) {
        let mut words = part.split_whitespace();
        let Some(number) = words.next().and_then(|word| word.parse::<u64>().ok()) else { continue };
        match words.next() {
            Some("passed") => counts.passed += number,
            Some("skipped" | "ignored" | "filtered") => counts.skipped += number,
            Some("failed" | "timed" | "exec") => counts.failed += number,
            _ => {}
        }
    }
    Some(counts)
}

/// The line without the escapes that colour it.
fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            characters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_nextest_prints_at_its_end() {
        let line = "     Summary [   1.204s] 9/13 tests run: 6 passed (1 slow, 2 leaky), 2 failed, 1 timed out, 4 skipped";
        assert_eq!(read(line), Some(Counts { passed: 6, failed: 3, skipped: 4 }));
    }

    #[test]
    fn reads_a_coloured_summary() {
        let line = "\u{1b}[32;1m     Summary\u{1b}[0m [   0.009s] \u{1b}[1m3\u{1b}[0m tests run: \u{1b}[1m3\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m, \u{1b}[1m0\u{1b}[0m skipped";
        assert_eq!(read(line), Some(Counts { passed: 3, failed: 0, skipped: 0 }));
    }

    #[test]
    fn adds_up_the_binaries_of_cargo_test() {
        let output = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
                      noise\n\
                      test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s";
        assert_eq!(read(output), Some(Counts { passed: 4, failed: 2, skipped: 1 }));
    }

    #[test]
    fn a_runner_without_a_summary_counts_as_none() {
        assert_eq!(read("error: could not compile `alethia-store`\n"), None);
    }
}
