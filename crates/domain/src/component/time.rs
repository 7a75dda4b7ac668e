//! Maintenance windows: times of day or week in UTC, as their patterns let them through.

const DAY: u32 = 24 * 60;

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// How long a window is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) minutes: u32,
}

/// Of `HH:MM-HH:MM`; it may pass midnight.
pub(super) fn daily(text: &str) -> Window {
    let (start, end) = text.split_once('-').unwrap_or((text, text));
    Window { minutes: (DAY + time_of_day(end) - time_of_day(start)) % DAY }
}

/// Of `ddd:HH:MM-ddd:HH:MM`; it may pass the end of the week.
pub(super) fn weekly(text: &str) -> Window {
    let (start, end) = text.split_once('-').unwrap_or((text, text));
    Window { minutes: (7 * DAY + time_of_week(end) - time_of_week(start)) % (7 * DAY) }
}

fn time_of_week(text: &str) -> u32 {
    let (day, time) = text.split_once(':').unwrap_or(("mon", text));
    let days = (0..).zip(WEEKDAYS).find(|(_, name)| *name == day).map_or(0, |(index, _)| index);
    days * DAY + time_of_day(time)
}

fn time_of_day(text: &str) -> u32 {
    let (hours, minutes) = text.split_once(':').unwrap_or((text, "0"));
    let number = |text: &str| text.parse::<u32>().unwrap_or(0);
    (number(hours) * 60 + number(minutes)) % DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_may_pass_midnight_and_the_end_of_the_week() {
        assert_eq!(daily("23:45-00:30").minutes, 45);
        assert_eq!(daily("02:00-02:10").minutes, 10);
        assert_eq!(weekly("sun:23:30-mon:00:30").minutes, 60);
        assert_eq!(weekly("tue:03:00-wed:04:00").minutes, 25 * 60);
    }
}
