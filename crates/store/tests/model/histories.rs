//! Histories that no store may make. Each is told to a [`Story`], which must say what is wrong with it.

use alethia_domain::{
    event::EventChange,
    ids::{JobId, SpecId},
    lifecycle::{JobStatus, JobType, SpecStatus},
};
use alethia_store::{events::Event, jobs::Fence, states::StateVersion};
use chrono::Utc;

use crate::invariants::{Answer, Story, Verdict};

use JobStatus::{Cancelled, Claimed, Processing, Queued, Success};

/// Tells how one job went: status and attempt, one event each.
fn tell(
    story: &mut Story,
    spec: SpecId,
    job: JobId,
    job_type: JobType,
    went: &[(JobStatus, u32)],
) -> Verdict {
    went.iter().try_for_each(|(status, attempt)| {
        let change = EventChange::JobChanged {
            job_type,
            status: *status,
            attempt: *attempt,
            cancel_requested: false,
            kill_requested: false,
            failure: None,
        };
        story.event(&event(story.last_event + 1, spec, Some(job), change))
    })
}

fn event(id: i64, spec: SpecId, job_id: Option<JobId>, change: EventChange) -> Event {
    Event { id, at: Utc::now(), spec_id: Some(spec), job_id, change }
}

/// What is said of one job that went like this.
fn verdict(job_type: JobType, went: &[(JobStatus, u32)]) -> String {
    let told = tell(&mut Story::default(), SpecId::generate(), JobId::generate(), job_type, went);
    told.err().unwrap_or_default()
}

#[test]
fn a_job_that_goes_its_way_is_fine() {
    assert_eq!(verdict(JobType::Deploy, &[(Queued, 0), (Claimed, 1), (Processing, 1), (Success, 1)]), "");
    assert_eq!(verdict(JobType::Plan, &[(Queued, 0), (Claimed, 1), (Queued, 1), (Cancelled, 1)]), "");
}

#[test]
fn a_job_that_leaves_its_way_is_found() {
    let twice = [(Queued, 0), (Claimed, 1), (Processing, 1), (Success, 1), (Cancelled, 1)];
    assert_eq!(verdict(JobType::Deploy, &twice), "a job went from SUCCESS to CANCELLED");
    let skipped = [(Queued, 0), (Claimed, 2)];
    assert_eq!(verdict(JobType::Deploy, &skipped), "attempt 0 became 2 as the job became CLAIMED");
    assert_eq!(verdict(JobType::Plan, &[(Claimed, 1)]), "a job begins CLAIMED, attempt 1");
}

#[test]
fn work_that_is_done_again_is_found() {
    let attempt = |number| [(Claimed, number), (Processing, number), (Queued, number)];
    let tries = |count: u32| [vec![(Queued, 0)], (1..=count).flat_map(attempt).collect()].concat();
    assert_eq!(verdict(JobType::Deploy, &tries(1)), "");
    assert_eq!(verdict(JobType::Deploy, &tries(2)), "a DEPLOY began 2 times; allowed: 1");
    assert_eq!(verdict(JobType::Plan, &tries(3)), "");
    assert_eq!(verdict(JobType::Plan, &tries(4)), "a PLAN began 4 times; allowed: 3");
}

#[test]
fn two_jobs_of_one_spec_at_once_are_found() {
    let (mut story, spec) = (Story::default(), SpecId::generate());
    let claimed = [(Queued, 0), (Claimed, 1)];
    tell(&mut story, spec, JobId::generate(), JobType::Plan, &claimed).unwrap();
    let second = tell(&mut story, spec, JobId::generate(), JobType::Plan, &claimed);
    assert_eq!(second.unwrap_err(), "two jobs of one Spec are with Runners");
    let (mut story, queued) = (Story::default(), [(Queued, 0)]);
    tell(&mut story, spec, JobId::generate(), JobType::Deploy, &queued).unwrap();
    let second = tell(&mut story, spec, JobId::generate(), JobType::Destroy, &queued);
    assert_eq!(second.unwrap_err(), "two jobs that change the cloud are pending in one Spec");
}

#[test]
fn a_late_write_that_was_accepted_is_found() {
    let (mut story, job_id) = (Story::default(), JobId::generate());
    let again = [(Queued, 0), (Claimed, 1), (Queued, 1), (Claimed, 2)];
    tell(&mut story, SpecId::generate(), job_id, JobType::Plan, &again).unwrap();
    let write = |attempt, answer| story.write(Fence { job_id, attempt }, answer);
    assert_eq!(write(1, Answer::Accepted).unwrap_err(), "a write of attempt 1 was accepted: stale fence");
    assert_eq!(write(1, Answer::LeaseLost), Ok(()));
    assert_eq!(write(2, Answer::Accepted), Ok(()));
    assert_eq!(write(2, Answer::LeaseLost).unwrap_err(), "attempt 2 is live, and was told that it is over");
}

#[test]
fn numbers_that_do_not_grow_and_jumps_of_a_spec_are_found() {
    let (mut story, spec) = (Story::default(), SpecId::generate());
    let change = |status| EventChange::SpecChanged { status };
    story.event(&event(5, spec, None, change(SpecStatus::Queued))).unwrap();
    let jump = story.event(&event(6, spec, None, change(SpecStatus::Destroying)));
    assert_eq!(jump.unwrap_err(), "a Spec went from QUEUED to DESTROYING");
    let same = story.event(&event(6, spec, None, change(SpecStatus::Destroying)));
    assert_eq!(same.unwrap_err(), "event 6 came after event 6");
    let version = |serial| StateVersion {
        serial,
        lineage: "l".to_owned(),
        md5: String::new(),
        size: 0,
        resources: 0,
        job_id: None,
        created_at: Utc::now(),
    };
    story.version(spec, &version(4)).unwrap();
    let back = story.version(spec, &version(4));
    assert_eq!(back.unwrap_err(), "serial 4 came after serial 4 of the same lineage");
}
