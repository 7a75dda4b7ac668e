//! A Runner or a Console that is killed in the middle of an apply: nothing is lost, nothing is made twice, nothing is said
//! that is not so.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Stdio,
    time::Duration,
};

use alethia_testkit::processes::{self, working_below};
use serde_json::{Value, json};

use crate::{
    common::{User, cloud, example, statuses},
    processes::Processes,
};

/// Longer than a lease and all that follows its end.
const PATIENCE: Duration = Duration::from_secs(90);

#[test]
fn a_killed_runner_costs_a_job_and_recover_brings_the_rest_to_its_end() {
    let mut processes = Processes::with_lease(15);
    let (user, data) = (processes.user(), processes.runners_data());
    let file = user.spec_file(&example("shop.yaml"));
    let data = data.to_str().unwrap();
    user.slow_creation("aws_rds_cluster.*", 4000, data);

    let mut apply = user.command(&["apply", "-y", &file]).stderr(Stdio::null()).spawn().unwrap();
    let job = until("resources are there", || deploy(&user).filter(|job| job["progress"]["done"] != 0));
    processes.kill_runner(job["runner"].as_str().unwrap());
    until_gone("Terraform is gone", &Path::new(data).join("runners"));
    let made = cloud(&user, data);
    let failed = until("the job ends", || deploy(&user).filter(|job| job["status"] == "FAILED"));
    assert!(!apply.wait().unwrap().success());
    assert_eq!(failed["failure"]["reason"], "runner_lost", "{failed:#}");
    assert_eq!(failed["attempt"], 1, "{failed:#}");

    processes.start_runner(job["runner"].as_str().unwrap());
    user.ok(&["sandbox", "faults", "clear", "--data-dir", data]);
    assert_eq!(deploy(&user).unwrap()["id"], job["id"], "the job that changes things ran again by itself");
    let state = user.json(&["state", "show", "shop"]);
    assert_eq!(state["lock"], Value::Null, "Terraform had no time to release its lock: {state:#}");
    it_says_how_to_go_on(&user, &failed);
    recover_goes_on(&user, &file, data, &made);
}

#[test]
fn a_console_that_is_killed_and_comes_back_costs_a_running_job_nothing() {
    let mut processes = Processes::start();
    let (user, data) = (processes.user(), processes.runners_data());
    let file = user.spec_file(&example("shop.yaml"));
    let data = data.to_str().unwrap();
    user.slow_creation("aws_*", 1000, data);

    let mut apply = user.command(&["apply", "-y", &file]).stderr(Stdio::null()).spawn().unwrap();
    let job = until("resources are there", || deploy(&user).filter(|job| job["progress"]["done"] != 0));
    processes.kill_console();
    let before = cloud(&user, data).len();
    until("Terraform goes on", || (cloud(&user, data).len() > before + 10).then_some(()));
    processes.start_console();
    assert!(apply.wait().unwrap().success());

    let ended = deploy(&user).unwrap();
    assert_eq!((&ended["id"], &ended["status"]), (&job["id"], &Value::from("SUCCESS")), "{ended:#}");
    assert_eq!(ended["attempt"], 1, "{ended:#}");
    let log = user.ok(&["jobs", "logs", job["id"].as_str().unwrap()]).stdout;
    let told: Vec<&str> = log.lines().filter(|line| line.contains(": Creation complete after")).collect();
    assert_eq!(told.len() as u64, ended["progress"]["total"].as_u64().unwrap(), "{log}");
    assert_eq!(BTreeSet::from_iter(&told).len(), told.len(), "a line is there twice: {log}");
}

#[test]
fn a_console_that_is_away_when_terraform_writes_its_state_costs_a_job_nothing() {
    let mut processes = Processes::start();
    let (user, data) = (processes.user(), processes.runners_data());
    let mut document = example("minimal.yaml");
    user.json(&["apply", "-y", &user.spec_file(&document)]);
    document["queues"].as_array_mut().unwrap().push(json!({ "name": "more" }));
    let file = user.spec_file(&document);
    user.slow_creation("aws_*", 5000, data.to_str().unwrap());

    // Terraform has read the state that it goes on from, so the next that it does to it is a write.
    let mut apply = user.command(&["apply", "-y", &file]).stderr(Stdio::null()).spawn().unwrap();
    until("the queue is on its way", || {
        let job = deploy(&user).filter(|job| job["status"] == "PROCESSING")?;
        user.ok(&["jobs", "logs", job["id"].as_str()?]).stdout.contains(": Creating...").then_some(())
    });
    processes.kill_console();
    processes.be_away_until("POST /api/v1/state/");
    processes.start_console();
    assert!(apply.wait().unwrap().success());

    let ended = deploy(&user).unwrap();
    assert_eq!((&ended["status"], &ended["attempt"]), (&"SUCCESS".into(), &1.into()), "{ended:#}");
    let log = user.ok(&["jobs", "logs", ended["id"].as_str().unwrap()]).stdout;
    assert!(!log.contains("could not write its state"), "{log}");
    assert_eq!(user.json(&["state", "show", "minimal"])["lock"], Value::Null);
    let again = user.json(&["apply", "-y", &file]);
    assert_eq!(again["changed"], false, "the state does not know what was made: {again:#}");
}

fn it_says_how_to_go_on(user: &User, failed: &Value) {
    assert_eq!(failed["failure"]["hint"], "alethia recover default/shop", "{failed:#}");
    let spec = user.json(&["spec", "get", "shop"]);
    let reason = spec["status_reason"].as_str().unwrap();
    assert!(reason.ends_with("alethia recover default/shop"), "{reason}");
}

/// What was made is known, so it is made once; what is known goes with a removal, so what stays was forgotten.
fn recover_goes_on(user: &User, file: &str, data: &str, made: &BTreeMap<String, String>) {
    let declined = user.run(&["recover", "shop"]);
    assert_eq!(declined.code, 3, "it asks before it changes anything: {}", declined.stderr);
    assert_eq!(&cloud(user, data), made);
    let recovered = user.json(&["recover", "shop", "-y"]);
    assert_eq!(recovered["spec"]["status"], "ACTIVE", "{recovered:#}");
    assert_eq!(recovered["job"]["retry_of"], recovered["recovery"]["lost"]["id"]);
    assert!(statuses(&recovered["spec"]).values().all(|status| status == "ACTIVE"), "{recovered:#}");
    let again = user.json(&["apply", "-y", file]);
    assert_eq!(again["changed"], false, "nothing was left to do: {again:#}");
    let after = cloud(user, data);
    for (resource, created) in made {
        assert_eq!(after.get(resource), Some(created), "{resource} was made anew");
    }
    user.ok(&["destroy", "shop", "-y", "--confirm", "shop"]);
    assert_eq!(cloud(user, data), BTreeMap::new());
}

/// The newest job that changes things.
pub(crate) fn deploy(user: &User) -> Option<Value> {
    let jobs = user.json(&["jobs", "list"]);
    let jobs = jobs.as_array().or_else(|| jobs["items"].as_array()).unwrap();
    jobs.iter().find(|job| job["type"] == "DEPLOY").cloned()
}

/// Waits until no process works below a folder.
pub(crate) fn until_gone(what: &str, folder: &Path) {
    until(what, || working_below(folder).is_empty().then_some(()));
}

pub(crate) fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    processes::until(what, PATIENCE, look)
}
