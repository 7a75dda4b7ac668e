//! Jobs as people ask for them: once under a key, one at a time, confirmed, cancelled, bound to plans, tried again.

use std::time::{Duration, Instant};

use alethia_api::{
    jobs::NewJob,
    problem::Code,
    runner::{ComponentReport, Finish, Heartbeat, Instruction, Outcome},
};
use alethia_domain::{
    component::{ComponentKind, ComponentRef},
    lifecycle::{ComponentEvent, JobStatus, JobType, SpecStatus},
};
use serde_json::json;

use crate::support::{
    Console, code, document, failure, key, new_job, production, refused, success, take, take_and_start,
};

#[tokio::test]
async fn one_key_makes_one_job() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let key = key();
    let first = console.client.create_job(spec, &new_job(JobType::Plan), &key).await.unwrap();
    let again = console.client.create_job(spec, &new_job(JobType::Plan), &key).await.unwrap();
    assert_eq!(first.id, again.id);
    let other = NewJob { destroy: true, ..new_job(JobType::Plan) };
    assert_eq!(code(console.client.create_job(spec, &other, &key).await), Code::IdempotencyMismatch);
}

#[tokio::test]
async fn only_one_job_that_changes_the_cloud_waits_at_a_time() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    console.create_job(spec, JobType::Deploy).await;
    assert_eq!(console.spec(spec).await.spec.status, SpecStatus::Queued);
    let second = refused(console.client.create_job(spec, &new_job(JobType::Deploy), &key()).await);
    assert_eq!(second.code, Code::Conflict);
    assert_eq!(second.permitted, ["plan"]);
    assert!(second.hint.unwrap().starts_with("alethia jobs wait "));
    console.create_job(spec, JobType::Plan).await;
}

#[tokio::test]
async fn a_deploy_waits_for_a_queued_destroy_to_end() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    console.deploy(&runner, spec, &success()).await;
    let destroy = console.create_job(spec, JobType::Destroy).await;
    let second = refused(console.client.create_job(spec, &new_job(JobType::Deploy), &key()).await);
    assert_eq!(second.hint.unwrap(), format!("alethia jobs wait {}", destroy.id));
    assert_eq!(console.spec(spec).await.spec.status, SpecStatus::Active);
}

#[tokio::test]
async fn a_draft_has_nothing_to_destroy() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let problem = refused(console.client.create_job(spec, &new_job(JobType::Destroy), &key()).await);
    assert_eq!(problem.permitted, ["plan", "deploy"]);
}

#[tokio::test]
async fn production_is_destroyed_only_by_its_name() {
    let console = Console::start().await;
    let spec = console.put(production()).await.spec.id;
    let runner = console.runner().await;
    console.deploy(&runner, spec, &success()).await;
    for confirm in [None, Some("Shop".to_owned())] {
        let new = NewJob { confirm, ..new_job(JobType::Destroy) };
        let problem = refused(console.client.create_job(spec, &new, &key()).await);
        assert_eq!((problem.status, problem.errors[0].path.as_str()), (422, "confirm"));
    }
    console.put(document(&["orders"])).await;
    let unconfirmed = console.client.create_job(spec, &new_job(JobType::Destroy), &key()).await;
    assert_eq!(code(unconfirmed), Code::Invalid, "what is deployed is still production");
    let new = NewJob { confirm: Some("shop".to_owned()), ..new_job(JobType::Destroy) };
    console.client.create_job(spec, &new, &key()).await.unwrap();
}

#[tokio::test]
async fn a_deploy_cancelled_before_it_starts_gives_the_former_status_back() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    let queued = console.create_job(spec, JobType::Deploy).await;
    let job = console.client.cancel_job(queued.id).await.unwrap();
    assert_eq!(job.status, JobStatus::Cancelled);
    assert_eq!(console.spec(spec).await.spec.status, SpecStatus::Draft);
    let claimed = console.create_job(spec, JobType::Deploy).await;
    let taken = take(&runner).await;
    console.client.cancel_job(claimed.id).await.unwrap();
    assert_eq!(console.spec(spec).await.spec.status, SpecStatus::Draft);
    assert_eq!(code(taken.job.start().await), Code::LeaseLost);
    let problem = refused(console.client.cancel_job(claimed.id).await);
    assert_eq!(problem.permitted, ["retry"]);
}

