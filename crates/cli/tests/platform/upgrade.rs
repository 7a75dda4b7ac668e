//! A platform that an earlier release left, served by the binary of today. What the store makes of it is tested there; here
//! it comes out of every door: lists, details, logs, states.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use alethia_testkit::{postgres::Postgres, processes::until};
use serde_json::Value;

use crate::common::{User, statuses};

/// `alethia serve` on the data folder of a user; it ends with the value.
struct Console(Child);

impl Drop for Console {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn what_a_release_left_is_served_whole() {
    let releases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store/tests/releases");
    let releases: Vec<_> = fs::read_dir(releases).unwrap().map(|release| release.unwrap().path()).collect();
    assert!(!releases.is_empty());
    for release in releases {
        let (user, _console) = serve(&release);
        let portrait = fs::read_to_string(release.join("postgres/portrait.json")).unwrap();
        let portrait: Value = serde_json::from_str(&portrait).unwrap();
        let specs = portrait["specs"].as_array().unwrap();
        same(&user.json(&["spec", "list"]), specs, &["id", "zone", "name", "status", "revision"]);
        specs.iter().for_each(|spec| spec_is_served(&user, spec));
        let jobs = portrait["jobs"].as_array().unwrap();
        same(&user.json(&["jobs", "list"]), jobs, &["id", "type", "status", "spec", "zone", "attempt"]);
        jobs.iter().for_each(|job| job_is_served(&user, job));
    }
}

fn spec_is_served(user: &User, kept: &Value) {
    let name = format!("{}/{}", kept["zone"].as_str().unwrap(), kept["name"].as_str().unwrap());
    let components = statuses(&user.json(&["spec", "get", &name]));
    let kept_components = kept["components"].as_array().unwrap();
    assert_eq!(components.len(), kept_components.len(), "{name}");
    for component in kept_components {
        assert_eq!(components[component[0].as_str().unwrap()], component[1], "{name}");
    }
    let state = &kept["state"];
    assert_eq!(user.json(&["state", "show", &name])["current"]["serial"], state["current"], "{name}");
    if let Some(newest) = state["versions"].get(0) {
        let content = user.json(&["state", "show", &name, "--content"]);
        assert_eq!((&content["serial"], &content["lineage"]), (&newest[0], &newest[1]), "{name}");
    }
}

fn job_is_served(user: &User, kept: &Value) {
    let id = kept["id"].as_str().unwrap();
    let job = user.json(&["jobs", "get", id]);
    assert_eq!(job["failure"], kept["failure"], "{id}");
    let log = user.json(&["jobs", "logs", id]);
    let log =
        log.as_array().unwrap().iter().map(|chunk| (&chunk["attempt"], &chunk["sequence"], &chunk["text"]));
    let kept = kept["log"].as_array().unwrap().iter().map(|chunk| (&chunk[0], &chunk[1], &chunk[3]));
    assert!(log.eq(kept), "the log of {id} is another one");
}

/// What is listed is what was kept, in these fields and in this order.
fn same(listed: &Value, kept: &[Value], fields: &[&str]) {
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), kept.len(), "{listed:#?}");
    for (listed, kept) in listed.iter().zip(kept) {
        for field in fields {
            assert_eq!(listed[field], kept[field], "{field} of {kept}");
        }
    }
}

/// A Console on what the release left, with leases that do not end meanwhile.
fn serve(release: &Path) -> (User, Console) {
    let user = User::embedded();
    let (data, postgres) = (user.data(), Postgres::shared().unwrap());
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    let copied = Command::new("cp").arg("-R").arg(release.join("postgres/blobs")).arg(&data).status();
    assert!(copied.unwrap().success());
    fs::copy(release.join("key"), data.join("master-key")).unwrap();
    fs::set_permissions(data.join("master-key"), fs::Permissions::from_mode(0o600)).unwrap();
    let database = postgres.create_database().unwrap();
    postgres.run(&database, &fs::read_to_string(release.join("postgres/dump.sql")).unwrap()).unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--database", &database, "--lease", "600"];
    let console = Console(user.command(&serve).stdout(Stdio::null()).spawn().unwrap());
    let announced = data.join("console.json");
    until("the Console is there", Duration::from_secs(30), || announced.exists().then_some(()));
    (user, console)
}
