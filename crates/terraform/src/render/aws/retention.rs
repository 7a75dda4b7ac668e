//! How long CloudWatch keeps a log group: it takes only certain numbers of days.

use alethia_domain::{catalog::aws::LOG_RETENTION_DAYS, quantity::Span};

/// The shortest time that CloudWatch offers and that is at least as long; its longest where none is.
pub(super) fn days(wanted: Span) -> u64 {
    let wanted = wanted.seconds().div_ceil(86_400);
    let longest = LOG_RETENTION_DAYS[LOG_RETENTION_DAYS.len() - 1];
    LOG_RETENTION_DAYS.into_iter().find(|allowed| *allowed >= wanted).unwrap_or(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_kept_at_least_as_long_as_asked() {
        for (wanted, kept) in [("0s", 1), ("1d", 1), ("25h", 3), ("30d", 30), ("31d", 60), ("99999d", 3653)] {
            assert_eq!(days(wanted.parse().unwrap()), kept, "{wanted}");
        }
    }
}
