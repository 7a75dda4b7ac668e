//! What holds for every document: it prints as it was read, and nothing that is fed in makes the reader panic.

use alethia_domain::spec::{self, Document, Problem};
use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Map, Value, json};

const SHOP: &str = include_str!("../../../examples/shop.yaml");

/// Some of the fields of an object.
fn fields(all: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let each: Vec<_> =
        all.into_iter().map(|(name, value)| (Just(name), proptest::option::of(value))).collect();
    each.prop_map(|fields| {
        Value::Object(
            fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect(),
        )
    })
    .boxed()
}

fn one_of(values: Value) -> BoxedStrategy<Value> {
    proptest::sample::select(values.as_array().expect("choices are a list").clone()).boxed()
}

/// Up to four items, named apart.
fn list(item: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    vec(item, 0..4)
        .prop_map(|items| {
            let named = items.into_iter().enumerate().map(|(index, mut item)| {
                item["name"] = json!(format!("item-{index}"));
                item
            });
            Value::Array(named.collect())
        })
        .boxed()
}

fn capacity() -> BoxedStrategy<Value> {
    (0..20_u32, 2..40_u32)
        .prop_map(|(min, more)| json!({ "min": f64::from(min) + 0.5, "max": min + more }))
        .boxed()
}

fn database() -> BoxedStrategy<Value> {
    fields(vec![
        ("engine", one_of(json!(["postgresql", "mysql"]))),
        ("capacity", capacity()),
        ("replicas", (0..16_u8).prop_map(Value::from).boxed()),
        ("port", (1150..=65535_u16).prop_map(Value::from).boxed()),
        ("iam_auth", any::<bool>().prop_map(Value::from).boxed()),
        ("deletion_protection", any::<bool>().prop_map(Value::from).boxed()),
        ("username", one_of(json!(["owner", "app_1", "x"]))),
        (
            "backups",
            one_of(json!([{}, { "retention": "35d" }, { "window": "23:50-00:20" }, { "retention": "24h" }])),
        ),
        ("aws", one_of(json!([{}, { "data_api": true }, { "performance_insights": false }]))),
    ])
}

fn queue() -> BoxedStrategy<Value> {
    fields(vec![
        ("ordered", one_of(json!([true]))),
        ("visibility_timeout", (0..=43_200_u32).prop_map(|seconds| json!(format!("{seconds}s"))).boxed()),
        ("retention", (1..=336_u32).prop_map(|hours| json!(format!("{hours}h"))).boxed()),
        ("delay", (0..=15_u32).prop_map(|minutes| json!(format!("{minutes}m"))).boxed()),
        ("max_message_size", (1..=1024_u32).prop_map(|size| json!(format!("{size}KiB"))).boxed()),
        ("dead_letter", one_of(json!([{}, { "max_receives": 1000 }, { "retention": "14d" }]))),
        ("aws", one_of(json!([{}, { "high_throughput": false }]))),
    ])
}

fn node_groups() -> BoxedStrategy<Value> {
    let group = fields(vec![
        ("architecture", one_of(json!(["x86_64", "arm64"]))),
        ("disk", one_of(json!(["20GiB", "1TiB"]))),
        (
            "nodes",
            (2..9_u16, 0..9_u16).prop_map(|(min, more)| json!({ "min": min, "max": min + more })).boxed(),
        ),
        ("labels", labels()),
        ("taints", one_of(json!([[], [{ "key": "a/b", "effect": "no_execute" }]]))),
        ("capacity", one_of(json!(["on_demand"]))),
    ]);
    list(group).prop_filter("a cluster has nodes", |groups| groups != &json!([])).boxed()
}

fn labels() -> BoxedStrategy<Value> {
    let key = "([a-z]{1,5}\\.[a-z]{2,4}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,9}[A-Za-z0-9])?";
    let value = "([A-Za-z0-9]([A-Za-z0-9_.-]{0,9}[A-Za-z0-9])?)?";
    vec((key, value), 0..5)
        .prop_map(|pairs| {
            pairs.into_iter().map(|(key, value)| (key, Value::from(value))).collect::<Map<_, _>>().into()
        })
        .boxed()
}

fn secret() -> BoxedStrategy<Value> {
    fields(vec![
        ("description", "\\PC{1,60}".prop_map(Value::from).boxed()),
        ("generate", (8..=128_u16).prop_map(|length| json!({ "length": length })).boxed()),
        ("recovery", one_of(json!(["0d", "7d", "30d"]))),
        ("aws", one_of(json!([{ "replica_regions": ["us-east-1", "us-east-2"] }]))),
    ])
}

fn topic() -> BoxedStrategy<Value> {
    let filter = vec(("\\PC{0,20}", vec("\\PC{0,20}", 1..3)), 1..3).prop_map(|pairs| {
        let pairs = pairs.into_iter().map(|(key, values)| (key, Value::from(values)));
        Value::Object(pairs.collect())
    });
    let subscription =
        filter.prop_map(|filter| json!({ "protocol": "email", "endpoint": "a@b.example", "filter": filter }));
    fields(vec![
        ("subscriptions", vec(subscription, 0..2).prop_map(Value::from).boxed()),
        ("aws", "\\PC{1,30}".prop_map(|name| json!({ "display_name": name })).boxed()),
    ])
}

