use alethia_api::runner::{Instruction, PlanReference};
use alethia_domain::{
    component::ComponentRef,
    event::Failure,
    lifecycle::{ComponentEvent, JobType},
};
use alethia_testkit::fake_terraform::{FakeTerraform, Mode};
use serde_json::{Value, json};

use super::*;
use crate::{
    test_console::{Mood, claim_of, told},
    test_runner::TestRunner,
};

fn failure(finish: &Finish) -> &Failure {
    match &finish.outcome {
        Outcome::Failed { failure } => failure,
        Outcome::Success | Outcome::Cancelled => panic!("it did not fail: {:?}", finish.outcome),
    }
}

/// A claim for a Spec with two queues.
fn claim_with_queues(job_type: JobType) -> Claim {
    let mut claim = claim_of(job_type);
    claim.document["queues"] = json!([queue("mail"), queue("tax")]);
    claim
}

fn queue(name: &str) -> Value {
    json!({
        "name": name,
        "ordered": false,
        "visibility_timeout": "30s",
        "retention": "4d",
        "delay": "0s",
        "max_message_size": "256KiB",
    })
}

fn plan_of_two_queues() -> String {
    let create = |address: &str| {
        json!({
            "address": address, "mode": "managed", "type": "aws_sqs_queue",
            "change": { "actions": ["create"], "before": null, "after": {}, "after_unknown": {} },
        })
    };
    json!({
        "format_version": "1.2",
        "resource_changes": [
            create("module.queue-mail.aws_sqs_queue.main"),
            create("module.queue-mail.aws_sqs_queue.dead"),
            create("module.queue-tax.aws_sqs_queue.main"),
        ],
    })
    .to_string()
}

fn hook(kind: &str, address: &str) -> String {
    json!({
        "@level": "info", "@message": format!("{address}: {kind}"), "type": kind,
        "hook": { "resource": { "addr": address }, "action": "create" },
    })
    .to_string()
}

fn words(reports: &[ComponentReport]) -> Vec<(String, ComponentEvent, u32, u32)> {
    reports
        .iter()
        .map(|report| (report.component.to_string(), report.event, report.done, report.total))
        .collect()
}

/// The claim of a DEPLOY that applies the plan which a PLAN job just made.
async fn planned(runner: &TestRunner) -> Claim {
    let plan = claim_of(JobType::Plan);
    let finish = runner.job(plan.clone()).await;
    assert_eq!(finish.outcome, Outcome::Success);
    let mut received = runner.console.received();
    let report = received.plan.clone().unwrap();
    received.plan_to_apply = received.plan_file.clone().unwrap();
    let reference = PlanReference {
        job_id: plan.job_id,
        basis: report.basis,
        summary: report.summary,
        file_sha256: report.file_sha256,
    };
    Claim {
        job_id: claim_of(JobType::Deploy).job_id,
        job_type: JobType::Deploy,
        plan: Some(reference),
        ..plan
    }
}

#[tokio::test]
async fn a_plan_is_handed_over_with_its_file_and_its_basis() {
    let runner = TestRunner::start(FakeTerraform::new()).await;
    let finish = runner.job(claim_of(JobType::Plan)).await;
    assert_eq!(finish.outcome, Outcome::Success);
    let log = runner.console.log();
    for line in ["== prepare ==\n", "03:04:05 planning\n", "== report ==\n", "== done ==\n"] {
        assert!(log.contains(line), "{log}");
    }
    let received = runner.console.received();
    assert_eq!(received.plan_file.as_deref(), Some(&b"a plan\n"[..]));
    let basis = &received.plan.as_ref().unwrap().basis;
    assert_eq!((basis.tool.as_str(), basis.state_serial), ("terraform 1.11.4", 3));
    assert_eq!(received.started, 1);
    drop(received);
    assert_eq!(runner.job_folders(), [""; 0]);
}

