//! Each check notices what it is for: one small wrong history each, and none of it in the sound one.

use alethia_api::logs::LogChunk;
use alethia_domain::{
    event::EventChange,
    ids::{JobId, SpecId},
    lifecycle::{JobStatus, JobType},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{
    Evidence, all,
    evidence::{Attempt, Event, Version},
};
use crate::{
    history::{Followed, Made},
    journal::{Journal, Run, Snapshot},
};

const LINE: &str = r#"{"@level":"info","@message":"x: Creating...","@timestamp":"2026-11-24T10:15:26.5Z","type":"apply_start"}"#;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::seconds(seconds)
}

/// A DEPLOY that one attempt did between 10 and 20, with one state and one line, and where its journal is.
fn sound() -> (tempfile::TempDir, Evidence) {
    let (folder, job, spec) = (tempfile::tempdir().unwrap(), JobId::generate(), SpecId::generate());
    let journal = Journal::create(folder.path()).unwrap();
    std::fs::write(folder.path().join("lines/one"), format!("{LINE}\n")).unwrap();
    let statuses = [JobStatus::Queued, JobStatus::Claimed, JobStatus::Processing, JobStatus::Success];
    let evidence = Evidence {
        made: vec![Made { job, spec, cancelled: false }],
        jobs: vec![as_told(job, spec)],
        logs: [(job, vec![chunk(1, "prepare\n10:15:26 x: Creating...\n")])].into(),
        attempts: vec![attempt(job, 1, 10, 20)],
        versions: vec![version(spec, job, 1, 15)],
        events: statuses.map(|status| event(spec, job, status)).into(),
        runs: vec![run(spec, job)],
        journal,
        finished: [job].into(),
        ..Evidence::default()
    };
    (folder, evidence)
}

fn as_told(job: JobId, spec: SpecId) -> alethia_api::jobs::Job {
    serde_json::from_value(json!({
        "id": job, "type": "DEPLOY", "status": "SUCCESS", "spec_id": spec, "spec": "a", "zone": "default",
        "revision": 1, "destroy": false, "attempt": 1, "cancel_requested": false, "author": "owner",
        "progress": { "done": 1, "total": 1 }, "created_at": at(0), "started_at": at(11), "finished_at": at(20),
    }))
    .unwrap()
}

fn chunk(sequence: u64, text: &str) -> LogChunk {
    LogChunk { attempt: 1, sequence, at: at(12), text: text.to_owned() }
}

fn attempt(job_id: JobId, attempt: u32, claimed: i64, ended: i64) -> Attempt {
    let token_hash = format!("token {attempt}");
    Attempt { job_id, attempt, token_hash, claimed_at: at(claimed), ended_at: Some(at(ended)) }
}

fn version(spec_id: SpecId, job: JobId, serial: u64, created: i64) -> Version {
    let lineage = "line".to_owned();
    Version { spec_id, serial, lineage, job_id: Some(job), created_at: at(created) }
}

fn event(spec: SpecId, job: JobId, status: JobStatus) -> Event {
    let change = json!({ "type": "job_changed", "job_type": JobType::Deploy, "status": status, "attempt": 1,
            "cancel_requested": false, "kill_requested": false });
    let change: EventChange = serde_json::from_value(change).unwrap();
    Event { spec_id: Some(spec), job_id: Some(job), change }
}

fn run(spec: SpecId, job: JobId) -> Run {
    Run {
        id: "one".to_owned(),
        command: "apply".to_owned(),
        spec,
        job,
        token_hash: "token 1".to_owned(),
        begun: at(12),
        ended: Some(at(19)),
        overlaps: false,
        left_state: None,
    }
}

/// What is found in a history that was sound before this was done to it.
fn found(spoil: impl FnOnce(&mut Evidence)) -> String {
    let (_folder, mut evidence) = sound();
    spoil(&mut evidence);
    all(&evidence).join("\n")
}

#[test]
fn a_sound_history_is_sound() {
    assert_eq!(found(|_| {}), "");
}

#[test]
fn a_lost_job_is_noticed() {
    assert!(found(|it| it.jobs.clear()).contains("was acknowledged and is lost"));
    assert!(found(|it| it.jobs[0].status = JobStatus::Queued).contains("has not ended"));
}

