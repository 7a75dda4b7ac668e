//! Limits of attribute values, kept by hand in `schemas/*.checks`.
//!
//! A line is `TYPE.ATTRIBUTE CHECK ARGUMENT...`: `range MIN MAX` of a number, `length MIN MAX` and `chars CLASSES` of a
//! text, `one-of VALUE...`, `cidr SHORTEST LONGEST` of a network. A value that is null or unknown passes.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use crate::value::{Number, Value};
use crate::wire::{Diagnostic, Selector};

#[derive(Debug, Default)]
pub(super) struct Checks {
    by_type: HashMap<&'static str, Vec<(&'static str, Check)>>,
}

#[derive(Debug)]
enum Check {
    Range(f64, f64),
    Length(usize, usize),
    Chars(&'static str),
    OneOf(Vec<&'static str>),
    Cidr(u8, u8),
}

impl Checks {
    /// Reads an embedded table. A line that is not understood is a broken build.
    pub(super) fn parse(text: &'static str) -> Self {
        let mut checks = Self::default();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let parsed = parse_line(line).unwrap_or_else(|| panic!("{line:?} is no line of checks"));
            checks.by_type.entry(parsed.0).or_default().push((parsed.1, parsed.2));
        }
        checks
    }

    /// A diagnostic for each limit that the configuration breaks.
    pub(super) fn broken(&self, type_name: &str, config: &Value) -> Vec<Diagnostic> {
        let checks = self.by_type.get(type_name).into_iter().flatten();
        let broken = checks.filter_map(|(attribute, check)| {
            let (given, wanted) = check.broken(config.get(attribute))?;
            let detail = format!("expected {attribute} to be {wanted}, got {given}");
            let path = [Selector::Attribute((*attribute).to_owned())];
            Some(Diagnostic::error(format!("invalid value for {attribute}"), detail).at(&path))
        });
        broken.collect()
    }
}

impl Check {
    /// What was given and what is wanted, when the value breaks the limit.
    fn broken(&self, value: &Value) -> Option<(String, String)> {
        match (self, value) {
            (Self::Range(min, max), Value::Number(number)) => {
                let number = float(number)?;
                (number < *min || number > *max)
                    .then(|| (number.to_string(), format!("in the range {min} to {max}")))
            }
            (Self::Length(min, max), Value::String(text)) => {
                let length = text.chars().count();
                (length < *min || length > *max)
                    .then(|| (format!("{text:?}"), format!("{min} to {max} characters long")))
            }
            (Self::Chars(classes), Value::String(text)) => {
                let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || classes.contains(letter);
                (!text.chars().all(is_allowed))
                    .then(|| (format!("{text:?}"), format!("made of letters, digits and {classes}")))
            }
            (Self::OneOf(values), Value::String(text)) => (!values.contains(&text.as_str()))
                .then(|| (format!("{text:?}"), format!("one of {values:?}"))),
            (Self::Cidr(shortest, longest), Value::String(text)) => (!is_network(text, *shortest, *longest))
                .then(|| (format!("{text:?}"), format!("an IPv4 network of /{shortest} to /{longest}"))),
            (Self::Range(..) | Self::Length(..) | Self::Chars(_) | Self::OneOf(_) | Self::Cidr(..), _) => {
                None
            }
        }
    }
}

fn parse_line(line: &'static str) -> Option<(&'static str, &'static str, Check)> {
    let mut words = line.split_ascii_whitespace();
    let (type_name, attribute) = words.next()?.split_once('.')?;
    let name = words.next()?;
    let arguments: Vec<&str> = words.collect();
    let check = match (name, arguments.as_slice()) {
        ("range", [min, max]) => Check::Range(min.parse().ok()?, max.parse().ok()?),
        ("length", [min, max]) => Check::Length(min.parse().ok()?, max.parse().ok()?),
        ("chars", [classes]) => Check::Chars(classes),
        ("cidr", [shortest, longest]) => Check::Cidr(shortest.parse().ok()?, longest.parse().ok()?),
        ("one-of", [_, ..]) => Check::OneOf(arguments),
        _ => return None,
    };
    Some((type_name, attribute, check))
}

fn float(number: &Number) -> Option<f64> {
    match number {
        Number::Integer(number) => Some(*number as f64),
        Number::Float(number) => Some(*number),
        Number::Text(text) => text.parse().ok(),
    }
}

/// Whether `text` is a network whose host bits are zero and whose prefix is in the range.
fn is_network(text: &str, shortest: u8, longest: u8) -> bool {
    let Some((address, prefix)) = text.split_once('/') else { return false };
    let (Ok(address), Ok(prefix)) = (address.parse::<Ipv4Addr>(), prefix.parse::<u8>()) else { return false };
    let hosts = u32::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
    (shortest..=longest).contains(&prefix) && u32::from(address) & hosts == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(line: &'static str, value: Value) -> bool {
        let config = Value::Map([("a".to_owned(), value)].into());
        !Checks::parse(line).broken("t_t", &config).is_empty()
    }

    #[test]
    fn each_check_passes_what_it_should_and_nothing_else() {
        assert!(!broken("t_t.a range 0 10", Value::integer(10)));
        assert!(broken("t_t.a range 0 10", Value::integer(11)));
        assert!(!broken("t_t.a length 1 3", Value::string("abc")));
        assert!(broken("t_t.a length 1 3", Value::string("abcd")));
        assert!(!broken("t_t.a chars -_", Value::string("a-B_9")));
        assert!(broken("t_t.a chars -_", Value::string("a b")));
        assert!(broken("t_t.a one-of X Y", Value::string("Z")));
        assert!(!broken("t_t.a cidr 16 28", Value::string("10.0.0.0/16")));
        assert!(broken("t_t.a cidr 16 28", Value::string("10.0.0.0/8")));
        assert!(broken("t_t.a cidr 16 28", Value::string("10.0.0.1/24")));
        assert!(!broken("t_t.a range 0 10", Value::Unknown));
    }
}
