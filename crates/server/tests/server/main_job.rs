//! The main job, from the document to ACTIVE and back down to DESTROYED, as a Runner drives it; on both databases.

use alethia_api::{
    jobs::NewJob,
    logs::{LogChunk, LogQuery},
    problem::Code,
    runner::{AppendLogs, ComponentOutputs, ComponentReport, Finish, Outcome, ReportProgress},
};
use alethia_domain::{
    component::{ComponentKind, ComponentRef},
    lifecycle::{ComponentEvent, ComponentStatus, FailureReason, JobStatus, JobType, SpecStatus},
};
use serde_json::{Map, json};

use crate::support::{Console, code, document, key, new_job, success, take, take_and_start};

fn queue(name: &str) -> ComponentRef {
    ComponentRef::named(ComponentKind::Queue, name)
}

fn report(name: &str, event: ComponentEvent) -> ComponentReport {
    ComponentReport { component: queue(name), event, reason: None, done: 0, total: 1 }
}

async fn status_of(console: &Console, spec: alethia_domain::ids::SpecId, name: &str) -> ComponentStatus {
    let spec = console.spec(spec).await;
    spec.components.iter().find(|component| component.component == queue(name)).unwrap().status
}

async fn from_document_to_active_and_back(console: Console) {
    let spec = console.put(document(&["orders", "mails"])).await.spec.id;
    let runner = console.runner().await;

    let plan = console.plan(&runner, spec, false).await;
    assert_eq!((plan.status, plan.has_changes), (JobStatus::Success, Some(true)));
    assert_eq!(console.spec(spec).await.spec.status, SpecStatus::Draft);
    let shown = console.client.plan(plan.id).await.unwrap();
    assert_eq!(Some(shown.digest), plan.plan_digest);

    let bound = NewJob { plan_job_id: Some(plan.id), ..new_job(JobType::Deploy) };
    let deploy = console.client.create_job(spec, &bound, &key()).await.unwrap();
    let taken = take(&runner).await;
    assert_eq!(taken.claim.plan.as_ref().unwrap().job_id, plan.id);
    taken.job.start().await.unwrap();
    taken.job.start().await.unwrap();
    assert_eq!(console.spec(spec).await.spec.status, SpecStatus::Provisioning);
    assert_eq!(&taken.job.download_plan_file().await.unwrap()[..], b"a plan file");

    let progress = ReportProgress {
        step: "apply".to_owned(),
        done: 1,
        total: 2,
        components: vec![report("orders", ComponentEvent::Build), report("unknown", ComponentEvent::Build)],
    };
    taken.job.report_progress(&progress).await.unwrap();
    assert_eq!(status_of(&console, spec, "orders").await, ComponentStatus::Creating);
    assert_eq!(status_of(&console, spec, "mails").await, ComponentStatus::Pending);
    let shown = console.job(deploy.id).await.progress;
    assert_eq!((shown.step.as_deref(), shown.done, shown.total), (Some("apply"), 1, 2));

    let outputs = Map::from_iter([("url".to_owned(), json!("https://sqs/orders"))]);
    let finish = Finish {
        components: vec![report("orders", ComponentEvent::Settle)],
        outputs: vec![ComponentOutputs { component: queue("orders"), outputs: outputs.clone() }],
        ..success()
    };
    taken.job.finish(&finish).await.unwrap();
    let active = console.spec(spec).await;
    assert_eq!((active.spec.status, active.spec.deployed_revision), (SpecStatus::Active, Some(1)));
    assert!(active.components.iter().all(|component| component.status == ComponentStatus::Active));
    let orders = active.components.iter().find(|component| component.component == queue("orders"));
    assert_eq!(orders.unwrap().outputs, outputs);
    assert_eq!(code(taken.job.start().await), Code::LeaseLost);
    assert_eq!(code(taken.job.finish(&success()).await), Code::LeaseLost);

    console.put(document(&["orders"])).await;
    assert_eq!(status_of(&console, spec, "mails").await, ComponentStatus::Active);
    console.create_job(spec, JobType::Deploy).await;
    take_and_start(&runner).await.job.finish(&success()).await.unwrap();
    assert_eq!(status_of(&console, spec, "mails").await, ComponentStatus::Destroyed);

    console.create_job(spec, JobType::Destroy).await;
    assert_eq!(console.spec(spec).await.spec.status, SpecStatus::Active);
    let taken = take_and_start(&runner).await;
    assert_eq!(console.spec(spec).await.spec.status, SpecStatus::Destroying);
    taken.job.finish(&success()).await.unwrap();
    let gone = console.spec(spec).await;
    assert_eq!((gone.spec.status, gone.spec.deployed_revision), (SpecStatus::Destroyed, None));
    assert!(gone.components.iter().all(|component| component.status == ComponentStatus::Destroyed));

    console.create_job(spec, JobType::Deploy).await;
    take_and_start(&runner).await.job.finish(&success()).await.unwrap();
    assert_eq!(status_of(&console, spec, "orders").await, ComponentStatus::Active);
    console.server.shutdown().await;
}

#[tokio::test]
async fn from_document_to_active_and_back_on_sqlite() {
    from_document_to_active_and_back(Console::start().await).await;
}

