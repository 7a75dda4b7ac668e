use alethia_domain::plan::{AttributeChange, AttributeValue};
use serde_json::json;

use super::*;

fn document(queues: &[&str]) -> Document {
    let queue = |name: &&str| {
        json!({
            "name": name, "ordered": false, "visibility_timeout": "30s", "retention": "4d", "delay": "0s",
            "max_message_size": "1MiB",
        })
    };
    serde_json::from_value(json!({
        "apiVersion": "alethia/v1", "kind": "Spec", "zone": "acme", "name": "shop", "stage": "production",
        "cloud": { "provider": "aws", "region": "eu-central-1", "identity": "sandbox" },
        "queues": queues.iter().map(queue).collect::<Vec<_>>(),
    }))
    .unwrap()
}

fn change(address: &str, actions: &[&str]) -> Value {
    let resource_type = address.rsplit('.').nth(1).unwrap();
    json!({ "address": address, "mode": "managed", "type": resource_type, "change": { "actions": actions } })
}

fn plan(changes: &[Value]) -> Vec<u8> {
    serde_json::to_vec(&json!({ "format_version": "1.2", "resource_changes": changes })).unwrap()
}

fn summary(changes: &[Value], queues: &[&str]) -> PlanSummary {
    summarize(&plan(changes), &document(queues)).unwrap()
}

fn told(summary: &PlanSummary) -> Vec<(String, Change, bool)> {
    let told = |plan: &ComponentPlan| (plan.component.to_string(), plan.change, plan.loses_data);
    summary.components.iter().map(told).collect()
}

const MAIL: &str = "module.queue-mail.aws_sqs_queue.main";
const MAIL_POLICY: &str = "module.queue-mail.aws_sqs_queue_policy.main";
const OLD: &str = "module.queue-old.aws_sqs_queue.main";

#[test]
fn components_are_told_as_a_whole() {
    for (actions, expected) in [
        ([&["create"][..], &["create"]], (Change::Create, false)),
        ([&["no-op"], &["no-op"]], (Change::None, false)),
        ([&["no-op"], &["update"]], (Change::Update, false)),
        ([&["no-op"], &["create"]], (Change::Update, false)),
        ([&["no-op"], &["delete", "create"]], (Change::Replace, false)),
        ([&["create", "delete"], &["update"]], (Change::Replace, true)),
        ([&["no-op"], &["delete"]], (Change::Update, false)),
    ] {
        let summary = summary(&[change(MAIL, actions[0]), change(MAIL_POLICY, actions[1])], &["mail"]);
        assert_eq!(told(&summary), [("queue.mail".to_owned(), expected.0, expected.1)], "{actions:?}");
    }
}

#[test]
fn what_left_the_document_is_destroyed_and_what_never_changes_is_listed() {
    let summary = summary(&[change(MAIL, &["no-op"]), change(OLD, &["delete"])], &["mail"]);
    assert_eq!(
        told(&summary),
        [("queue.mail".to_owned(), Change::None, false), ("queue.old".to_owned(), Change::Destroy, true)]
    );
    assert_eq!(summary.totals, Totals { destroy: 1, ..Totals::default() });
}

#[test]
fn a_plan_that_removes_everything_destroys_components_of_the_document_too() {
    let summary = summary(&[change(MAIL, &["delete"]), change(MAIL_POLICY, &["delete"])], &["mail"]);
    assert_eq!(told(&summary), [("queue.mail".to_owned(), Change::Destroy, true)]);
}

#[test]
fn data_sources_do_not_count() {
    let mut read = change("data.aws_partition.current", &["read"]);
    read["mode"] = json!("data");
    assert!(summary(&[read, change(MAIL, &["no-op"])], &["mail"]).is_empty());
}

fn attributes_of(change: Value) -> Vec<AttributeChange> {
    let resource = json!({ "address": MAIL, "mode": "managed", "type": "aws_sqs_queue", "change": change });
    let summary = summary(&[resource], &["mail"]);
    summary.components[0].resources[0].attributes.clone()
}

