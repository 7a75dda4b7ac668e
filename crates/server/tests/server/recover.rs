//! A change that broke off: what is known of it, and how its Spec is brought back.

use std::time::Duration;

use alethia_api::{
    client::{Client, RunnerClient, StreamItem},
    identities::NewCloudIdentity,
    jobs::NewJob,
    problem::Code,
    runner::{Finish, Heartbeat, Instruction, Outcome},
    specs::PutSpec,
    states::Recovery,
};
use alethia_domain::{
    access::CloudAccess,
    event::EventChange,
    ids::{JobId, SpecId},
    lifecycle::{FailureReason, JobStatus, JobType, SpecStatus},
    orphan::OrphanReason,
    role::Role,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    Console, Taken, code, document, eventually, key, new_job, production, refused, success, take,
    take_and_start,
};

async fn impatient() -> Console {
    Console::with(|config| config.lease = Duration::from_millis(1500)).await
}

#[tokio::test]
async fn a_lost_deploy_is_brought_back_from_the_state_that_came_late() {
    let console = impatient().await;
    let runner = console.runner().await;
    let (spec, taken) = deploying(&console, &runner, document(&["orders"])).await;
    backend(&console, &taken, "POST", "?ID=one", &state(1)).await;
    let lost = lose(&console, taken.claim.job_id).await;
    console.put(document(&["orders", "mails"])).await;
    let known = console.client.state(spec).await.unwrap();
    let orphaned = known.lock.unwrap().orphaned.unwrap();
    assert_eq!(orphaned.reason, OrphanReason::RunnerLost);
    taken.job.rescue_state(state(4).to_string().into()).await.unwrap();
    assert_eq!(console.client.state(spec).await.unwrap().current.unwrap().serial, 1);

    let key = key();
    let recovery = console.client.recover(spec, &key).await.unwrap();
    assert_eq!((recovery.lost.id, recovery.released.unwrap().job_id), (lost, Some(lost)));
    let (adopted, plan) = (recovery.adopted.unwrap(), recovery.plan);
    assert_eq!((adopted.serial, adopted.job_id), (4, Some(lost)));
    assert_eq!((plan.revision, plan.retry_of, plan.destroy), (1, Some(lost), false));
    assert_eq!(console.client.recover(spec, &key).await.unwrap().plan.id, plan.id, "the same answer again");

    let planned = plan_it(&runner).await;
    assert_eq!((planned.claim.job_id, planned.claim.state.serial), (plan.id, 4));
    let bound = NewJob { plan_job_id: Some(plan.id), ..new_job(JobType::Deploy) };
    let deploy = console.client.create_job(spec, &bound, &crate::support::key()).await.unwrap();
    assert_eq!((deploy.revision, deploy.retry_of), (1, Some(lost)));
    let deploying = take_and_start(&runner).await;
    assert_eq!(
        deploying.claim.document["queues"].as_array().unwrap().len(),
        1,
        "what the lost job was to do"
    );
    deploying.job.finish(&success()).await.unwrap();
    let spec = console.spec(spec).await.spec;
    assert_eq!((spec.status, spec.deployed_revision, spec.revision), (SpecStatus::Active, Some(1), 2));
}

/// By its own word it is as good as no state: serial 0 and no lineage.
#[tokio::test]
async fn a_plan_of_no_state_does_not_fit_a_first_state_that_terraform_could_not_write() {
    let console = Console::start().await;
    let runner = console.runner().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let plan = console.create_job(spec, JobType::Plan).await;
    plan_it(&runner).await;
    let bound = NewJob { plan_job_id: Some(plan.id), ..new_job(JobType::Deploy) };
    console.client.create_job(spec, &bound, &key()).await.unwrap();
    let taken = take_and_start(&runner).await;
    let unwritten = json!({ "version": 4, "serial": 0, "lineage": "", "resources": [] });
    for _ in 0..2 {
        taken.job.write_state(spec, "one", unwritten.to_string().into()).await.unwrap();
    }
    let failed = Finish { outcome: Outcome::failed(FailureReason::Terraform, "no"), ..success() };
    taken.job.finish(&failed).await.unwrap();
    let again = refused(console.client.create_job(spec, &bound, &key()).await);
    assert!(again.to_string().contains("the state changed"), "{again}");
    assert_eq!(console.client.state(spec).await.unwrap().current.unwrap().serial, 1);
}

#[tokio::test]
async fn no_change_goes_on_without_a_state_that_came_late() {
    let console = impatient().await;
    let runner = console.runner().await;
    let (spec, taken) = deploying(&console, &runner, document(&["orders"])).await;
    let lost = lose(&console, taken.claim.job_id).await;
    taken.job.rescue_state(state(1).to_string().into()).await.unwrap();
    for refusal in [
        console.client.create_job(spec, &new_job(JobType::Deploy), &key()).await,
        console.client.create_job(spec, &new_job(JobType::Destroy), &key()).await,
        console.client.retry_job(lost, &key()).await,
    ] {
        let refusal = refused(refusal);
        assert_eq!(
            (refusal.code, refusal.hint.as_deref()),
            (Code::Conflict, Some("alethia recover default/shop"))
        );
    }
    let plan = console.client.recover(spec, &key()).await.unwrap().plan;
    plan_it(&runner).await;
    let bound = NewJob { plan_job_id: Some(plan.id), ..new_job(JobType::Deploy) };
    console.client.create_job(spec, &bound, &key()).await.unwrap();
}