#[tokio::test]
async fn init_runs_once_for_the_same_templates_and_sees_only_what_it_may() {
    let runner = TestRunner::start_with(FakeTerraform::new(), |config| config.slots = 3).await;
    let claims: Vec<Claim> = (0..6).map(|_| claim_of(JobType::Plan)).collect();
    runner.console.set(|received| received.claims.extend(claims));
    runner.console.until("six jobs end", |received| received.finishes.len() == 6).await;
    assert!(runner.console.received().finishes.iter().all(|finish| finish.outcome == Outcome::Success));
    let inits = runner.fake.calls().iter().filter(|call| call.starts_with("init")).count();
    assert_eq!(inits, 1);
    let environment = runner.fake.environment();
    let front = "TF_HTTP_ADDRESS=http://127.0.0.1:";
    assert!(environment.contains("ALETHIA_SANDBOX_CLOUD=/cloud") && environment.contains(front));
    for absent in ["AWS_", "TF_PLUGIN_CACHE_DIR", "alj_"] {
        assert!(!environment.contains(absent), "{environment}");
    }
}

#[tokio::test]
async fn a_bound_deployment_applies_exactly_the_plan() {
    let runner = TestRunner::start(FakeTerraform::new()).await;
    let deploy = planned(&runner).await;
    assert_eq!(runner.job(deploy).await.outcome, Outcome::Success);
    let calls = runner.fake.calls();
    assert_eq!(calls.iter().filter(|call| call.starts_with("plan")).count(), 1, "{calls:?}");
    assert_eq!(calls.last().unwrap(), "apply -json -input=false -lock-timeout=30s plan.bin");
}

#[tokio::test]
async fn a_plan_that_no_longer_fits_is_not_applied_and_says_what_changed() {
    let runner = TestRunner::start(FakeTerraform::new()).await;
    let mut deploy = planned(&runner).await;
    deploy.state.serial += 1;
    deploy.document["stage"] = json!("staging");
    let finish = runner.job(deploy).await;
    assert_eq!(failure(&finish).reason, FailureReason::PlanOutdated);
    assert!(failure(&finish).message.contains("the Spec, the state"), "{}", failure(&finish).message);
    assert!(failure(&finish).hint.as_ref().unwrap().contains("alethia plan"));
    assert!(!runner.fake.calls().iter().any(|call| call.starts_with("apply")));
}

#[tokio::test]
async fn a_damaged_plan_file_is_not_applied() {
    let runner = TestRunner::start(FakeTerraform::new()).await;
    let deploy = planned(&runner).await;
    runner.console.set(|received| received.plan_to_apply = "another plan".into());
    let finish = runner.job(deploy).await;
    assert!(failure(&finish).message.contains("plan file"), "{}", failure(&finish).message);
    assert!(!runner.fake.calls().iter().any(|call| call.starts_with("apply")));
}

#[tokio::test]
async fn components_move_while_terraform_works_and_outputs_arrive_at_the_end() {
    let (main, dead, tax) = (
        "module.queue-mail.aws_sqs_queue.main",
        "module.queue-mail.aws_sqs_queue.dead",
        "module.queue-tax.aws_sqs_queue.main",
    );
    let outputs = json!({
        "type": "outputs", "@message": "Outputs: 1",
        "outputs": { "components": { "sensitive": false, "value": { "queue": { "mail": { "url": "https://q/alj_token-of-the-attempt" } } } } },
    });
    let lines = [
        hook("apply_start", main),
        hook("apply_complete", main),
        hook("apply_start", dead),
        hook("apply_complete", dead),
        hook("apply_start", tax),
        hook("apply_complete", tax),
        outputs.to_string(),
    ];
    let fake =
        FakeTerraform::new().plan_json(&plan_of_two_queues()).apply_lines(lines.iter().map(String::as_str));
    let runner = TestRunner::start(fake).await;
    let finish = runner.job(claim_with_queues(JobType::Deploy)).await;
    assert_eq!(finish.outcome, Outcome::Success);
    let settled = [
        ("queue.mail".to_owned(), ComponentEvent::Settle, 2, 2),
        ("queue.tax".to_owned(), ComponentEvent::Settle, 1, 1),
    ];
    assert_eq!(words(&finish.components), settled);
    assert_eq!(finish.outputs[0].component, "queue.mail".parse::<ComponentRef>().unwrap());
    assert_eq!(finish.outputs[0].outputs["url"], "https://q/***");
    let received = runner.console.received();
    let last = received.progress.last().unwrap();
    assert_eq!((last.step.as_str(), last.done, last.total), ("apply", 3, 3));
    let told = words(&told(&received));
    assert!(told.iter().any(|word| word.0 == "queue.mail" && word.1 == ComponentEvent::Build), "{told:?}");
    assert_eq!(told[told.len() - 1], settled[1]);
}

