//! Every carried type, with the smallest configuration that its schema allows, through its whole life.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::support::Stack;

#[test]
fn every_type_can_be_made_kept_and_destroyed() {
    let stack = Stack::new("");
    let schemas = stack.json(&["providers", "schema", "-json"]);
    let mut configuration = String::new();
    for provider in ["aws", "random"] {
        let types = &schemas["provider_schemas"][format!("registry.terraform.io/hashicorp/{provider}")]["resource_schemas"];
        for (name, schema) in types.as_object().unwrap() {
            let body = body(name, &schema["block"]);
            writeln!(configuration, "resource \"{name}\" \"one\" {{\n{body}}}\n").unwrap();
        }
    }
    stack.configure(&configuration);
    stack.apply().succeeds();
    stack.run(&["plan", "-input=false", "-detailed-exitcode"]).succeeds();
    stack.run(&["destroy", "-auto-approve", "-refresh=false"]).succeeds();
    assert_eq!(stack.cloud().list().unwrap(), []);
}

#[test]
fn the_carried_types_are_those_of_the_list() {
    let stack = Stack::new("");
    let schemas = stack.json(&["providers", "schema", "-json"]);
    let provider = &schemas["provider_schemas"]["registry.terraform.io/hashicorp/aws"];
    let list = include_str!("../../schemas/aws.types");
    for (kind, key) in [
        ("resource", "resource_schemas"),
        ("data", "data_source_schemas"),
        ("ephemeral", "ephemeral_resource_schemas"),
    ] {
        let mut listed: Vec<&str> =
            list.lines().filter_map(|line| line.strip_prefix(kind)?.strip_prefix(' ')).collect();
        listed.sort_unstable();
        let mut carried: Vec<&str> = provider[key].as_object().unwrap().keys().map(String::as_str).collect();
        carried.sort_unstable();
        assert_eq!(carried, listed);
    }
}

/// What a block must hold.
fn body(type_name: &str, block: &Value) -> String {
    let empty = Map::new();
    let mut text = String::new();
    for (name, attribute) in block["attributes"].as_object().unwrap_or(&empty) {
        if attribute["required"] == true {
            writeln!(text, "{name} = {}", sample(type_name, name, &attribute["type"])).unwrap();
        }
    }
    for (name, nested) in block["block_types"].as_object().unwrap_or(&empty) {
        if nested["min_items"].as_u64().unwrap_or(0) > 0 {
            writeln!(text, "{name} {{\n{}}}", body(type_name, &nested["block"])).unwrap();
        }
    }
    text
}

/// A value of a type that the limits of well-known attributes allow.
fn sample(type_name: &str, name: &str, kind: &Value) -> String {
    match kind.as_str() {
        Some("number") => return "1".to_owned(),
        Some("bool") => return "true".to_owned(),
        Some(_) => return format!("{:?}", sample_text(type_name, name)),
        None => {}
    }
    match kind[0].as_str().unwrap() {
        "list" | "set" => format!("[{}]", sample(type_name, name, &kind[1])),
        "map" => format!("{{ key = {} }}", sample(type_name, name, &kind[1])),
        _ => {
            let members = kind[1].as_object().unwrap().iter();
            let members: Vec<String> =
                members.map(|(name, kind)| format!("{name} = {}", sample(type_name, name, kind))).collect();
            format!("{{ {} }}", members.join(", "))
        }
    }
}

fn sample_text(type_name: &str, name: &str) -> &'static str {
    match (type_name, name) {
        ("aws_elasticache_serverless_cache", "engine") => "valkey",
        ("aws_route53_record", "type") => "A",
        (_, "engine") => "aurora-mysql",
        (_, "scope") => "REGIONAL",
        (_, "ip_address_version") => "IPV4",
        (_, "protocol") => "sqs",
        (_, "type") => "String",
        (_, "cidr_block") => "10.0.0.0/16",
        _ => "sample",
    }
}