#[tokio::test]
async fn what_can_not_be_planned_any_more_is_recovered_from_the_newest_revision() {
    let console = impatient().await;
    let runner = console.runner().await;
    let through = |identity: &str| {
        let mut document = document(&["orders"]);
        document["cloud"]["identity"] = json!(identity);
        document
    };
    for name in ["former", "present"] {
        let access = CloudAccess::Aws { role_arn: None, external_id: None };
        let identity = NewCloudIdentity { name: name.to_owned(), access };
        console.client.create_identity(&identity).await.unwrap();
    }
    let (spec, taken) = deploying(&console, &runner, through("former")).await;
    let lost = lose(&console, taken.claim.job_id).await;
    console.put(through("present")).await;
    console.client.delete_identity("former").await.unwrap();
    taken.job.rescue_state(state(1).to_string().into()).await.unwrap();
    let Recovery { plan, adopted, .. } = console.client.recover(spec, &key()).await.unwrap();
    assert_eq!((plan.revision, plan.retry_of, adopted.unwrap().serial), (2, Some(lost), 1));
    plan_it(&runner).await;
    let bound = NewJob { plan_job_id: Some(plan.id), ..new_job(JobType::Deploy) };
    assert_eq!(console.client.create_job(spec, &bound, &key()).await.unwrap().revision, 2);
}

#[tokio::test]
async fn a_recovery_is_told_in_the_audit_log() {
    let console = impatient().await;
    let runner = console.runner().await;
    let (spec, taken) = deploying(&console, &runner, document(&["orders"])).await;
    lose(&console, taken.claim.job_id).await;
    taken.job.rescue_state(state(1).to_string().into()).await.unwrap();
    console.client.recover(spec, &key()).await.unwrap();
    let page = alethia_store::PageRequest::first(50);
    let entries = alethia_store::audit::list(&console.server.app().store, page).await.unwrap().items;
    for action in ["state.rescue", "state.unlock", "state.adopt", "spec.recover"] {
        assert!(entries.iter().any(|entry| entry.entry.action == action), "{action} is not in {entries:?}");
    }
}

#[tokio::test]
async fn where_nothing_broke_off_there_is_nothing_to_recover() {
    let console = Console::start().await;
    let runner = console.runner().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let never = refused(console.client.recover(spec, &key()).await);
    assert_eq!((never.code, never.hint.as_deref()), (Code::Conflict, Some("alethia plan default/shop")));
    let job = console.create_job(spec, JobType::Deploy).await;
    let busy = refused(console.client.recover(spec, &key()).await);
    assert_eq!(busy.hint, Some(format!("alethia jobs wait {}", job.id)));
    take_and_start(&runner).await.job.finish(&success()).await.unwrap();
    assert_eq!(code(console.client.recover(spec, &key()).await), Code::Conflict, "it is ACTIVE");
}

#[tokio::test]
async fn a_lost_destroy_of_production_still_needs_its_name() {
    let console = Console::start().await;
    let runner = console.runner().await;
    let spec = console.put(production()).await.spec.id;
    console.deploy(&runner, spec, &success()).await;
    let confirmed = NewJob { confirm: Some("shop".to_owned()), ..new_job(JobType::Destroy) };
    console.client.create_job(spec, &confirmed, &key()).await.unwrap();
    let failed = Finish { outcome: Outcome::failed(FailureReason::RunnerLost, "gone"), ..success() };
    take_and_start(&runner).await.job.finish(&failed).await.unwrap();

    let Recovery { plan, .. } = console.client.recover(spec, &key()).await.unwrap();
    assert!(plan.destroy);
    plan_it(&runner).await;
    let bound = |confirm| NewJob { plan_job_id: Some(plan.id), confirm, ..new_job(JobType::Destroy) };
    let unconfirmed = refused(console.client.create_job(spec, &bound(None), &key()).await);
    assert_eq!(unconfirmed.errors[0].path, "confirm");
    console.client.create_job(spec, &bound(Some("shop".to_owned())), &key()).await.unwrap();
}

