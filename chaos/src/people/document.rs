//! Documents: small, so that an apply takes seconds, and each unlike the one before.

use rand::{RngExt, rngs::StdRng};
use serde_json::{Value, json};

/// Zones that people work in.
pub(crate) const ZONES: [&str; 2] = ["default", "harbour"];

/// The name of somebody's Spec. It is in the name of each of its resources.
pub(crate) fn spec_name(number: usize) -> String {
    format!("spec{number}x")
}

/// A document with one to four components.
pub(crate) fn document(dice: &mut StdRng, zone: &str, name: &str) -> Value {
    let queues = some(dice, &["a", "b", "c"])
        .into_iter()
        .map(|name| json!({ "name": name, "visibility_timeout": format!("{}s", dice.random_range(30..40)) }));
    let queues: Vec<Value> = queues.collect();
    let topics: Vec<Value> = some(dice, &["t"]).into_iter().map(|name| json!({ "name": name })).collect();
    let secrets: Vec<Value> =
        some(dice, &["s"]).into_iter().map(|name| json!({ "name": name, "generate": {} })).collect();
    let queues = if queues.is_empty() { vec![json!({ "name": "a" })] } else { queues };
    json!({
        "apiVersion": "alethia/v1",
        "kind": "Spec",
        "zone": zone,
        "name": name,
        "stage": "development",
        "cloud": { "provider": "aws", "region": "eu-west-1", "identity": "sandbox" },
        "queues": queues,
        "topics": topics,
        "secrets": secrets,
    })
}

fn some<'a>(dice: &mut StdRng, of: &[&'a str]) -> Vec<&'a str> {
    of.iter().copied().filter(|_| dice.random()).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn every_document_is_valid() {
        let mut dice = StdRng::seed_from_u64(1);
        for _ in 0..50 {
            let text = document(&mut dice, "harbour", &spec_name(3)).to_string();
            let read = alethia_domain::spec::parse("it", &text);
            assert!(read.is_ok(), "{text}: {:?}", read.err());
        }
    }
}
