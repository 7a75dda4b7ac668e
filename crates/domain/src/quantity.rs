//! Amounts as people write them: `4d`, `30s`, `16GiB`. One spelling in, one canonical spelling out.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A length of time in whole seconds. Written with one unit: `s`, `m`, `h` or `d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    seconds: u64,
}

/// An amount of memory, disk or data in whole KiB. Written as `KiB`, `MiB`, `GiB` or `TiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size {
    kibibytes: u64,
}

/// A text that is not an amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct QuantityError {
    text: String,
    expected: &'static str,
}

const SPAN_UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
const SIZE_UNITS: [(&str, u64); 4] = [("TiB", 1 << 30), ("GiB", 1 << 20), ("MiB", 1 << 10), ("KiB", 1)];
const SPAN_WORDS: &str = "a length of time such as 30s, 15m, 12h or 4d";
const SIZE_WORDS: &str = "an amount such as 256KiB, 512MiB, 16GiB or 1TiB";
const SPAN_PATTERN: &str = "^[0-9]{1,9}(s|m|h|d)$";
const SIZE_PATTERN: &str = "^[0-9]{1,9}(KiB|MiB|GiB|TiB)$";

impl Span {
    /// So many seconds.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self { seconds }
    }

    /// The length in seconds.
    pub const fn seconds(self) -> u64 {
        self.seconds
    }

    /// The length in whole days, rounded down.
    pub const fn days(self) -> u64 {
        self.seconds / 86_400
    }
}

impl Size {
    /// So many KiB.
    pub const fn from_kibibytes(kibibytes: u64) -> Self {
        Self { kibibytes }
    }

    /// So many MiB.
    pub const fn from_mebibytes(mebibytes: u64) -> Self {
        Self { kibibytes: mebibytes << 10 }
    }

    /// The amount in KiB.
    pub const fn kibibytes(self) -> u64 {
        self.kibibytes
    }

    /// The amount in whole MiB, rounded up.
    pub const fn mebibytes(self) -> u64 {
        self.kibibytes.div_ceil(1 << 10)
    }

    /// The amount in whole GiB, rounded up.
    pub const fn gibibytes(self) -> u64 {
        self.kibibytes.div_ceil(1 << 20)
    }
}

impl FromStr for Span {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text, &SPAN_UNITS, SPAN_WORDS).map(Self::from_seconds)
    }
}

impl FromStr for Size {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text, &SIZE_UNITS, SIZE_WORDS).map(Self::from_kibibytes)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.seconds, &SPAN_UNITS)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.kibibytes, &SIZE_UNITS)
    }
}

fn read(text: &str, units: &[(&str, u64)], expected: &'static str) -> Result<u64, QuantityError> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    units
        .iter()
        .find(|(name, _)| *name == unit)
        .filter(|_| (1..=9).contains(&digits))
        .and_then(|(_, factor)| number.parse::<u64>().ok()?.checked_mul(*factor))
        .ok_or_else(|| QuantityError { text: text.to_owned(), expected })
}

fn write(f: &mut fmt::Formatter<'_>, amount: u64, units: &[(&str, u64)]) -> fmt::Result {
    let smallest = units[units.len() - 1];
    let largest_whole = units.iter().find(|(_, factor)| amount != 0 && amount.is_multiple_of(*factor));
    let (unit, factor) = largest_whole.unwrap_or(&smallest);
    write!(f, "{}{unit}", amount / factor)
}

macro_rules! written_as_text {
    ($($name:ident, $pattern:expr, $expected:expr, $examples:expr;)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "pattern": $pattern,
                    "patternErrorMessage": $expected,
                    "examples": $examples,
                })
            }
        }
    )*};
}

written_as_text! {
    Span, SPAN_PATTERN, SPAN_WORDS, ["30s", "15m", "12h", "4d"];
    Size, SIZE_PATTERN, SIZE_WORDS, ["256KiB", "512MiB", "16GiB"];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_print_with_their_largest_whole_unit() {
        for (text, printed) in [("4d", "4d"), ("96h", "4d"), ("90s", "90s"), ("0m", "0s"), ("120m", "2h")] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), printed);
        }
        for (text, printed) in
            [("2048MiB", "2GiB"), ("256KiB", "256KiB"), ("1024KiB", "1MiB"), ("0GiB", "0KiB")]
        {
            assert_eq!(text.parse::<Size>().unwrap().to_string(), printed);
        }
    }

    #[test]
    fn what_is_not_an_amount_is_refused() {
        for text in ["", "4", "d", "4 d", "4w", "-4d", "4.5h", "9999999999d"] {
            assert!(text.parse::<Span>().is_err(), "{text:?}");
        }
    }
}
