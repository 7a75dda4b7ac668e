//! Commands beside a running `alethia up`: they share its Console, and a job outlives the command that watches it.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::{SPEC, alethia, home, json, ok, run, stderr, wait_for, write};

/// `alethia up` on a free port; it is told to end with the value.
pub(crate) struct Up {
    child: Option<Child>,
    pub(crate) address: String,
}

impl Up {
    pub(crate) fn start(home: &TempDir) -> Self {
        Self::start_as("up", home)
    }

    fn start_as(command: &str, home: &TempDir) -> Self {
        let child = alethia(home.path())
            .args([command, "--listen", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let file = home.path().join(".local/share/alethia/console.json");
        let told = wait_for("the Console", || std::fs::read(&file).ok());
        let told: Value = serde_json::from_slice(&told).expect("it is whole as soon as it is there");
        Self { child: Some(child), address: told["address"].as_str().expect("it is text").to_owned() }
    }

    /// The exit code, and what was told until then.
    fn end(&mut self) -> Option<(i32, String)> {
        let mut child = self.child.take()?;
        signal(&child, Signal::TERM);
        // One that stands still hears nothing.
        signal(&child, Signal::CONT);
        let mut told = String::new();
        child.stderr.take()?.read_to_string(&mut told).ok()?;
        Some((child.wait().ok()?.code()?, told))
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.end();
    }
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("the process is there");
}

#[test]
fn commands_share_the_console_that_runs_on_their_data_folder() {
    let home = home();
    let mut up = Up::start(&home);
    ok(&home, &["zone", "create", "web"]);
    assert_eq!(json(&home, &["runner", "list"])[0]["name"], "local");
    let second = run(&home, &["up", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(stderr(&second).contains("is in use"), "{}", stderr(&second));
    let (code, told) = up.end().unwrap();
    assert_eq!(code, 0);
    assert!(told.contains("jobs that run here are interrupted"), "{told}");
    assert!(!home.path().join(".local/share/alethia/console.json").exists());
    assert!(ok(&home, &["zone", "list"]).contains("web"), "the data stays");
}

#[test]
fn a_console_alone_ends_without_a_word_about_jobs() {
    let home = home();
    let (code, told) = Up::start_as("serve", &home).end().unwrap();
    assert_eq!(code, 0);
    assert!(told.contains("requests under way are finished first") && !told.contains("jobs"), "{told}");
}

#[test]
fn a_wrong_token_is_one_sentence_and_a_hint() {
    let home = home();
    let up = Up::start(&home);
    let output = run(&home, &["--server", &up.address, "--token", "ala_wrong", "spec", "list"]);
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert_eq!(told.lines().count(), 2, "{told}");
    assert!(told.contains("\nhint: ") && told.contains("--token-file FILE"), "{told}");
    assert!(!told.contains("ala_wrong"), "{told}");
}

#[test]
fn a_file_that_replaces_what_another_person_wrote_says_so() {
    let home = home();
    let _up = Up::start(&home);
    let ann = ok(&home, &["token", "create", "ann"]);
    write(&home, "tiny.yaml", SPEC);
    ok(&home, &["--token", ann.trim(), "plan", "tiny.yaml"]);
    let again = run(&home, &["plan", "tiny.yaml"]);
    assert!(!stderr(&again).contains("replaces"), "{}", stderr(&again));
    write(&home, "tiny.yaml", &SPEC.replace("name: work", "name: other"));
    let changed = run(&home, &["plan", "tiny.yaml"]);
    assert!(stderr(&changed).contains("Revision 2 replaces Revision 1 of ann; "), "{}", stderr(&changed));
}

#[test]
fn the_version_of_a_console_stands_beside_ones_own() {
    let home = home();
    let up = Up::start(&home);
    let version = json(&home, &["--server", &up.address, "version"]);
    assert_eq!(version["console"]["version"], version["version"]);
}

#[test]
fn an_address_that_is_taken_is_one_sentence() {
    let home = home();
    let up = Up::start(&home);
    let address = up.address.trim_start_matches("http://");
    let output = run(&home, &["--data-dir", "other", "serve", "--listen", address]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(address), "{}", stderr(&output));
    assert!(stderr(&output).contains("--listen"), "{}", stderr(&output));
}

#[test]
fn one_interrupt_cancels_the_job() {
    let home = home();
    let _up = Up::start(&home);
    let output = interrupted(&home, 1);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("was CANCELLED"), "{}", stderr(&output));
    assert_eq!(newest_job(&home)["status"], "CANCELLED");
}

#[test]
fn a_second_interrupt_leaves_the_job_running_and_says_how_to_come_back() {
    let home = home();
    let _up = Up::start(&home);
    let output = interrupted(&home, 2);
    assert_eq!(output.status.code(), Some(1));
    let job = newest_job(&home);
    let id = job["id"].as_str().unwrap();
    assert!(stderr(&output).ends_with(&format!("alethia jobs logs -f {id}`\n")), "{}", stderr(&output));
    let ended = run(&home, &["jobs", "wait", id]);
    assert_eq!(ended.status.code(), Some(1), "{}", stderr(&ended));
    assert_eq!(newest_job(&home)["status"], "CANCELLED");
}

#[test]
fn a_second_interrupt_leaves_also_while_the_console_does_not_answer_the_first() {
    let home = home();
    let up = Up::start(&home);
    let mut child = applying(&home);
    signal(up.child.as_ref().expect("it runs"), Signal::STOP);
    let mut told = BufReader::new(child.stderr.take().expect("it is piped")).lines().map(Result::unwrap);
    signal(&child, Signal::INT);
    assert!(told.any(|line| line.starts_with("asking job ")), "the first interrupt was not heard");
    signal(&child, Signal::INT);
    let rest: Vec<String> = told.collect();
    assert!(rest[0].contains(" running; the Console did not answer"), "{rest:#?}");
    assert!(rest[1].contains("alethia jobs logs -f "), "{rest:#?}");
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn an_interrupt_of_recover_leaves_the_job_that_it_waits_for_to_whoever_began_it() {
    let home = home();
    let _up = Up::start(&home);
    let mut owner = applying(&home);
    let mut waiting = alethia(home.path())
        .args(["recover", "-y", "tiny.yaml"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut told = BufReader::new(waiting.stderr.take().expect("it is piped")).lines().map(Result::unwrap);
    assert!(told.any(|line| line.contains("(job ")), "it does not wait for the job");
    signal(&waiting, Signal::INT);
    let rest: Vec<String> = told.collect();
    assert_eq!(waiting.wait().unwrap().code(), Some(1), "{rest:#?}");
    assert!(rest.iter().any(|line| line.contains("left DEPLOY ")), "{rest:#?}");
    assert_eq!(newest_job(&home)["cancel_requested"], false);
    owner.kill().and_then(|()| owner.wait()).unwrap();
}

/// Applies a Spec whose queue never comes to be, and interrupts the command so many times while it waits.
fn interrupted(home: &TempDir, times: usize) -> Output {
    let child = applying(home);
    for _ in 0..times {
        signal(&child, Signal::INT);
        wait_for("the request to cancel", || {
            newest_job(home)["cancel_requested"].as_bool().filter(|asked| *asked)
        });
    }
    child.wait_with_output().expect("it ends")
}

/// An apply that waits for a queue which never comes to be.
fn applying(home: &TempDir) -> Child {
    write(home, "tiny.yaml", SPEC);
    ok(home, &["sandbox", "faults", "add", "aws_sqs_queue.*", "--operation", "create", "--hang"]);
    let child = alethia(home.path())
        .args(["apply", "-y", "tiny.yaml"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    wait_for("the creation of the queue", || {
        let job = newest_job(home);
        (job["type"] == "DEPLOY" && job["progress"]["step"] == "apply").then_some(())
    });
    child
}

fn newest_job(home: &TempDir) -> Value {
    json(home, &["jobs", "list"]).get(0).cloned().unwrap_or_default()
}