#[tokio::test]
async fn from_document_to_active_and_back_on_postgres() {
    from_document_to_active_and_back(Console::on_postgres().await).await;
}

async fn one_failed_component(console: Console) {
    let spec = console.put(document(&["orders", "mails"])).await.spec.id;
    let runner = console.runner().await;
    let job = console.create_job(spec, JobType::Deploy).await;
    let taken = take_and_start(&runner).await;
    let fail =
        ComponentReport { reason: Some("no quota".to_owned()), ..report("mails", ComponentEvent::Fail) };
    let finish = Finish {
        outcome: Outcome::failed(FailureReason::Terraform, "creating mails: no quota\nmore"),
        components: vec![
            report("orders", ComponentEvent::Build),
            report("orders", ComponentEvent::Settle),
            report("mails", ComponentEvent::Build),
            fail,
        ],
        outputs: Vec::new(),
    };
    taken.job.finish(&finish).await.unwrap();
    let failed = console.job(job.id).await;
    assert_eq!(failed.status, JobStatus::Failed);
    assert_eq!(failed.failure.unwrap().reason, FailureReason::Terraform);
    assert_eq!(status_of(&console, spec, "orders").await, ComponentStatus::Active);
    assert_eq!(status_of(&console, spec, "mails").await, ComponentStatus::Failed);
    let spec = console.spec(spec).await;
    assert_eq!(spec.spec.status, SpecStatus::Failed);
    let reason = spec.spec.status_reason.unwrap();
    assert_eq!(reason, format!("creating mails: no quota; try again with: alethia jobs retry {}", job.id));
}

#[tokio::test]
async fn one_failed_component_fails_the_spec_and_not_its_neighbours_on_sqlite() {
    one_failed_component(Console::start().await).await;
}

#[tokio::test]
async fn one_failed_component_fails_the_spec_and_not_its_neighbours_on_postgres() {
    one_failed_component(Console::on_postgres().await).await;
}

#[tokio::test]
async fn nothing_is_left_in_the_middle_after_a_failure() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    console.create_job(spec, JobType::Deploy).await;
    let taken = take_and_start(&runner).await;
    let finish = Finish {
        outcome: Outcome::failed(FailureReason::Timeout, "it took too long"),
        components: vec![report("orders", ComponentEvent::Build)],
        outputs: Vec::new(),
    };
    taken.job.finish(&finish).await.unwrap();
    assert_eq!(status_of(&console, spec, "orders").await, ComponentStatus::Failed);
}

#[tokio::test]
async fn a_plan_needs_its_report_before_it_ends_well() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    let plan = console.create_job(spec, JobType::Plan).await;
    let taken = take_and_start(&runner).await;
    assert_eq!(code(taken.job.report_plan(&taken.report()).await), Code::Conflict);
    assert_eq!(code(taken.job.finish(&success()).await), Code::Conflict);
    assert_eq!(code(console.client.plan(plan.id).await), Code::NotFound);
}

#[tokio::test]
async fn logs_are_kept_once_and_in_order() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    let job = console.create_job(spec, JobType::Plan).await;
    let taken = take_and_start(&runner).await;
    let chunk = |sequence: u64| LogChunk {
        attempt: 1,
        sequence,
        at: chrono::Utc::now(),
        text: format!("line {sequence}\n"),
    };
    taken.job.append_logs(&AppendLogs { chunks: vec![chunk(1), chunk(2)] }).await.unwrap();
    taken.job.append_logs(&AppendLogs { chunks: vec![chunk(2), chunk(3)] }).await.unwrap();
    assert_eq!(code(taken.job.append_logs(&AppendLogs { chunks: vec![chunk(5)] }).await), Code::Conflict);
    let page = console.client.logs(job.id, &Default::default()).await.unwrap();
    let lines: Vec<&str> = page.items.iter().map(|chunk| chunk.text.as_str()).collect();
    assert_eq!(lines, ["line 1\n", "line 2\n", "line 3\n"]);
    let search = |text: &str| LogQuery { search: Some(text.to_owned()), ..LogQuery::default() };
    let found = console.client.logs(job.id, &search("LINE 2")).await.unwrap();
    assert_eq!(found.items.iter().map(|chunk| chunk.text.as_str()).collect::<Vec<_>>(), ["line 2\n"]);
    assert_eq!(code(console.client.logs(job.id, &search("")).await), Code::Invalid);
}

#[tokio::test]
async fn a_token_that_wrote_a_log_writes_none_once_its_attempt_is_over() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    let job = console.create_job(spec, JobType::Deploy).await;
    let taken = take_and_start(&runner).await;
    let chunk =
        |sequence: u64| LogChunk { attempt: 1, sequence, at: chrono::Utc::now(), text: "a\n".to_owned() };
    let append =
        async |sequence: u64| taken.job.append_logs(&AppendLogs { chunks: vec![chunk(sequence)] }).await;
    append(1).await.unwrap();
    taken.job.finish(&success()).await.unwrap();
    for sequence in [1, 2] {
        assert_eq!(code(append(sequence).await), Code::LeaseLost);
    }
    assert_eq!(code(taken.job.append_logs(&AppendLogs { chunks: Vec::new() }).await), Code::LeaseLost);
    assert_eq!(console.client.logs(job.id, &Default::default()).await.unwrap().items.len(), 1);
}
