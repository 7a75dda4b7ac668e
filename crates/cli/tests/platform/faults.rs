//! What users see when the cloud says no: the truth about each component, and a retry that makes only what is missing.

use std::collections::BTreeMap;

use crate::common::{User, cloud, example, statuses};
use serde_json::Value;

#[test]
fn a_failed_database_fails_alone_and_a_retry_makes_only_what_is_missing() {
    let user = User::embedded();
    let file = user.spec_file(&example("shop.yaml"));
    user.ok(&[
        "sandbox",
        "faults",
        "add",
        "aws_rds_cluster.*orders*",
        "--operation",
        "create",
        "--fail",
        "InsufficientDBClusterCapacity",
    ]);

    let applied = user.run(&["apply", "-y", &file, "--output", "json"]);
    assert_eq!(applied.code, 1, "{}", applied.stderr);
    assert!(applied.stderr.contains("InsufficientDBClusterCapacity"), "{}", applied.stderr);
    let spec = user.json(&["spec", "get", "shop"]);
    assert_eq!(spec["status"], "FAILED");
    for (component, status) in statuses(&spec) {
        let expected = if component == "database.orders" { "FAILED" } else { "ACTIVE" };
        assert_eq!(status, expected, "{component}");
    }
    let job = newest_job(&user);
    assert_eq!(job["failure"]["reason"], "terraform");
    assert!(job["failure"]["address"].as_str().unwrap().starts_with("module.database-orders"), "{job:#}");

    let before = own_cloud(&user);
    user.ok(&["sandbox", "faults", "clear"]);
    let retried = user.json(&["jobs", "retry", job["id"].as_str().unwrap(), "--wait"]);
    assert_eq!(retried["status"], "SUCCESS", "{retried:#}");
    let spec = user.json(&["spec", "get", "shop"]);
    assert_eq!(spec["status"], "ACTIVE");
    assert!(statuses(&spec).values().all(|status| status == "ACTIVE"), "{spec:#}");
    let after = own_cloud(&user);
    for (resource, created) in &before {
        assert_eq!(after.get(resource), Some(created), "{resource} was made anew");
    }
    assert!(after.len() > before.len());
}

#[test]
fn a_change_that_broke_off_is_brought_back_without_a_console_too() {
    let user = User::embedded();
    let file = user.spec_file(&example("minimal.yaml"));
    let fault = ["aws_sqs_queue.*", "--operation", "create", "--fail", "ServiceUnavailable"];
    user.ok(&[&["sandbox", "faults", "add"][..], &fault].concat());
    assert_eq!(user.run(&["apply", "-y", &file]).code, 1);
    let lost = newest_job(&user);
    user.ok(&["sandbox", "faults", "clear"]);

    let recovered = user.json(&["recover", "minimal", "-y"]);
    assert_eq!(recovered["recovery"]["lost"]["id"], lost["id"], "{recovered:#}");
    assert_eq!(recovered["spec"]["status"], "ACTIVE", "{recovered:#}");
    let again = user.run(&["recover", "minimal", "-y"]);
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("there is nothing to recover"), "{}", again.stderr);
}

fn own_cloud(user: &User) -> BTreeMap<String, String> {
    cloud(user, user.data().to_str().unwrap())
}

fn newest_job(user: &User) -> Value {
    let jobs = user.json(&["jobs", "list"]);
    let jobs = jobs.as_array().unwrap_or_else(|| jobs["items"].as_array().unwrap());
    jobs[0].clone()
}
