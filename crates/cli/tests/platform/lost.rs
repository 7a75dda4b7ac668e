//! A Runner that stands still, and a state that Terraform could not write: nothing runs beyond its lease, nothing that was
//! made is forgotten.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::Value;

use crate::{
    common::{User, cloud, example},
    killed::{deploy, until, until_gone},
    processes::Processes,
};

#[test]
fn a_runner_that_stands_still_has_no_terraform_when_its_lease_ends_and_goes_on_afterwards() {
    const LEASE: u16 = 10;
    let mut processes = Processes::with_lease(LEASE);
    let (user, data) = (processes.user(), processes.runners_data());
    let (file, mut apply, job) = apply_slowly(&user, &data);
    let runner = job["runner"].as_str().unwrap().to_owned();
    let other = if runner == "north" { "south" } else { "north" };
    processes.stop_runner(other);

    processes.signal_runner(&runner, Signal::STOP);
    let stopped = Instant::now();
    let folders = data.join("runners");
    until_gone("Terraform is gone", &folders);
    assert!(stopped.elapsed() < Duration::from_secs(LEASE.into()), "{:?}", stopped.elapsed());
    let at_the_end = deploy(&user).unwrap();
    assert_eq!(at_the_end["status"], "PROCESSING", "the lease ended before Terraform did: {at_the_end:#}");
    let made = cloud(&user, data.to_str().unwrap());

    let failed = until("the job ends", || deploy(&user).filter(|job| job["status"] == "FAILED"));
    assert_eq!(failed["failure"]["reason"], "runner_lost", "{failed:#}");
    assert!(!apply.wait().unwrap().success());
    let silent = stopped + Duration::from_secs(46);
    until("it is offline", || (Instant::now() > silent || !is_online(&user, &runner)).then_some(()));
    assert!(!is_online(&user, &runner), "a Runner that stands still is shown as online");

    processes.signal_runner(&runner, Signal::CONT);
    goes_on_with_what_was_made(&user, &data, &made, &["apply", "-y", &file]);
    assert_eq!(deploy(&user).unwrap()["runner"], Value::from(runner));
}

#[test]
fn a_state_that_the_console_could_not_take_is_written_by_the_runner_when_it_is_back() {
    let mut processes = Processes::with_lease(30);
    let (user, data) = (processes.user(), processes.runners_data());
    let (file, mut apply, job) = apply_slowly(&user, &data);
    processes.kill_console();
    until("Terraform leaves its state behind", || errored_state(&data));
    let made = made(&data);
    processes.start_console();
    let failed = until("the job ends", || deploy(&user).filter(|job| job["status"] == "FAILED"));
    assert_eq!((&failed["id"], &failed["attempt"]), (&job["id"], &Value::from(1)), "{failed:#}");
    assert!(!apply.wait().unwrap().success());
    let log = user.ok(&["jobs", "logs", job["id"].as_str().unwrap()]).stdout;
    assert!(log.contains("the state was delivered") && log.contains("== failed =="), "{log}");
    assert_eq!(user.json(&["state", "show", "shop"])["lock"], Value::Null);
    goes_on_with_what_was_made(&user, &data, &made, &["apply", "-y", &file]);
}

#[test]
fn a_state_that_outlives_console_and_runner_is_delivered_late_and_recovered() {
    let mut processes = Processes::with_lease(20);
    let (user, data) = (processes.user(), processes.runners_data());
    let (_, mut apply, job) = apply_slowly(&user, &data);
    let runner = job["runner"].as_str().unwrap().to_owned();
    processes.kill_console();
    until("Terraform leaves its state behind", || errored_state(&data));
    processes.kill_runner(&runner);
    until_gone("nothing of it is left", &data.join("runners"));
    let made = made(&data);
    processes.start_console();
    let failed = until("the job ends", || deploy(&user).filter(|job| job["status"] == "FAILED"));
    assert_eq!(failed["failure"]["reason"], "runner_lost", "{failed:#}");
    assert!(!apply.wait().unwrap().success());

    processes.start_runner(&runner);
    until("the state is delivered", || {
        let state = user.json(&["state", "show", "shop"]);
        state["rescued"].as_array().is_some_and(|rescued| !rescued.is_empty()).then_some(())
    });
    until("it is cleared away", || errored_state(&data).is_none().then_some(()));
    goes_on_with_what_was_made(&user, &data, &made, &["recover", "-y", "shop"]);
}

/// Begins an apply in which every resource takes a while; returns once some are there.
fn apply_slowly(user: &User, data: &Path) -> (String, Child, Value) {
    let file = user.spec_file(&example("shop.yaml"));
    let data = data.to_str().unwrap();
    user.slow_creation("aws_*", 700, data);
    let apply = user.command(&["apply", "-y", &file]).stderr(Stdio::null()).spawn().unwrap();
    let job = until("resources are there", || deploy(user).filter(|job| job["progress"]["done"] != 0));
    (file, apply, job)
}

/// The state that Terraform left behind, or the Runner keeps.
fn errored_state(data: &Path) -> Option<PathBuf> {
    let below =
        |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let runners = below(data.join("runners"));
    let folders = runners.flat_map(|runner| below(runner.clone()).chain(below(runner.join("rescued"))));
    let places =
        folders.flat_map(|folder| [folder.join("root/errored.tfstate"), folder.join("errored.tfstate")]);
    places.into_iter().find(|path| path.exists())
}

/// What is in the sandbox cloud, which needs no Console.
fn made(data: &Path) -> BTreeMap<String, String> {
    cloud(&User::embedded(), data.to_str().unwrap())
}

/// What was made is known, so it is made once and goes with a removal.
fn goes_on_with_what_was_made(user: &User, data: &Path, made: &BTreeMap<String, String>, command: &[&str]) {
    let data = data.to_str().unwrap();
    user.ok(&["sandbox", "faults", "clear", "--data-dir", data]);
    let done = user.json(command);
    assert_eq!(done["spec"]["status"], "ACTIVE", "{done:#}");
    let after = cloud(user, data);
    assert!(!made.is_empty());
    for (resource, created) in made {
        assert_eq!(after.get(resource), Some(created), "{resource} was made anew");
    }
    let spec = done["spec"]["name"].as_str().unwrap();
    user.ok(&["destroy", spec, "-y", "--confirm", spec]);
    assert_eq!(cloud(user, data), BTreeMap::new());
}

fn is_online(user: &User, name: &str) -> bool {
    let runners = user.json(&["runner", "list"]);
    let runners = runners.as_array().or_else(|| runners["items"].as_array()).unwrap();
    runners.iter().find(|runner| runner["name"] == name).unwrap()["online"] == true
}