#[tokio::test]
async fn a_cancel_reaches_the_runner_with_its_heartbeat() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    let job = console.create_job(spec, JobType::Deploy).await;
    let taken = take_and_start(&runner).await;
    let reply = taken.job.heartbeat(&Heartbeat::default()).await.unwrap();
    assert_eq!(reply.instruction, Instruction::Continue);
    let asked = console.client.cancel_job(job.id).await.unwrap();
    assert_eq!((asked.status, asked.cancel_requested), (JobStatus::Processing, true));
    let reply = taken.job.heartbeat(&Heartbeat::default()).await.unwrap();
    assert_eq!(reply.instruction, Instruction::Cancel);
    let cancelled = Finish { outcome: Outcome::Cancelled, ..success() };
    taken.job.finish(&cancelled).await.unwrap();
    assert_eq!(console.job(job.id).await.status, JobStatus::Cancelled);
    let spec = console.spec(spec).await.spec;
    assert_eq!(spec.status, SpecStatus::Failed);
    assert!(spec.status_reason.unwrap().contains(&format!("alethia jobs retry {}", job.id)));
}

#[tokio::test]
async fn a_heartbeat_that_waits_is_answered_the_moment_there_is_something_to_do() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    let job = console.create_job(spec, JobType::Deploy).await;
    let taken = take_and_start(&runner).await;
    let waiting = Heartbeat { wait_seconds: 30, ..Heartbeat::default() };
    let begun = Instant::now();
    let cancel = async { console.client.cancel_job(job.id).await.unwrap() };
    let (reply, _) = tokio::join!(taken.job.heartbeat(&waiting), cancel);
    assert_eq!(reply.unwrap().instruction, Instruction::Cancel);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let told = Heartbeat { told: Instruction::Cancel, ..waiting };
    let kill = async { console.client.kill_job(job.id).await.unwrap() };
    let (reply, _) = tokio::join!(taken.job.heartbeat(&told), kill);
    assert_eq!(reply.unwrap().instruction, Instruction::Kill);
    let end = async {
        let cancelled = Finish { outcome: Outcome::Cancelled, ..success() };
        taken.job.finish(&cancelled).await.unwrap();
    };
    let told = Heartbeat { told: Instruction::Kill, ..told };
    let (reply, ()) = tokio::join!(taken.job.heartbeat(&told), end);
    assert_eq!(code(reply), Code::LeaseLost);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_claimed_job_that_is_given_back_waits_again_and_its_token_is_worthless() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    let job = console.create_job(spec, JobType::Deploy).await;
    let taken = take(&runner).await;
    taken.job.release().await.unwrap();
    assert_eq!(console.job(job.id).await.status, JobStatus::Queued);
    assert_eq!(code(taken.job.start().await), Code::LeaseLost);
    let again = take_and_start(&runner).await;
    assert_eq!(again.claim.attempt, 2);
    assert_eq!(code(again.job.release().await), Code::Conflict);
}

#[tokio::test]
async fn a_plan_that_does_not_fit_any_more_says_what_changed() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    let plan = console.plan(&runner, spec, false).await;
    console.put(document(&["orders", "mails"])).await;
    let bound = NewJob { plan_job_id: Some(plan.id), ..new_job(JobType::Deploy) };
    let problem = refused(console.client.create_job(spec, &bound, &key()).await);
    assert_eq!(problem.code, Code::Conflict);
    assert!(problem.detail.contains("the Spec changed since"), "{}", problem.detail);
    assert_eq!(console.spec(spec).await.spec.status, SpecStatus::Draft);
}

#[tokio::test]
async fn a_plan_is_bound_to_the_state_it_was_made_with() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    let plan = console.plan(&runner, spec, false).await;
    console.create_job(spec, JobType::Deploy).await;
    let taken = take_and_start(&runner).await;
    let state = json!({ "version": 4, "serial": 1, "lineage": "one", "resources": [] });
    let write = console
        .open_request(reqwest::Method::POST, &format!("/api/v1/state/{spec}"))
        .basic_auth("job", Some(&taken.claim.job_token))
        .json(&state);
    assert!(write.send().await.unwrap().status().is_success());
    taken.job.finish(&success()).await.unwrap();
    let bound = NewJob { plan_job_id: Some(plan.id), ..new_job(JobType::Deploy) };
    let problem = refused(console.client.create_job(spec, &bound, &key()).await);
    assert!(problem.detail.contains("the state changed since"), "{}", problem.detail);
}

