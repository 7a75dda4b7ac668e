//! How long CloudWatch keeps a log group: it takes only certain numbers of days.

use alethia_domain::quantity::Span;

const ALLOWED_DAYS: [u64; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// The shortest time that CloudWatch offers and that is at least as long; its longest where none is.
pub(super) fn days(wanted: Span) -> u64 {
    let wanted = wanted.seconds().div_ceil(86_400);
    let longest = ALLOWED_DAYS[ALLOWED_DAYS.len() - 1];
    ALLOWED_DAYS.into_iter().find(|allowed| *allowed >= wanted).unwrap_or(longest)
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