#[tokio::test]
async fn an_apply_that_fails_says_which_components_failed_and_why() {
    let main = "module.queue-mail.aws_sqs_queue.main";
    let lines = [hook("apply_start", main)];
    let fake = FakeTerraform::new()
        .plan_json(&plan_of_two_queues())
        .apply_lines(lines.iter().map(String::as_str))
        .apply(Mode::Fail);
    let runner = TestRunner::start(fake).await;
    let finish = runner.job(claim_with_queues(JobType::Deploy)).await;
    assert_eq!(failure(&finish).reason, FailureReason::Terraform);
    assert_eq!(failure(&finish).message, "told to fail: Rate exceeded");
    assert!(failure(&finish).hint.is_some());
    assert_eq!(words(&finish.components), [("queue.mail".to_owned(), ComponentEvent::Fail, 0, 2)]);
    assert!(runner.console.log().contains("03:04:05 Error: told to fail\n    Rate exceeded\n"));
}

#[tokio::test]
async fn a_destruction_plans_the_removal_of_everything() {
    let runner = TestRunner::start(FakeTerraform::new()).await;
    let finish = runner.job(claim_with_queues(JobType::Destroy)).await;
    assert_eq!(finish.outcome, Outcome::Success);
    assert!(runner.fake.calls().iter().any(|call| call.starts_with("plan") && call.ends_with("-destroy")));
    let words = words(&finish.components);
    assert!(words.iter().all(|word| word.1 == ComponentEvent::Vanish) && words.len() == 2, "{words:?}");
}

#[tokio::test]
async fn a_cancelled_job_ends_even_if_terraform_ignores_interrupts() {
    let runner = TestRunner::start(FakeTerraform::new().apply(Mode::IgnoreInterrupt)).await;
    let mut claim = claim_of(JobType::Deploy);
    claim.lease_seconds = 3;
    runner.console.set(|received| received.claims.push_back(claim));
    runner.until_it_hangs().await;
    runner.console.set(|received| received.instruction = Instruction::Cancel);
    assert_eq!(runner.console.finish().await.outcome, Outcome::Cancelled);
    assert!(runner.console.log().ends_with("== cancelled ==\n"));
}

#[tokio::test]
async fn a_job_that_takes_too_long_fails_with_that_reason() {
    let fake = FakeTerraform::new().plan(Mode::Hang);
    let runner = TestRunner::start_with(fake, |config| config.job_timeout = Duration::from_secs(1)).await;
    let finish = runner.job(claim_of(JobType::Plan)).await;
    assert_eq!(failure(&finish).reason, FailureReason::Timeout);
    assert!(failure(&finish).hint.as_ref().unwrap().starts_with("alethia jobs retry "));
}