#[test]
fn only_changed_attributes_are_told_each_by_its_path() {
    let attributes = attributes_of(json!({
        "actions": ["update"],
        "before": { "name": "mail", "delay": 0, "tags": { "a": "1", "b": "2" }, "zones": ["x", "y"] },
        "after": { "name": "mail", "delay": 5, "tags": { "a": "1", "b": "3" }, "zones": ["x"], "new": true },
        "after_unknown": { "arn": true },
    }));
    let known = |path: &str, before: Value, after: Value| AttributeChange {
        path: path.to_owned(),
        before: if before.is_null() { AttributeValue::Absent } else { AttributeValue::Known(before) },
        after: AttributeValue::Known(after),
    };
    assert_eq!(
        attributes,
        [
            AttributeChange {
                path: "arn".to_owned(),
                before: AttributeValue::Absent,
                after: AttributeValue::Unknown
            },
            known("delay", json!(0), json!(5)),
            known("new", Value::Null, json!(true)),
            known("tags.b", json!("2"), json!("3")),
            known("zones", json!(["x", "y"]), json!(["x"])),
        ]
    );
}

#[test]
fn a_sensitive_value_never_shows_at_any_depth() {
    let attributes = attributes_of(json!({
        "actions": ["update"],
        "before": { "password": "hunter1", "list": [{ "key": "hunter2", "open": 1 }], "same": "hunter3" },
        "after": { "password": "hunter4", "list": [{ "key": "hunter5", "open": 2 }, { "key": "hunter6" }], "same": "hunter3" },
        "before_sensitive": { "password": true, "list": [{ "key": true }], "same": true },
        "after_sensitive": { "password": true, "list": [{ "key": true }, { "key": true }], "same": true },
    }));
    let text = serde_json::to_string(&attributes).unwrap();
    assert!(!text.contains("hunter"), "{text}");
    let paths: Vec<_> = attributes.iter().map(|attribute| attribute.path.as_str()).collect();
    assert_eq!(paths, ["list", "password"]);
}

#[test]
fn why_something_is_replaced_is_told() {
    let resource = json!({
        "address": MAIL, "mode": "managed", "type": "aws_sqs_queue",
        "change": { "actions": ["delete", "create"], "replace_paths": [["name"], ["rule", 0, "arn"]] },
    });
    let summary = summary(&[resource], &["mail"]);
    assert_eq!(summary.components[0].resources[0].replaced_by, ["name", "rule[0].arn"]);
}

#[test]
fn what_was_changed_outside_is_drift() {
    let mut drifted = change(MAIL, &["update"]);
    drifted["change"]["before"] = json!({ "delay": 0 });
    drifted["change"]["after"] = json!({ "delay": 9 });
    let plan = json!({ "format_version": "1.2", "resource_drift": [drifted] });
    let summary = summarize(&serde_json::to_vec(&plan).unwrap(), &document(&["mail"])).unwrap();
    assert_eq!(summary.drift[0].change, Change::Update);
    assert_eq!(summary.drift[0].attributes[0].path, "delay");
    assert!(summary.is_empty());
}

#[test]
fn another_format_is_refused() {
    assert!(matches!(
        summarize(b"{\"format_version\":\"2.0\"}", &document(&[])),
        Err(PlanError::UnknownFormat(_))
    ));
    assert!(matches!(summarize(b"plan", &document(&[])), Err(PlanError::Unreadable(_))));
}

fn any_json() -> impl proptest::strategy::Strategy<Value = Value> {
    use proptest::prelude::*;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z_\\[\\].\"]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let object = proptest::collection::btree_map("[a-z]{1,3}", inner.clone(), 0..4);
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Value::from),
            object.prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest::proptest! {
    #[test]
    fn no_plan_panics(before in any_json(), after in any_json(), masks in any_json(), unknown in any_json(), bytes in ".*") {
        let resource = json!({
            "address": MAIL, "mode": "managed", "type": "aws_sqs_queue",
            "change": {
                "actions": ["update"], "before": before, "after": after, "after_unknown": unknown,
                "before_sensitive": masks, "after_sensitive": masks,
            },
        });
        let _ = summarize(&plan(&[resource]), &document(&["mail"]));
        let _ = summarize(bytes.as_bytes(), &document(&[]));
    }
}
