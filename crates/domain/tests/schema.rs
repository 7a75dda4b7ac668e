//! The JSON Schema says everything an editor needs, and the table of defaults fits it.

use alethia_domain::{catalog::aws, spec, stage::Stage};
use serde_json::{Value, json};

/// Calls back for every field of every object in the schema.
fn walk(path: &str, schema: &Value, visit: &mut impl FnMut(&str, &Value)) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        visit(&path, field);
        walk(&path, field, visit);
    }
    for inner in ["items", "additionalProperties"] {
        if schema[inner].is_object() {
            walk(&format!("{path}[]"), &schema[inner], visit);
        }
    }
}

#[test]
fn every_field_has_a_description() {
    let mut count = 0;
    walk("", spec::json_schema(), &mut |path, field| {
        count += 1;
        assert!(field["description"].as_str().is_some_and(|text| text.len() > 3), "{path}");
    });
    assert!(count > 150, "{count}");
}

#[test]
fn every_pattern_has_words_and_every_object_is_closed() {
    walk("", spec::json_schema(), &mut |path, field| {
        for schema in [field, &field["items"]] {
            assert!(schema["pattern"].is_null() || schema["patternErrorMessage"].is_string(), "{path}");
            let is_open = schema["properties"].is_object() && schema["additionalProperties"] != json!(false);
            assert!(!is_open, "{path}");
            for left in ["oneOf", "anyOf", "$ref"] {
                assert!(schema[left].is_null(), "{path} has {left}");
            }
        }
    });
    assert_eq!(spec::json_schema()["additionalProperties"], json!(false));
}

#[test]
fn only_what_has_no_default_is_required() {
    let mut required = Vec::new();
    let schema = spec::json_schema();
    let mut note = |path: &str, schema: &Value| {
        for name in schema["required"].as_array().into_iter().flatten() {
            required.push(format!("{path}.{}", name.as_str().unwrap()));
        }
    };
    note("", schema);
    walk("", schema, &mut |path, field| {
        note(path, field);
        note(&format!("{path}[]"), &field["items"]);
    });
    insta::assert_snapshot!(required.join("\n"));
}

/// One of each kind, with nothing but what is required.
fn bare(stage: Stage, region: &str) -> Value {
    json!({
        "apiVersion": "alethia/v1", "kind": "Spec", "name": "bare", "stage": stage,
        "cloud": { "provider": "aws", "region": region, "identity": "sandbox" },
        "network": {},
        "cluster": {},
        "dns": { "domain": "example.com" },
        "repositories": { "applications": { "url": "https://example.com/a.git" }, "platform": { "url": "git@example.com:b.git" } },
        "databases": [{ "name": "order" }, { "name": "my-app", "engine": "mysql" }],
        "caches": [{ "name": "a" }, { "name": "b", "engine": "redis" }],
        "queues": [{ "name": "a" }, { "name": "b", "ordered": true, "dead_letter": {} }],
        "topics": [{ "name": "a" }],
        "nosql_tables": [
            { "name": "a", "partition_key": { "name": "id" } },
            { "name": "b", "partition_key": { "name": "id" }, "sort_key": { "name": "at" }, "provisioned": {},
              "indexes": [{ "name": "all", "partition_key": { "name": "at" }, "sort_key": { "name": "id" } }] },
        ],
        "container_registries": [{ "name": "a" }],
        "secrets": [{ "name": "a" }, { "name": "b", "generate": {} }],
    })
}

#[test]
fn defaults_satisfy_the_rules_at_every_stage_in_every_region() {
    for stage in Stage::ALL {
        for region in aws::regions() {
            let document = spec::resolve(&bare(stage, region.code));
            let document =
                document.unwrap_or_else(|problems| panic!("{stage} {}: {problems:#?}", region.code));
            assert_eq!(document.components().len(), 4 + 12);
        }
    }
}

#[test]
fn defaults_of_each_stage() {
    for stage in Stage::ALL {
        let document = spec::resolve(&bare(stage, "eu-west-1")).unwrap();
        insta::assert_snapshot!(format!("defaults-of-{stage}"), spec::print(&document));
    }
}

#[test]
fn reserved_words_are_avoided_in_names_that_are_made() {
    let document = spec::resolve(&bare(Stage::Development, "eu-west-1")).unwrap();
    assert_eq!(document.databases[0].database_name, "order_db");
    assert_eq!(document.databases[1].database_name, "my_app");
}

#[test]
fn a_bound_that_is_written_moves_the_defaults_beside_it() {
    let mut written = bare(Stage::Production, "eu-west-1");
    written["databases"] = json!([
        { "name": "large", "capacity": { "min": 32 } },
        { "name": "small", "capacity": { "max": 1 } },
    ]);
    written["cluster"] = json!({ "node_groups": [
        { "name": "a", "nodes": { "max": 2 } },
        { "name": "b", "nodes": { "min": 10 } },
        { "name": "c", "nodes": { "desired": 8 } },
    ] });
    written["caches"] = json!([{ "name": "one", "nodes": 1 }]);
    let document = spec::resolve(&written).unwrap();
    assert_eq!(document.databases[0].capacity.max, 32.0);
    assert_eq!(document.databases[1].capacity.min, 1.0);
    let cluster = document.cluster.unwrap();
    let nodes: Vec<_> = cluster.node_groups.iter().map(|group| &group.nodes).collect();
    let counts: Vec<_> = nodes.iter().map(|nodes| (nodes.min, nodes.desired, nodes.max)).collect();
    assert_eq!(counts, [(2, 2, 2), (10, 10, 10), (3, 8, 8)]);
    assert!(!document.caches[0].multi_zone);
}

#[test]
fn a_singleton_that_is_turned_off_needs_nothing_else() {
    let mut written = bare(Stage::Production, "eu-west-1");
    for section in ["dns", "repositories", "cluster"] {
        written[section] = json!({ "enabled": false });
    }
    let document = spec::resolve(&written).unwrap();
    assert!(document.dns.is_none() && document.cluster.is_none());
    assert_eq!(document.components().iter().filter(|component| component.kind.is_singleton()).count(), 1);
}

#[test]
fn editors_are_told_the_defaults() {
    let network = &spec::json_schema()["properties"]["network"]["properties"];
    assert_eq!(network["cidr"]["default"], "10.0.0.0/16");
    assert_eq!(
        network["nat"]["markdownDescription"],
        "How private subnets reach the internet. Default: single (development), single (staging), per_zone (production)."
    );
    let port = &spec::json_schema()["properties"]["databases"]["items"]["properties"]["port"];
    let told = "Port it listens on. Default for engine postgresql: 5432. Default for engine mysql: 3306.";
    assert_eq!(port["markdownDescription"], told);
}
