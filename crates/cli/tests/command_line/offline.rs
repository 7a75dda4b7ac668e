//! What needs no Console.

use std::{io::Write, process::Stdio};

use crate::{SPEC, alethia, home, ok, run, stderr, stdout, write};

#[test]
fn a_valid_file_is_told_so_and_exits_0() {
    let home = home();
    write(&home, "tiny.yaml", SPEC);
    let output = run(&home, &["spec", "validate", "tiny.yaml"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "tiny.yaml: valid\n"));
}

#[test]
fn every_problem_of_a_file_is_told_with_its_place_and_exits_2() {
    let home = home();
    let broken =
        SPEC.replace("development", "devlopment").replace("name: work", "name: work\n    orderd: true");
    write(&home, "bad.yaml", &broken);
    let output = run(&home, &["spec", "validate", "bad.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    let told = stdout(&output);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 2, "{told}");
    assert!(lines[0].starts_with("bad.yaml:4:8: stage: "), "{told}");
    assert!(lines[1].starts_with("bad.yaml:11:5: queues[0].orderd: "), "{told}");
    assert!(lines[1].contains("ordered"), "a hint names the right key: {told}");
    assert!(stderr(&output).starts_with("error: bad.yaml has 2 problems\nhint: "), "{}", stderr(&output));
}

#[test]
fn problems_are_data_for_programs() {
    let home = home();
    write(&home, "bad.yaml", &SPEC.replace("development", "devlopment"));
    let output = run(&home, &["spec", "validate", "bad.yaml", "--output", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let told: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("stdout is one JSON document");
    assert_eq!(told[0]["valid"], false);
    assert_eq!(told[0]["problems"][0]["line"], 4);
}

#[test]
fn apply_of_a_bad_file_starts_nothing() {
    let home = home();
    write(&home, "bad.yaml", &SPEC.replace("development", "devlopment"));
    let output = run(&home, &["apply", "-y", "bad.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).starts_with("bad.yaml:4:8: stage: "), "{}", stderr(&output));
    assert!(!home.path().join(".local/share/alethia").exists());
}

#[test]
fn a_missing_file_is_one_sentence_and_a_hint() {
    let home = home();
    let output = run(&home, &["apply", "shop.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        stderr(&output),
        "error: the Spec file shop.yaml can't be read: No such file or directory (os error 2)\n\
         hint: make one with `alethia design shop.yaml`\n"
    );
}

#[test]
fn what_can_be_no_spec_is_usage_and_the_sentence_says_what_can() {
    for word in ["", "Shop", "web/shop/1", "."] {
        let output = run(&home(), &["apply", word]);
        assert_eq!(output.status.code(), Some(2), "{word}");
        assert!(stderr(&output).contains("NAME, ZONE/NAME or a file"), "{}", stderr(&output));
    }
}

#[test]
fn help_may_also_be_asked_for_by_a_command() {
    let home = home();
    assert_eq!(ok(&home, &["help", "spec", "diff"]), ok(&home, &["spec", "diff", "--help"]));
    assert_eq!(ok(&home, &["help"]), ok(&home, &["--help"]));
}

#[test]
fn an_unknown_command_exits_2() {
    let output = run(&home(), &["aply"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("'apply'"), "{}", stderr(&output));
}

#[test]
fn a_console_that_is_not_there_is_one_sentence_and_a_hint() {
    let home = home();
    let output = run(&home, &["--server", "http://127.0.0.1:1", "--token", "ala_x", "spec", "list"]);
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(told.starts_with("error: the Console at http://127.0.0.1:1/ can't be reached"), "{told}");
    assert!(told.ends_with(
        "hint: start a Console there with `alethia up`, or name another one with `--server URL`\n"
    ));
    assert_eq!(told.lines().count(), 2, "{told}");
    assert!(!told.contains("ala_x"));
}

#[test]
fn a_console_without_a_token_says_how_to_give_one() {
    let output = run(&home(), &["--server", "https://console.example.com", "spec", "list"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("hint: give one with `--token-file FILE` or ALETHIA_TOKEN"));
}

#[test]
fn an_address_that_is_none_is_usage() {
    let output = run(&home(), &["--server", "console", "--token", "x", "zone", "list"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}

#[test]
fn an_unknown_key_of_the_configuration_is_refused_with_its_line() {
    let home = home();
    write(&home, "config.toml", "slots = 3\nserver_url = 'x'\n");
    let output = run(&home, &["--config", "config.toml", "version"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).starts_with("error: config.toml:2: unknown field `server_url`"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_configuration_to_begin_with_is_printed_even_while_the_present_one_is_wrong() {
    let home = home();
    write(&home, "config.toml", "server_url = 'x'\n");
    let output = run(&home, &["--config", "config.toml", "config"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    write(&home, "fresh.toml", &stdout(&output));
    assert_eq!(run(&home, &["--config", "fresh.toml", "version"]).status.code(), Some(0));
}

#[test]
fn a_provider_is_for_terraform_alone() {
    let home = home();
    let output = run(&home, &["sandbox", "plugin", "aws"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("Terraform"), "{}", stderr(&output));
    assert!(!stdout(&run(&home, &["sandbox", "--help"])).contains("plugin"));
}

#[test]
fn the_settings_in_force_hide_secrets_and_say_where_they_come_from() {
    let home = home();
    write(&home, "config.toml", "database = 'postgres://me:planted@db/alethia'\nslots = 3\n");
    let output = alethia(home.path())
        .args(["--config", "config.toml", "config", "--effective", "--output", "yaml"])
        .env("ALETHIA_TOKEN", "planted-too")
        .env("ALETHIA_SLOTS", "4")
        .output()
        .expect("the binary runs");
    let told = stdout(&output);
    assert!(!told.contains("planted"), "{told}");
    assert!(told.contains("postgres://me:***@db/alethia"), "{told}");
    let entries: Vec<&str> = told.split("- key: ").collect();
    let slots = entries.iter().find(|entry| entry.starts_with("slots")).expect("slots are told");
    assert!(slots.contains('4') && slots.contains("environment"), "{slots}");
}

#[test]
fn a_closed_pipe_is_no_error() {
    let home = home();
    let mut child = alethia(home.path())
        .args(["completion", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
}

#[test]
fn a_file_may_come_from_stdin() {
    let home = home();
    let mut child = alethia(home.path())
        .args(["spec", "validate", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    child.stdin.take().expect("it is piped").write_all(SPEC.as_bytes()).expect("it is read");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "-: valid\n"));
}

#[test]
fn explain_says_where_a_default_comes_from() {
    let home = home();
    write(&home, "tiny.yaml", SPEC);
    let told = stdout(&run(&home, &["spec", "explain", "tiny.yaml"]));
    assert!(told.contains("retention: 4d  # default"), "{told}");
}

#[test]
fn the_schema_is_json_and_yaml() {
    let home = home();
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&run(&home, &["spec", "schema"]))).expect("JSON");
    assert!(json["properties"]["databases"].is_object());
    let yaml = stdout(&run(&home, &["spec", "schema", "-o", "yaml"]));
    assert!(yaml.contains("databases:"), "{yaml}");
}

#[test]
fn a_designed_file_is_valid_and_is_not_written_over() {
    let home = home();
    let design =
        ["design", "new.yaml", "--name", "web", "--stage", "production", "--with", "cluster,database"];
    let output = run(&home, &design);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(run(&home, &["spec", "validate", "new.yaml"]).status.code(), Some(0));
    let again = run(&home, &design);
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("--force"), "{}", stderr(&again));
}

#[test]
fn a_kind_that_nothing_can_be_guessed_for_is_not_left_out_in_silence() {
    let home = home();
    let output = run(&home, &["design", "web.yaml", "-y", "--with", "dns"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--domain"), "{}", stderr(&output));
    ok(&home, &["design", "web.yaml", "-y", "--with", "dns", "--domain", "web.example.com"]);
    assert!(ok(&home, &["spec", "explain", "web.yaml"]).contains("domain: web.example.com"));
}

#[test]
fn an_exported_root_stands_alone_and_is_the_same_every_time() {
    let home = home();
    write(&home, "tiny.yaml", SPEC);
    for folder in ["one", "two"] {
        let output = run(&home, &["spec", "export", "tiny.yaml", folder]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    let read = |folder: &str| std::fs::read(home.path().join(folder).join("alethia.auto.tfvars.json"));
    assert_eq!(read("one").expect("it is written"), read("two").expect("it is written"));
    assert!(!home.path().join("one/backend.tf").exists());
    let again = run(&home, &["spec", "export", "tiny.yaml", "one"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).starts_with("error: the folder one is not empty\nhint: "), "{}", stderr(&again));
}

#[test]
fn faults_of_the_sandbox_are_listed_as_they_were_added() {
    let home = home();
    let add = ["sandbox", "faults", "add", "aws_rds_cluster.*", "--fail", "no capacity", "--nth", "1"];
    assert_eq!(run(&home, &add).status.code(), Some(0));
    let told = stdout(&run(&home, &["sandbox", "faults", "list", "-o", "json"]));
    let rules: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(rules[0]["fail"], "no capacity");
    assert_eq!(stdout(&run(&home, &["sandbox", "faults", "clear"])), "no faults\n");
    assert_eq!(stdout(&run(&home, &["sandbox", "list"])), "the sandbox cloud is empty\n");
}

#[test]
fn a_runner_without_console_or_token_says_how_to_start_it() {
    let home = home();
    let output = run(&home, &["runner", "start"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("alethia runner start --server URL --token-file FILE"));
    let output = run(&home, &["runner", "start", "--server", "http://127.0.0.1:1"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("runner register NAME --save FILE"), "{}", stderr(&output));
}

#[test]
fn a_missing_terraform_is_one_sentence_that_names_both_tools() {
    let home = home();
    let output = alethia(home.path())
        .args(["runner", "start", "--server", "http://127.0.0.1:1", "--token", "alr_x"])
        .env("PATH", home.path())
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(
        told.starts_with("error: the Runner can't start: neither terraform nor tofu is on PATH"),
        "{told}"
    );
    assert!(told.contains("\nhint: see what is there with `terraform version`"), "{told}");
}