#[test]
fn a_second_live_attempt_is_noticed() {
    let again = |it: &mut Evidence| {
        let job = it.jobs[0].id;
        it.attempts.push(attempt(job, 2, 18, 30));
    };
    assert!(found(again).contains("began before the one before it had ended"));
}

#[test]
fn two_jobs_of_a_spec_at_a_time_are_noticed() {
    let another = |it: &mut Evidence| {
        let spec = it.jobs[0].spec_id;
        it.events.insert(2, event(spec, JobId::generate(), JobStatus::Claimed));
    };
    let found = found(another);
    assert!(found.contains("2 jobs active") && found.contains("2 jobs to change it"), "{found}");
}

#[test]
fn a_status_that_came_from_nowhere_is_noticed() {
    assert!(found(|it| drop(it.events.remove(1))).contains("went from QUEUED to PROCESSING"));
}

#[test]
fn two_terraforms_at_a_time_and_one_of_nobody_are_noticed() {
    assert!(found(|it| it.runs[0].overlaps = true).contains("while another Terraform still did"));
    assert!(found(|it| it.attempts.clear()).contains("ran at"));
}

#[test]
fn a_stale_write_and_a_serial_that_goes_back_are_noticed() {
    assert!(found(|it| it.versions[0].created_at = at(60)).contains("had no attempt then"));
    let back = |it: &mut Evidence| {
        let (spec, job) = (it.jobs[0].spec_id, it.jobs[0].id);
        it.versions.push(version(spec, job, 1, 16));
    };
    assert!(found(back).contains("went from the serial 1 to 1"));
}

#[test]
fn a_state_that_was_left_behind_and_never_came_is_noticed() {
    let left = || Snapshot { lineage: "line".to_owned(), serial: 2 };
    let with = |and: fn(&mut Evidence, Snapshot)| {
        found(|it| {
            it.runs[0].left_state = Some(left());
            and(it, left());
        })
    };
    assert!(with(|_, _| {}).contains("with the serial 2 was left behind"));
    let written = |it: &mut Evidence, left: Snapshot| {
        it.versions.push(version(it.jobs[0].spec_id, it.jobs[0].id, left.serial, 19));
    };
    assert_eq!(with(written), "");
    assert_eq!(with(|it, _| it.arrivals = [(it.jobs[0].id, at(60))].into()), "");
    assert_eq!(with(|it, left| it.refused = [left].into()), "");
}

#[test]
fn gaps_doubles_and_foreign_lines_of_a_log_are_noticed() {
    let with = |chunks: Vec<LogChunk>| {
        found(move |it| {
            let job = it.jobs[0].id;
            it.logs.insert(job, chunks);
        })
    };
    assert!(with(vec![]).contains("ends before"));
    assert!(with(vec![chunk(2, "10:15:26 x: Creating...\n")]).contains("has the chunk 2 where 1 should be"));
    let twice = "10:15:26 x: Creating...\n10:15:26 x: Creating...\n";
    assert!(with(vec![chunk(1, twice)]).contains("which Terraform never wrote"));
    assert!(with(vec![chunk(1, "10:15:26 y: Creating...\n")]).contains("where Terraform wrote"));
}

#[test]
fn the_log_of_a_job_that_was_given_up_with_its_runner_may_end_early() {
    let given_up = found(|it| {
        it.logs.clear();
        it.finished.clear();
    });
    assert_eq!(given_up, "");
}

#[test]
fn a_stream_that_told_too_little_or_too_often_is_noticed() {
    let with = |chunks: Vec<LogChunk>| {
        found(move |it| {
            let job = it.jobs[0].id;
            it.followed.push(Followed { job, chunks, broke: None });
        })
    };
    let line = || chunk(1, "prepare\n10:15:26 x: Creating...\n");
    assert_eq!(with(vec![line()]), "");
    assert!(with(vec![]).contains("told 0 chunks and the log has 1"));
    assert!(with(vec![line(), line()]).contains("told 2 chunks and the log has 1"));
}

#[test]
fn a_secret_is_noticed() {
    let plant = |it: &mut Evidence| {
        it.secrets.insert("planted-secret".to_owned());
        it.texts.push(("the database".to_owned(), "x planted-secret y".to_owned()));
    };
    assert!(found(plant).contains("is in the database"));
}
