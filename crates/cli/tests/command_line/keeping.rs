//! Keys, backup and restore as a person types them.

use std::{fs, path::PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::{SPEC, home, json, ok, run, stderr, stdout, up::Up, write};

#[test]
fn a_platform_that_runs_is_backed_up_and_restored_elsewhere() {
    let home = home();
    write(&home, "tiny.yaml", SPEC);
    let up = Up::start(&home);
    ok(&home, &["apply", "-y", "tiny.yaml"]);
    let taken = json(&home, &["backup", "monday"]);
    assert_eq!((&taken["with_key"], taken["rows"]["specs"].as_u64()), (&Value::Bool(false), Some(1)));
    assert_eq!(json(&home, &["backup", "verify", "monday"])["opened"], taken["blobs"]);
    let again = run(&home, &["backup", "monday"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("is there already"), "{}", stderr(&again));
    let busy = run(&home, &["restore", "monday"]);
    assert!(stderr(&busy).contains("is in use"), "{}", stderr(&busy));
    let state = json(&home, &["state", "show", "tiny"]);
    drop(up);

    let refused = run(&home, &["--data-dir", "other", "restore", "monday"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("is not in the key file"), "{}", stderr(&refused));
    fs::copy(key_file(&home), home.path().join("other/master-key")).unwrap();
    ok(&home, &["--data-dir", "other", "restore", "monday"]);
    assert_eq!(json(&home, &["--data-dir", "other", "state", "show", "tiny"])["current"], state["current"]);
    ok(&home, &["--data-dir", "other", "plan", "tiny.yaml"]);
    let full = run(&home, &["--data-dir", "other", "restore", "monday"]);
    assert!(stderr(&full).contains("not empty"), "{}", stderr(&full));
}

#[test]
fn a_key_is_replaced_with_one_command_and_never_shown() {
    let home = home();
    let up = Up::start(&home);
    ok(&home, &["token", "create", "ci"]);
    let old = fs::read_to_string(key_file(&home)).unwrap();
    let rotated = run(&home, &["keys", "rotate", "-vv"]);
    assert_eq!(rotated.status.code(), Some(0), "{}", stderr(&rotated));
    let keys = json(&home, &["keys", "list"]);
    let (new, before) = (&keys["keys"][0], &keys["keys"][1]);
    assert_eq!((&new["current"], before["seals"].as_u64()), (&Value::Bool(true), Some(0)));
    let used = run(&home, &["keys", "remove", new["id"].as_str().unwrap()]);
    assert_eq!(used.status.code(), Some(1));
    assert!(stderr(&used).contains("hint: alethia keys list"), "{}", stderr(&used));

    let remote = run(&home, &["--server", &up.address, "keys", "rotate"]);
    assert!(stderr(&remote).contains("`keys add`"), "{}", stderr(&remote));
    ok(&home, &["keys", "remove", before["id"].as_str().unwrap()]);
    let file = fs::read_to_string(key_file(&home)).unwrap();
    assert!(file.lines().count() == 1 && file != old);
    let unknown = run(&home, &["keys", "remove", "0123456789abcdef"]);
    assert_eq!(unknown.status.code(), Some(1));
    for key in [old.trim(), file.trim()] {
        for output in [&rotated, &used, &remote, &unknown] {
            assert!(!stdout(output).contains(key) && !stderr(output).contains(key));
        }
    }
}

#[test]
fn a_key_that_was_let_go_is_never_taken_for_a_new_one() {
    let home = home();
    let up = Up::start(&home);
    ok(&home, &["keys", "rotate"]);
    let keys = json(&home, &["keys", "list"]);
    let old = keys["keys"][1]["id"].as_str().unwrap();
    let removed = run(&home, &["--server", &up.address, "keys", "remove", old]);
    assert!(stderr(&removed).contains("no key file was changed"), "{}", stderr(&removed));
    assert_eq!(fs::read_to_string(key_file(&home)).unwrap().lines().count(), 2);

    let rotated = json(&home, &["keys", "rotate"]);
    assert_ne!(rotated["keys"][0]["id"], old, "the old key seals again: {rotated:#}");
    assert_eq!(fs::read_to_string(key_file(&home)).unwrap().lines().count(), 3);
}

#[test]
fn the_next_command_is_told_with_the_flags_that_it_needs_too() {
    let home = home();
    ok(&home, &["--data-dir", "other", "token", "create", "ci"]);
    let rotated = run(&home, &["--data-dir", "other", "keys", "rotate"]);
    assert!(stderr(&rotated).contains("then: alethia --data-dir other keys remove "), "{}", stderr(&rotated));
}

fn key_file(home: &TempDir) -> PathBuf {
    home.path().join(".local/share/alethia/master-key")
}