#[tokio::test]
async fn only_a_fitting_plan_can_be_bound() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    let removal = console.plan(&runner, spec, true).await;
    let bound = NewJob { plan_job_id: Some(removal.id), ..new_job(JobType::Deploy) };
    let problem = refused(console.client.create_job(spec, &bound, &key()).await);
    assert_eq!(problem.errors[0].path, "plan_job_id");
    let waiting = console.create_job(spec, JobType::Plan).await;
    let bound = NewJob { plan_job_id: Some(waiting.id), ..new_job(JobType::Deploy) };
    assert_eq!(code(console.client.create_job(spec, &bound, &key()).await), Code::Conflict);
}

#[tokio::test]
async fn a_failed_job_is_tried_again_on_the_same_revision() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    let job = console.deploy(&runner, spec, &failure("no quota")).await;
    console.put(document(&["orders", "mails"])).await;
    let again = console.client.retry_job(job, &key()).await.unwrap();
    assert_eq!((again.job_type, again.revision, again.retry_of), (JobType::Deploy, 1, Some(job)));
    assert_eq!(console.spec(spec).await.spec.status, SpecStatus::Queued);
    let problem = refused(console.client.retry_job(again.id, &key()).await);
    assert_eq!(problem.permitted, ["cancel"]);
}

#[tokio::test]
async fn some_jobs_can_not_be_asked_for() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let wrong = [
        (new_job(JobType::Bootstrap), "type"),
        (NewJob { destroy: true, ..new_job(JobType::Deploy) }, "destroy"),
        (NewJob { required_labels: vec!["E U".to_owned()], ..new_job(JobType::Plan) }, "required_labels[0]"),
    ];
    for (new, path) in wrong {
        let problem = refused(console.client.create_job(spec, &new, &key()).await);
        assert_eq!(problem.errors[0].path, path);
    }
}

#[tokio::test]
async fn a_removal_of_production_that_never_began_is_confirmed_anew() {
    let console = Console::start().await;
    let spec = console.put(production()).await.spec.id;
    let runner = console.runner().await;
    console.deploy(&runner, spec, &success()).await;
    let confirmed = NewJob { confirm: Some("shop".to_owned()), ..new_job(JobType::Destroy) };
    let slip = console.client.create_job(spec, &confirmed, &key()).await.unwrap();
    console.client.cancel_job(slip.id).await.unwrap();
    let again = refused(console.client.retry_job(slip.id, &key()).await);
    assert_eq!(again.code, Code::Conflict);
    assert_eq!(again.hint.as_deref(), Some("alethia destroy default/shop --confirm shop"));
    console.client.create_job(spec, &confirmed, &key()).await.unwrap();
    let taken = take_and_start(&runner).await;
    taken.job.finish(&failure("it broke")).await.unwrap();
    console.client.retry_job(taken.claim.job_id, &key()).await.unwrap();
}

#[tokio::test]
async fn what_a_failed_job_says_is_told_in_full_once_and_in_short_elsewhere() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    let report = ComponentReport {
        component: ComponentRef::named(ComponentKind::Queue, "orders"),
        event: ComponentEvent::Build,
        reason: None,
        done: 0,
        total: 1,
    };
    let failed = failure(&format!("{}\nmore", "ä".repeat(100_000)));
    let job = console.deploy(&runner, spec, &Finish { components: vec![report], ..failed }).await;
    let told = console.job(job).await.failure.unwrap().message;
    assert!((10_000..=16_384).contains(&told.len()), "{}", told.len());
    let spec = console.spec(spec).await;
    let reasons = [spec.spec.status_reason.unwrap(), spec.components[0].status_reason.clone().unwrap()];
    for reason in reasons {
        assert!(reason.len() < 1200, "{}", reason.len());
    }
}

#[tokio::test]
async fn production_that_failed_half_way_is_production_whatever_is_written_after() {
    let console = Console::start().await;
    let spec = console.put(production()).await.spec.id;
    let runner = console.runner().await;
    console.deploy(&runner, spec, &failure("it broke")).await;
    console.put(document(&["orders"])).await;
    let slip = console.client.create_job(spec, &new_job(JobType::Destroy), &key()).await;
    assert_eq!(refused(slip).errors[0].path, "confirm");
}