#[tokio::test]
async fn a_lost_lease_ends_terraform_and_says_nothing_more() {
    let runner = TestRunner::start_with(FakeTerraform::new().apply(Mode::IgnoreInterrupt), |config| {
        config.cancel_grace = Duration::from_secs(3600);
    })
    .await;
    let mut claim = claim_of(JobType::Deploy);
    claim.lease_seconds = 3;
    runner.console.set(|received| received.claims.push_back(claim));
    runner.until_it_hangs().await;
    runner.console.set(|received| received.mood = Mood::LeaseLost);
    let wait = async {
        while !runner.job_folders().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
    runner.console.set(|received| received.mood = Mood::Well);
    // The slot is free again, and nothing was said of the lost job.
    let finish = runner.job(claim_of(JobType::ConnectionTest)).await;
    assert!(failure(&finish).message.contains("CONNECTION_TEST"));
    assert!(!runner.console.log().contains("== cancelled =="));
}

#[tokio::test]
async fn a_flood_of_output_arrives_whole() {
    let runner = TestRunner::start(FakeTerraform::new().plan(Mode::Flood(20_000))).await;
    let finish = runner.job(claim_of(JobType::Plan)).await;
    assert_eq!(finish.outcome, Outcome::Success);
    let log = runner.console.log();
    let flood = log.lines().filter(|line| line.contains("of a flood")).count();
    assert_eq!(flood, 20_000);
    assert!(log.contains("line 20000 of a flood"));
}

#[tokio::test]
async fn terraform_goes_on_while_the_console_is_away_and_nothing_is_lost_or_doubled() {
    let runner = TestRunner::start(FakeTerraform::new().plan(Mode::Flood(20_000))).await;
    runner.console.set(|received| received.claims.push_back(claim_of(JobType::Plan)));
    runner.console.until("the plan begins", |received| !received.chunks.is_empty()).await;
    runner.console.set(|received| received.mood = Mood::Unavailable);
    // It has said all its lines, which are more than wait in memory, when it is asked for the next thing.
    runner.until_called("show").await;
    runner.console.set(|received| received.mood = Mood::Well);
    assert_eq!(runner.console.finish().await.outcome, Outcome::Success);
    let log = runner.console.log();
    let flood: Vec<&str> = log.lines().filter_map(|line| line.strip_prefix("03:04:05 line ")).collect();
    let expected = (1..=20_000).map(|number| format!("{number} of a flood that goes on and on"));
    assert!(flood.into_iter().eq(expected));
}

#[tokio::test]
async fn no_secret_leaves_the_runner() {
    let secrets = ["alj_token-of-the-attempt", "alr_token-of-the-runner", "planted-cloud-key"];
    let line = json!({
        "@level": "error", "@message": format!("Error: {}", secrets[0]), "type": "diagnostic",
        "diagnostic": { "severity": "error", "summary": secrets.join(" "), "detail": "password = hunter2" },
    });
    let line = line.to_string();
    let fake = FakeTerraform::new().apply_lines([line.as_str(), secrets[2]]).apply(Mode::Fail);
    let runner = TestRunner::start(fake).await;
    let finish = runner.job(claim_of(JobType::Deploy)).await;
    let sent = format!("{}{finish:?}", runner.console.log());
    for secret in secrets.iter().chain(&["hunter2"]) {
        assert!(!sent.contains(secret), "{secret} in {sent}");
    }
    assert_eq!(failure(&finish).message, "*** *** ***: password = ***\n(and one more error in the log)");
}

#[tokio::test]
async fn a_state_that_terraform_could_not_write_is_written_for_it_under_its_own_lock() {
    let runner = TestRunner::start(FakeTerraform::new().apply(Mode::ErroredState)).await;
    runner.console.set(|received| received.state_lock = Some("terraform's own".to_owned()));
    let finish = runner.job(claim_of(JobType::Deploy)).await;
    assert_eq!(failure(&finish).reason, FailureReason::Terraform);
    assert!(runner.console.log().contains("the state was delivered"));
    let received = runner.console.received();
    assert_eq!(received.states, [("terraform's own".to_owned(), "{\"version\":4,\"serial\":7}\n".into())]);
    assert_eq!(received.state_lock, None);
    assert!(!runner.work_dir.join("rescued").exists());
}

#[tokio::test]
async fn a_state_that_comes_too_late_to_be_written_is_handed_over_until_it_is_taken() {
    let runner = TestRunner::start(FakeTerraform::new().apply(Mode::ErroredState)).await;
    runner.console.set(|received| received.attempt_over_for_state = true);
    runner.console.set(|received| received.refuse_rescues = 2);
    runner.console.set(|received| received.claims.push_back(claim_of(JobType::Deploy)));
    runner.console.until("the state comes", |received| !received.rescued.is_empty()).await;
    assert_eq!(runner.console.received().rescued, ["{\"version\":4,\"serial\":7}\n"]);
    let wait = async {
        while std::fs::read_dir(runner.work_dir.join("rescued")).unwrap().count() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
}

#[tokio::test]
async fn a_state_that_a_killed_runner_left_behind_is_delivered_by_the_next_one() {
    let fake = FakeTerraform::new();
    let claim = claim_of(JobType::Deploy);
    let runner = TestRunner::start_with(fake, |config| {
        let left = config.work_dir.join("job-12345678-abc");
        std::fs::create_dir_all(left.join("root")).unwrap();
        std::fs::write(left.join("root/errored.tfstate"), "{}").unwrap();
        crate::shelf::Ticket::of(&claim).leave_in(&left).unwrap();
    })
    .await;
    runner.console.until("the state comes", |received| !received.states.is_empty()).await;
    assert_eq!(runner.console.received().states[0].1, "{}");
    assert_eq!(runner.job_folders(), [""; 0]);
}
