//! The main job, end to end: a Spec file to ACTIVE and back to DESTROYED, with real Terraform against the sandbox cloud.
//!
//! The same story runs on embedded SQLite and on one Console, two Runners and PostgreSQL as processes of their own.

use crate::common::{User, example, statuses};
use crate::processes::Processes;
use serde_json::{Value, json};

#[test]
fn a_spec_goes_to_active_and_back_embedded() {
    tell_the_story(&User::embedded());
}

#[test]
fn a_spec_goes_to_active_and_back_with_a_console_two_runners_and_postgresql() {
    let processes = Processes::start();
    tell_the_story(&processes.user());
}

fn tell_the_story(user: &User) {
    let document = example("shop.yaml");
    let file = user.spec_file(&document);
    first_apply_makes_everything(user, &file);
    second_apply_changes_nothing(user, &file);
    a_change_touches_only_its_components(user, document);
    destroy_removes_everything(user);
}

fn first_apply_makes_everything(user: &User, file: &str) {
    let applied = user.json(&["apply", "-y", file]);
    assert_eq!(applied["spec"]["status"], "ACTIVE");
    assert_eq!(applied["changed"], true);
    let statuses = statuses(&applied["spec"]);
    assert!(statuses.values().all(|status| status == "ACTIVE"), "{statuses:#?}");
    for kind in ["network", "cluster", "dns", "repositories"] {
        assert!(statuses.contains_key(kind), "{kind} is missing in {statuses:?}");
    }
    for component in applied["spec"]["components"].as_array().unwrap() {
        assert!(!component["outputs"].as_object().unwrap().is_empty(), "{component} has no outputs");
    }
}

fn second_apply_changes_nothing(user: &User, file: &str) {
    let jobs = mutating_jobs(user);
    let applied = user.json(&["apply", "-y", file]);
    assert_eq!(applied["changed"], false, "{:#}", applied["plan"]);
    assert_eq!(applied["job"], Value::Null);
    assert_eq!(mutating_jobs(user), jobs, "a job that mutates was made though nothing changed");
}

fn a_change_touches_only_its_components(user: &User, mut document: Value) {
    let topic =
        document["topics"].as_array_mut().unwrap().pop().unwrap()["name"].as_str().unwrap().to_owned();
    document["databases"].as_array_mut().unwrap().push(json!({ "name": "ledger", "engine": "postgresql" }));
    document["queues"].as_array_mut().unwrap().push(json!({ "name": "returns" }));
    let nodes = &mut document["cluster"]["node_groups"][0]["nodes"];
    *nodes = json!({ "min": 3, "desired": 4, "max": 9 });

    let before = user.json(&["spec", "get", "shop"]);
    let applied = user.json(&["apply", "-y", &user.spec_file(&document)]);
    let changed: Vec<String> = applied["plan"]["components"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|plan| plan["change"] != "none")
        .map(|plan| plan["component"]["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(applied["spec"]["status"], "ACTIVE");
    let after = statuses(&applied["spec"]);
    assert_eq!(after["database.ledger"], "ACTIVE");
    assert_eq!(after["queue.returns"], "ACTIVE");
    assert_eq!(after[&format!("topic.{topic}")], "DESTROYED");
    assert_eq!(changed, ["cluster", "ledger", "returns", &topic], "{:#}", applied["plan"]);
    untouched_components_keep_their_rows(&before, &applied["spec"], &changed);
}

/// A component that the plan leaves alone is not written at all: same status, same time of its last change.
fn untouched_components_keep_their_rows(before: &Value, after: &Value, changed: &[String]) {
    for old in before["components"].as_array().unwrap() {
        if changed.iter().any(|name| old["name"] == *name) {
            continue;
        }
        let new = after["components"]
            .as_array()
            .unwrap()
            .iter()
            .find(|new| new["kind"] == old["kind"] && new["name"] == old["name"])
            .unwrap();
        assert_eq!(new, old);
    }
}

fn destroy_removes_everything(user: &User) {
    let refused = user.run(&["destroy", "shop", "-y"]);
    assert_eq!(refused.code, 2, "a production Spec was destroyed without its name: {}", refused.stderr);
    assert!(refused.stderr.contains("--confirm shop"), "{}", refused.stderr);

    let destroyed = user.json(&["destroy", "shop", "-y", "--confirm", "shop"]);
    assert_eq!(destroyed["spec"]["status"], "DESTROYED");
    let statuses = statuses(&destroyed["spec"]);
    assert!(statuses.values().all(|status| status == "DESTROYED"), "{statuses:#?}");
    for component in destroyed["spec"]["components"].as_array().unwrap() {
        assert_eq!(component["outputs"], json!({}), "{component} still gives something out");
    }
    let state = user.json(&["state", "show", "shop"]);
    assert_eq!(state["current"]["resources"], 0, "{state:#}");
    assert_eq!(state["lock"], Value::Null, "{state:#}");
}

fn mutating_jobs(user: &User) -> usize {
    let jobs = user.json(&["jobs", "list"]);
    let jobs = jobs.as_array().unwrap_or_else(|| jobs["items"].as_array().unwrap());
    jobs.iter().filter(|job| job["type"] != "PLAN").count()
}
