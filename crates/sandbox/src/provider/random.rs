//! The resources of `random`: results from the system's randomness, kept in Terraform's state alone.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::passwords::{SPECIAL, Wish, below, password};
use crate::cloud::secrets::hex;
use crate::value::Value;

const PETS: [&str; 16] = [
    "otter", "heron", "badger", "finch", "lynx", "marten", "newt", "osprey", "pika", "quail", "robin",
    "stoat", "tapir", "urchin", "vole", "wren",
];
const TEMPERS: [&str; 16] = [
    "able", "brisk", "calm", "deft", "eager", "fair", "glad", "hardy", "ideal", "just", "keen", "lucid",
    "merry", "noble", "proud", "quiet",
];

/// Decides the results of a resource whose plan left them open.
pub(super) fn decide(type_name: &str, value: &mut Value, fill: fn(&mut [u8])) {
    match type_name {
        "random_password" | "random_string" => decide_text(value, type_name == "random_password", fill),
        "random_id" | "random_bytes" => decide_bytes(value, fill),
        "random_uuid" | "random_uuid4" | "random_uuid7" => decide_uuid(value, fill),
        "random_integer" => decide_integer(value, fill),
        "random_pet" => decide_pet(value, fill),
        "random_shuffle" => decide_shuffle(value, fill),
        _ => {}
    }
}

/// A password by the arguments of `random_password`, also of the ephemeral one.
pub(super) fn password_of(arguments: &Value, fill: fn(&mut [u8])) -> String {
    let class = |flag: &str, least: &str| {
        let wanted = arguments.get(flag).as_bool().unwrap_or(true);
        wanted.then(|| number(arguments, least, 0))
    };
    let digits = if arguments.get("numeric").as_bool().is_some() { "numeric" } else { "number" };
    let wish = Wish {
        lower: class("lower", "min_lower"),
        upper: class("upper", "min_upper"),
        digits: class(digits, "min_numeric"),
        special: class("special", "min_special"),
        special_letters: arguments
            .get("override_special")
            .as_str()
            .filter(|text| !text.is_empty())
            .unwrap_or(SPECIAL)
            .to_owned(),
        excluded: String::new(),
    };
    password(number(arguments, "length", 16), &wish.classes(), fill)
}

pub(super) fn number(value: &Value, name: &str, default: usize) -> usize {
    value.get(name).as_i64().and_then(|number| usize::try_from(number).ok()).unwrap_or(default)
}

fn decide_text(value: &mut Value, is_secret: bool, fill: fn(&mut [u8])) {
    let result = password_of(value, fill);
    let id = if is_secret { "none".to_owned() } else { result.clone() };
    decide_all(value, [("id", id), ("result", result)]);
}

fn decide_bytes(value: &mut Value, fill: fn(&mut [u8])) {
    let length = number(value, "byte_length", number(value, "length", 8));
    let mut bytes = vec![0; length];
    fill(&mut bytes);
    let prefix = value.get("prefix").as_str().unwrap_or_default().to_owned();
    let (url, standard) = (URL_SAFE_NO_PAD.encode(&bytes), STANDARD.encode(&bytes));
    decide_all(
        value,
        [
            ("id", url.clone()),
            ("b64_url", format!("{prefix}{url}")),
            ("b64_std", format!("{prefix}{standard}")),
            ("base64", standard),
            ("hex", format!("{prefix}{}", hex(&bytes))),
            ("dec", format!("{prefix}{}", decimal(&bytes))),
        ],
    );
}

fn decide_uuid(value: &mut Value, fill: fn(&mut [u8])) {
    let mut bytes = [0; 16];
    fill(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex(&bytes);
    let uuid = [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-");
    decide_all(value, [("id", uuid.clone()), ("result", uuid)]);
}

fn decide_integer(value: &mut Value, fill: fn(&mut [u8])) {
    let (min, max) = (value.get("min").as_i64().unwrap_or(0), value.get("max").as_i64().unwrap_or(0));
    let span = usize::try_from(max.saturating_sub(min).saturating_add(1)).unwrap_or(1).clamp(1, 1 << 31);
    let result = min + i64::try_from(below(span, fill)).expect("a number below 2^31 fits");
    decide_all(value, [("id", result.to_string())]);
    if value.get("result").is_unknown() {
        value.set("result", Value::integer(result));
    }
}

fn decide_pet(value: &mut Value, fill: fn(&mut [u8])) {
    let separator = value.get("separator").as_str().unwrap_or("-").to_owned();
    let length = number(value, "length", 2).max(1);
    let mut words: Vec<&str> = (1..length).map(|_| TEMPERS[below(TEMPERS.len(), fill)]).collect();
    words.push(PETS[below(PETS.len(), fill)]);
    let prefix = value.get("prefix").as_str().map(str::to_owned);
    let words: Vec<&str> = prefix.as_deref().into_iter().chain(words).collect();
    decide_all(value, [("id", words.join(&separator)), ("separator", separator)]);
}

fn decide_shuffle(value: &mut Value, fill: fn(&mut [u8])) {
    let mut items = value.get("input").items().to_vec();
    for index in (1..items.len()).rev() {
        items.swap(index, below(index + 1, fill));
    }
    items.truncate(number(value, "result_count", items.len()));
    value.set("result", Value::List(items));
}

/// Sets those of the attributes that the plan left open.
fn decide_all<const N: usize>(value: &mut Value, decisions: [(&str, String); N]) {
    for (name, text) in decisions {
        if value.get(name).is_unknown() {
            value.set(name, Value::String(text));
        }
    }
}

/// Bytes as one big number in decimal.
fn decimal(bytes: &[u8]) -> String {
    let mut digits = vec![0_u32];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += *digit * 256;
            *digit = carry % 10;
            carry /= 10;
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    }
    digits.iter().rev().map(u32::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_a_decimal_number() {
        assert_eq!(decimal(&[1, 0]), "256");
        assert_eq!(decimal(&[0]), "0");
        assert_eq!(decimal(&[255, 255, 255, 255]), "4294967295");
    }
}