#[tokio::test]
async fn a_job_is_killed_only_by_an_admin_and_after_it_was_asked_to_end() {
    let console = Console::start().await;
    let runner = console.runner().await;
    let (spec, taken) = deploying(&console, &runner, document(&["orders"])).await;
    let job = taken.claim.job_id;
    let operator = Client::new(&console.server.url(), &console.token(Role::Operator).await).unwrap();
    assert_eq!(code(operator.kill_job(job).await), Code::Forbidden);
    let early = refused(console.client.kill_job(job).await);
    assert_eq!((early.code, early.hint), (Code::Conflict, Some(format!("alethia jobs cancel {job}"))));
    assert!(!operator.cancel_job(job).await.unwrap().kill_requested);
    assert_eq!(told(&taken).await, Instruction::Cancel);
    let mut told_of = console.client.follow_job(job, None);
    assert!(console.client.kill_job(job).await.unwrap().kill_requested);
    while !is_of_the_kill(&told_of.next().await.unwrap().expect("the job goes on")) {}
    assert_eq!(told(&taken).await, Instruction::Kill);
    taken.job.finish(&Finish { outcome: Outcome::Cancelled, ..success() }).await.unwrap();
    assert_eq!(console.job(job).await.status, JobStatus::Cancelled);
    let reason = console.spec(spec).await.spec.status_reason.unwrap();
    assert!(reason.ends_with("bring it back with: alethia recover default/shop"), "{reason}");
    let lock = console.client.state(spec).await.unwrap().lock.unwrap();
    assert_eq!(lock.orphaned.unwrap().reason, OrphanReason::Killed);
}

fn is_of_the_kill(item: &StreamItem) -> bool {
    let StreamItem::Change(event) = item else { return false };
    matches!(event.change, EventChange::JobChanged { kill_requested: true, .. })
}

#[tokio::test]
async fn a_cancel_without_a_body_or_with_one_is_understood() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    for body in [None, Some(json!({})), Some(json!({ "force": true }))] {
        let job = console.create_job(spec, JobType::Plan).await;
        let cancel = console.request(Method::POST, &format!("/jobs/{}/cancel", job.id));
        let cancel = match &body {
            Some(body) => cancel.json(body),
            None => cancel,
        };
        assert_eq!(cancel.send().await.unwrap().status(), StatusCode::OK, "{body:?}");
    }
    let job = console.create_job(spec, JobType::Plan).await;
    let wrong =
        console.request(Method::POST, &format!("/jobs/{}/cancel", job.id)).json(&json!({ "farce": 1 }));
    assert_eq!(wrong.send().await.unwrap().status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_state_that_comes_late_is_taken_from_who_had_the_attempt_alone() {
    let console = Console::start().await;
    let runner = console.runner().await;
    let (spec, taken) = deploying(&console, &runner, document(&["orders"])).await;
    backend(&console, &taken, "UNLOCK", "", &json!({ "ID": "one" })).await;
    let failed = Finish { outcome: Outcome::failed(FailureReason::Terraform, "no"), ..success() };
    taken.job.finish(&failed).await.unwrap();
    assert_eq!(code(taken.job.rescue_state("nothing".into()).await), Code::Invalid);
    for _ in 0..2 {
        taken.job.rescue_state(state(2).to_string().into()).await.unwrap();
    }
    let late = console.client.state(spec).await.unwrap().rescued;
    assert_eq!((late.len(), late[0].serial, late[0].job_id), (1, 2, taken.claim.job_id));
    console.create_job(spec, JobType::Plan).await;
    let plan = take_and_start(&runner).await;
    assert_eq!(code(plan.job.rescue_state(state(3).to_string().into()).await), Code::Conflict);
}

/// A DEPLOY under way that holds the lock `one`.
async fn deploying(console: &Console, runner: &RunnerClient, document: Value) -> (SpecId, Taken) {
    let name = document["name"].as_str().unwrap().to_owned();
    let put = PutSpec { document, message: None };
    let spec = console.client.put_spec("default", &name, &put, None).await.unwrap().spec.id;
    console.create_job(spec, JobType::Deploy).await;
    let taken = take_and_start(runner).await;
    backend(console, &taken, "LOCK", "", &json!({ "ID": "one", "Who": "it" })).await;
    (spec, taken)
}

/// Its Runner falls silent until the Console knows.
async fn lose(console: &Console, job: JobId) -> JobId {
    eventually(|| async { console.job(job).await.status == JobStatus::Failed }).await;
    let failure = console.job(job).await.failure.unwrap();
    assert_eq!(failure.hint.as_deref(), Some("alethia recover default/shop"));
    job
}

async fn plan_it(runner: &RunnerClient) -> Taken {
    let taken = take(runner).await;
    taken.job.start().await.unwrap();
    taken.job.upload_plan_file(b"a plan file".as_slice().into()).await.unwrap();
    taken.job.report_plan(&taken.report()).await.unwrap();
    taken.job.finish(&success()).await.unwrap();
    taken
}

async fn told(taken: &Taken) -> Instruction {
    taken.job.heartbeat(&Heartbeat::default()).await.unwrap().instruction
}

async fn backend(console: &Console, taken: &Taken, method: &str, query: &str, body: &Value) {
    let path = format!("/api/v1/state/{}{query}", taken.claim.spec_id);
    let request = console.open_request(Method::from_bytes(method.as_bytes()).unwrap(), &path);
    let request = request.basic_auth("job", Some(&taken.claim.job_token)).json(body);
    assert!(request.send().await.unwrap().status().is_success(), "{method}");
}

fn state(serial: u64) -> Value {
    json!({ "version": 4, "serial": serial, "lineage": "one", "resources": [] })
}