fn document() -> impl Strategy<Value = Value> {
    let head = (one_of(json!(["development", "staging", "production"])), "[a-z]([a-z0-9-]{0,38}[a-z0-9])?");
    let sections = fields(vec![
        ("databases", list(database())),
        ("queues", list(queue())),
        ("topics", list(topic())),
        ("secrets", list(secret())),
        (
            "caches",
            list(fields(vec![
                ("engine", one_of(json!(["redis", "valkey"]))),
                ("nodes", one_of(json!([2, 6]))),
            ])),
        ),
        ("cluster", node_groups().prop_map(|groups| json!({ "node_groups": groups })).boxed()),
        ("container_registries", list(fields(vec![("keep_images", one_of(json!([1, 10_000])))]))),
    ]);
    (head, sections).prop_map(|((stage, name), mut document)| {
        document["apiVersion"] = json!("alethia/v1");
        document["kind"] = json!("Spec");
        document["name"] = json!(name);
        document["stage"] = stage;
        document["cloud"] = json!({ "provider": "aws", "region": "eu-west-1", "identity": "sandbox" });
        document["network"] = json!({});
        document
    })
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        one_of(json!(["0d", "999999999d", "999999999TiB", "255.255.255.255/0", "1.99", "aws", "*"])),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec(("[a-z_]{0,8}", inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// Every place in a value, as JSON pointers.
fn pointers(at: &str, value: &Value, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| pointers(&format!("{at}/{index}"), item, found));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(key, field)| pointers(&format!("{at}/{key}"), field, found))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn assert_prints_as_it_was_read(document: &Document) {
    let printed = spec::print(document);
    let parsed =
        spec::parse("printed.yaml", &printed).unwrap_or_else(|problems| panic!("{printed}\n{problems:#?}"));
    assert_eq!(&parsed.document, document, "{printed}");
    assert_eq!(spec::print(&parsed.document), printed);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_document_prints_as_it_was_read(written in document()) {
        let document = spec::resolve(&written).unwrap_or_else(|problems| panic!("{written:#}\n{problems:#?}"));
        assert_prints_as_it_was_read(&document);
    }

    #[test]
    fn json_and_yaml_say_the_same(written in document()) {
        let resolved = spec::resolve(&written).unwrap();
        for text in [written.to_string(), serde_json::to_string_pretty(&written).unwrap(), spec::print_value(&written)] {
            let parsed = spec::parse("shop.json", &text).unwrap_or_else(|problems| panic!("{text}\n{problems:#?}"));
            prop_assert_eq!(&parsed.document, &resolved);
            prop_assert_eq!(&parsed.written, &written);
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,200}") {
        let _ = spec::parse("any.yaml", &text);
    }

    #[test]
    fn any_yaml_like_text_is_read_without_a_panic(
        tokens in vec(proptest::sample::select(vec![
            "a", "b: ", "- ", "  ", "\n", "{", "}", "[", "]", ",", "&x ", "*x", "? ", ": ", "|\n", ">-\n", "\"", "'",
            "!t ", "# c\n", "---\n", "...\n", "%YAML 1.2\n", "<<: ", "\t", "~", "0x", "1e9", "\u{0}", "\u{feff}", "é",
        ]), 0..60),
    ) {
        let _ = spec::parse("any.yaml", &tokens.concat());
    }

    #[test]
    fn a_damaged_document_is_read_without_a_panic(
        cuts in vec((any::<Index>(), "[\\PC\n\t]{0,3}", 0..6_usize), 1..6),
    ) {
        let mut text: Vec<char> = SHOP.chars().collect();
        for (place, insert, remove) in cuts {
            let start = place.index(text.len());
            let end = (start + remove).min(text.len());
            text.splice(start..end, insert.chars());
        }
        if let Ok(parsed) = spec::parse("shop.yaml", &text.into_iter().collect::<String>()) {
            assert_prints_as_it_was_read(&parsed.document);
        }
    }

    #[test]
    fn a_document_with_odd_values_is_refused_with_places_and_without_a_panic(
        swaps in vec((any::<Index>(), any_value()), 1..4),
    ) {
        let mut document = spec::parse("shop.yaml", SHOP).unwrap().written;
        for (place, value) in swaps {
            let mut found = Vec::new();
            pointers("", &document, &mut found);
            *document.pointer_mut(&found[place.index(found.len())]).unwrap() = value;
        }
        match spec::resolve(&document) {
            Ok(resolved) => assert_prints_as_it_was_read(&resolved),
            Err(problems) => {
                let placed = |problem: &Problem| !problem.path.is_empty() || !document.is_object();
                prop_assert!(problems.iter().all(placed), "{problems:#?}");
            }
        }
    }
}
