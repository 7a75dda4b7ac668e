//! What needs a Console: here it runs inside of each command.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::{SPEC, home, json, ok, run, stderr, write};

#[test]
fn a_zone_is_made_listed_and_deleted() {
    let home = home();
    assert_eq!(ok(&home, &["zone", "create", "web", "--description", "the shop"]), "Zone web is created\n");
    let zones = json(&home, &["zone", "list"]);
    let web = zones.as_array().unwrap().iter().find(|zone| zone["name"] == "web").unwrap();
    assert_eq!(web["description"], "the shop");
    assert!(ok(&home, &["zone", "list"]).starts_with("NAME"));
    assert!(ok(&home, &["zone", "list", "-o", "yaml"]).contains("name: web"));
    ok(&home, &["zone", "delete", "web"]);
    let gone = run(&home, &["zone", "delete", "web"]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(stderr(&gone).starts_with("error: "), "{}", stderr(&gone));
}

#[test]
fn what_is_kept_on_the_machine_is_private() {
    let home = home();
    ok(&home, &["spec", "list"]);
    let data = home.path().join(".local/share/alethia");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for file in ["owner-token", "master-key", "alethia.db", "lock"] {
        assert_eq!(mode(&data.join(file)), 0o600, "{file}");
    }
}

#[test]
fn a_token_is_shown_once_and_never_again() {
    let home = home();
    let secret = ok(&home, &["token", "create", "ci", "--role", "viewer", "--expires-in", "30"]);
    let secret = secret.trim();
    assert!(secret.starts_with("ala_"), "{secret}");
    let tokens = json(&home, &["token", "list"]);
    let ci = tokens.as_array().unwrap().iter().find(|token| token["name"] == "ci").unwrap();
    assert_eq!(ci["role"], "viewer");
    assert!(!tokens.to_string().contains(secret));
    ok(&home, &["token", "revoke", ci["id"].as_str().unwrap()]);
    assert!(!ok(&home, &["token", "list"]).contains(" ci "));
}

#[test]
fn a_role_that_is_none_is_usage() {
    let output = run(&home(), &["token", "create", "ci", "--role", "root"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("viewer, operator, admin, owner"), "{}", stderr(&output));
}

#[test]
fn the_token_of_a_runner_can_go_straight_into_a_private_file() {
    let home = home();
    ok(&home, &["runner", "register", "north", "--label", "gpu", "--save", "north.token"]);
    let file = home.path().join("north.token");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("alr_"));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let runners = json(&home, &["runner", "list"]);
    assert_eq!(runners[0]["labels"], serde_json::json!(["gpu"]));
    ok(&home, &["runner", "remove", "north"]);
    assert_eq!(json(&home, &["runner", "list"]), serde_json::json!([]));
}

#[test]
fn an_aws_account_becomes_a_cloud_identity_without_any_key() {
    let home = home();
    let role = "arn:aws:iam::123456789012:role/alethia";
    ok(&home, &["identity", "create", "prod", "--aws", "--role-arn", role]);
    let identities = json(&home, &["identity", "list"]);
    let names: Vec<&Value> =
        identities.as_array().unwrap().iter().map(|identity| &identity["name"]).collect();
    assert!(names.contains(&&Value::from("sandbox")) && names.contains(&&Value::from("prod")), "{names:?}");
    ok(&home, &["identity", "delete", "prod"]);
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_changed_and_the_exit_code_is_3() {
    let home = home();
    write(&home, "tiny.yaml", SPEC);
    let output = run(&home, &["apply", "tiny.yaml"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).ends_with("hint: add `-y` to go on without a question\n"), "{}", stderr(&output));
    let jobs = json(&home, &["jobs", "list"]);
    let types: Vec<&Value> = jobs.as_array().unwrap().iter().map(|job| &job["type"]).collect();
    assert_eq!(types, ["PLAN"]);
    let log = json(&home, &["jobs", "logs", jobs[0]["id"].as_str().unwrap()]);
    assert!(log[0]["text"].as_str().unwrap().starts_with("== prepare =="), "{log}");
}

#[test]
fn a_log_can_be_searched_whatever_the_case_of_its_letters() {
    let home = home();
    write(&home, "tiny.yaml", SPEC);
    ok(&home, &["plan", "tiny.yaml"]);
    let job = json(&home, &["jobs", "list"])[0]["id"].as_str().unwrap().to_owned();
    let log = ok(&home, &["jobs", "logs", &job]);
    let wanted: Vec<&str> = log.lines().filter(|line| line.to_lowercase().contains("terraform")).collect();
    assert!(!wanted.is_empty() && wanted.len() < log.lines().count(), "{log}");
    let found = ok(&home, &["jobs", "logs", &job, "--search", "TerraForm"]);
    assert_eq!(found.lines().collect::<Vec<_>>(), wanted);
    assert_eq!(ok(&home, &["jobs", "logs", &job, "--search", "no such line"]), "");
    assert_eq!(json(&home, &["jobs", "logs", &job, "--search", "no such line"]), serde_json::json!([]));
}

#[test]
fn a_hint_can_be_typed_where_the_data_folder_was_a_flag() {
    let home = home();
    let output = run(&home, &["--data-dir", "my data", "spec", "get", "nothing"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("`alethia --data-dir 'my data' spec list`"), "{}", stderr(&output));
}

#[test]
fn revisions_are_listed_compared_and_brought_back() {
    let home = home();
    write(&home, "tiny.yaml", SPEC);
    let plan = json(&home, &["plan", "tiny.yaml"]);
    assert_eq!(plan["has_changes"], true);
    write(&home, "tiny.yaml", &SPEC.replace("name: work", "name: work\n    retention: 2d"));
    assert!(ok(&home, &["spec", "diff", "tiny.yaml"]).contains("2d"));
    ok(&home, &["plan", "tiny.yaml"]);

    let history = json(&home, &["spec", "history", "tiny"]);
    assert_eq!(history.as_array().unwrap().len(), 2);
    assert!(ok(&home, &["spec", "diff", "default/tiny"]).starts_with("Revision 1 -> 2\n  + queues"));
    ok(&home, &["spec", "rollback", "tiny", "2"]);
    ok(&home, &["spec", "rollback", "tiny", "1", "-y"]);
    assert!(!ok(&home, &["spec", "get", "tiny", "--document"]).contains("2d"));
    ok(&home, &["spec", "delete", "tiny", "-y"]);
    assert_eq!(json(&home, &["spec", "list"]), serde_json::json!([]));
}

#[test]
fn a_state_is_shown_with_its_versions() {
    let home = home();
    write(&home, "tiny.yaml", SPEC);
    ok(&home, &["apply", "-y", "tiny.yaml"]);
    let state = json(&home, &["state", "show", "tiny"]);
    let serial = state["current"]["serial"].as_u64().unwrap().to_string();
    assert!(ok(&home, &["state", "list"]).contains("default/tiny"));
    let content = json(&home, &["state", "show", "tiny", "--content"]);
    assert_eq!(content["lineage"], state["current"]["lineage"]);
    let missing = run(&home, &["state", "restore", "tiny", "99", "-y"]);
    assert!(stderr(&missing).contains("has no version 99"), "{}", stderr(&missing));
    let restored = json(&home, &["state", "restore", "tiny", &serial, "-y"]);
    assert!(restored["current"]["serial"].as_u64() > state["current"]["serial"].as_u64());
    assert!(json(&home, &["state", "versions", "tiny"]).as_array().unwrap().len() > 1);
    let destroyed = json(&home, &["destroy", "tiny.yaml", "-y"]);
    assert_eq!(destroyed["spec"]["status"], "DESTROYED");
}
