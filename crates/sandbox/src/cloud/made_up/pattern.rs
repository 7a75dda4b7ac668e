//! What a pattern of the table can say.
//!
//! `{name}` is replaced, everything else stands for itself; a brace that no small letter follows is plain, so a pattern
//! can be JSON, and so is one after a `$`. Words: `region`, `region_code` (`euw1`), `account`, `service` and `short`
//! (of the type), `now`, `uuid`, `hex:N`, `HEX:N`, `digits:N`,
//! `ip4:PREFIX`, `certificate` (base64 of a PEM), or a path to another attribute, made up first when it is unknown.
//! `hex:N:label` is another number than `hex:N`. After a path, `|host` cuts `https://` off, `|tail` keeps what follows the
//! last `/` or `:`, `|dns` keeps what a host name may hold.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::table::text_at;
use super::{Maker, hex_text, name_of};
use crate::cloud::ACCOUNT;
use crate::value::Value;

/// How far one attribute may be made from another; more is a circle in the table.
const DEEPEST: usize = 6;

impl Maker<'_> {
    /// The text of the table for a path, if it has one.
    pub(super) fn text(&self, root: &Value, path: &str, depth: usize) -> Option<String> {
        let pattern = self.table.line(self.kind, path, root)?;
        Some(self.expand(pattern, root, path, depth))
    }

    pub(super) fn expand(&self, pattern: &str, root: &Value, path: &str, depth: usize) -> String {
        let mut text = String::new();
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let word = after.split_once('}').filter(|(word, _)| is_word(word) && !before.ends_with('$'));
            rest = match word {
                Some((word, after)) => {
                    text.push_str(&self.word(word, root, path, depth));
                    after
                }
                None => {
                    text.push('{');
                    after
                }
            };
        }
        text + rest
    }

    fn word(&self, word: &str, root: &Value, path: &str, depth: usize) -> String {
        let mut parts = word.splitn(3, ':');
        let (head, argument) = (parts.next().unwrap_or_default(), parts.next());
        let hash = self.hash(parts.next().unwrap_or_default());
        let length = argument.and_then(|argument| argument.parse().ok()).unwrap_or(8);
        match head {
            "region" => self.region.to_owned(),
            "region_code" => region_code(self.region),
            "account" => ACCOUNT.to_owned(),
            "service" => self.short().split('_').next().unwrap_or_default().to_owned(),
            "short" => self.short().replace('_', "-"),
            "now" => self.now(),
            "uuid" => uuid(&hex_text(&self.hash(path), 32)),
            "hex" => hex_text(&hash, length),
            "HEX" => hex_text(&hash, length).to_uppercase(),
            "digits" => hash.iter().cycle().take(length).map(|byte| char::from(b'0' + byte % 10)).collect(),
            "ip4" => address(argument.unwrap_or("10"), &self.hash(path)),
            "certificate" => certificate(self.region),
            _ => self.other(word, root, depth),
        }
    }

    /// The type without its provider.
    fn short(&self) -> &str {
        self.kind.split_once("aws_").map_or(self.kind, |(_, short)| short)
    }

    /// The value of another attribute.
    fn other(&self, word: &str, root: &Value, depth: usize) -> String {
        let (path, filter) = word.split_once('|').unwrap_or((word, ""));
        let known = text_at(root, path).filter(|text| !text.is_empty());
        let made = || if depth < DEEPEST { self.text(root, path, depth + 1) } else { None };
        let named = || if path == "name" { name_of(root) } else { String::new() };
        let text = known.or_else(made).unwrap_or_else(named);
        match filter {
            "host" => text.trim_start_matches("https://").to_owned(),
            "tail" => text.rsplit(['/', ':']).next().unwrap_or_default().to_owned(),
            "dns" => text.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect(),
            _ => text,
        }
    }
}

fn is_word(word: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:|".contains(&byte);
    word.starts_with(|letter: char| letter.is_ascii_alphabetic()) && word.bytes().all(is_allowed)
}

fn uuid(hex: &str) -> String {
    format!("{}-{}-4{}-a{}-{}", &hex[0..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

/// An IPv4 address that begins with `prefix`.
fn address(prefix: &str, hash: &[u8; 32]) -> String {
    let given = prefix.split('.').map(str::to_owned);
    given.chain(hash.iter().map(|byte| (byte % 250 + 2).to_string())).take(4).collect::<Vec<_>>().join(".")
}

/// `eu-west-1` as `euw1`, the way zone ids and bills write it.
fn region_code(region: &str) -> String {
    let mut parts = region.split('-');
    let area = parts.next().unwrap_or_default().to_owned();
    area + &parts
        .map(|part| match part {
            "northeast" => "ne",
            "northwest" => "nw",
            "southeast" => "se",
            "southwest" => "sw",
            part => part.get(..1).unwrap_or_default(),
        })
        .collect::<String>()
}

/// A certificate authority of its own, as base64 of its PEM.
fn certificate(common_name: &str) -> String {
    let mut parameters = rcgen::CertificateParams::default();
    parameters.distinguished_name.push(rcgen::DnType::CommonName, format!("sandbox {common_name}"));
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().expect("the default key algorithm is supported");
    let certificate = parameters.self_signed(&key).expect("a certificate with a common name can be signed");
    STANDARD.encode(certificate.pem())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::cloud::made_up::Table;

    fn expand(pattern: &str, root: &Value) -> String {
        let table = Table::parse("aws_sqs_queue.arn = arn:aws:sqs:{region}:{account}:{name}\n");
        let maker = Maker {
            table: &table,
            kind: "aws_sqs_queue",
            region: "ap-southeast-2",
            seed: "s",
            now: DateTime::UNIX_EPOCH,
        };
        maker.expand(pattern, root, "x", 0)
    }

    #[test]
    fn words_paths_and_filters_are_replaced() {
        let root = Value::Map(
            [
                ("name".to_owned(), Value::string("orders")),
                ("url".to_owned(), Value::string("https://oidc/id/A1")),
            ]
            .into(),
        );
        assert_eq!(expand("{arn}", &root), "arn:aws:sqs:ap-southeast-2:123456789012:orders");
        assert_eq!(expand("{url|host} {url|tail}", &root), "oidc/id/A1 A1");
        assert_eq!(expand("{region_code}-az1", &root), "apse2-az1");
        assert_eq!(expand(r#"[{"a":"{name}"}]"#, &root), r#"[{"a":"orders"}]"#);
        assert_eq!(expand("{hex:6}", &root).len(), 6);
        assert_ne!(expand("{hex:6:a}", &root), expand("{hex:6:b}", &root));
        assert!(expand("{ip4:203.0.113}", &root).starts_with("203.0.113."));
    }
}
