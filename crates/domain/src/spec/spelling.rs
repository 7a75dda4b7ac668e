//! How YAML and JSON spell single values: numbers, words with a meaning, and characters beyond the first 65536.

use std::borrow::Cow;

use saphyr_parser::ScalarStyle;
use serde_json::{Number, Value};

/// JSON writes a character beyond the first 65536 as two escapes, which YAML does not know; it becomes the character.
pub(super) fn join_surrogates(text: &str) -> Cow<'_, str> {
    if !text.trim_start().starts_with('{') {
        return Cow::Borrowed(text);
    }
    let mut joined = String::new();
    let mut rest = text;
    while let Some((start, character)) = first_pair(rest) {
        joined.push_str(&rest[..start]);
        joined.push(character);
        rest = &rest[start + SURROGATE_PAIR..];
    }
    if joined.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(joined + rest) }
}

/// Bytes of `\ud83d\ude00`.
const SURROGATE_PAIR: usize = 12;

fn first_pair(text: &str) -> Option<(usize, char)> {
    let mut is_escaped = false;
    for (start, byte) in text.bytes().enumerate() {
        let is_escape = byte == b'\\' && !is_escaped;
        if let Some(character) = text.get(start..start + SURROGATE_PAIR).filter(|_| is_escape).and_then(pair)
        {
            return Some((start, character));
        }
        is_escaped = is_escape;
    }
    None
}

fn pair(text: &str) -> Option<char> {
    let unit = |text: &str| u16::from_str_radix(text.strip_prefix("\\u")?, 16).ok();
    let units = [unit(text.get(..6)?)?, unit(text.get(6..)?)?];
    let is_pair = (0xd800..0xdc00).contains(&units[0]) && (0xdc00..0xe000).contains(&units[1]);
    char::decode_utf16(units).next().filter(|_| is_pair)?.ok()
}

/// The value of a scalar by the core schema of YAML 1.2.
pub(super) fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::String(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let begins = unsigned.strip_prefix('.').unwrap_or(unsigned).starts_with(|c: char| c.is_ascii_digit());
    let allowed = unsigned.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    if let Some(digits) = text.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16)
            .ok()
            .filter(|_| !digits.starts_with(['+', '-']))
            .map(Number::from);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return i64::from_str_radix(digits, 8)
            .ok()
            .filter(|_| !digits.starts_with(['+', '-']))
            .map(Number::from);
    }
    if !begins || !allowed {
        return None;
    }
    let signed = text.strip_prefix('+').unwrap_or(text);
    signed
        .parse::<i64>()
        .map_or_else(|_| signed.parse().ok().and_then(Number::from_f64), |whole| Some(whole.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_core_schema_names_is_more_than_text() {
        let plain = |text| scalar(text, ScalarStyle::Plain);
        for text in [
            "no",
            "yes",
            "on",
            "1_000",
            "1.2.3",
            "0x",
            "0x-1",
            "-",
            ".",
            "+",
            "1e",
            ".inf",
            ".nan",
            "10.0.0.0/16",
            "4d",
        ] {
            assert_eq!(plain(text), Value::from(text));
        }
        assert_eq!(plain("0x1F"), Value::from(31));
        assert_eq!(plain("+5"), Value::from(5));
        assert_eq!(plain("-.5"), Value::from(-0.5));
        assert_eq!(plain("1e3"), Value::from(1000.0));
        assert_eq!(plain("~"), Value::Null);
        assert_eq!(scalar("5", ScalarStyle::SingleQuoted), Value::from("5"));
    }
}
