//! The state backend as real Terraform meets it: what it does there, and what it tells its user when it is refused.
//!
//! Of most refusals Terraform shows the status alone; what the body says is proved call by call in `state_replies`.

mod desk;

use alethia_api::states::UnlockState;
use serde_json::{Value, json};

use crate::support::success;
use desk::{Desk, ended};

fn thief() -> Value {
    json!({
        "ID": "thief", "Operation": "OperationTypeApply", "Info": "", "Who": "ada@elsewhere", "Version": "1.11.4",
        "Created": "2026-01-01T00:00:00Z", "Path": "",
    })
}

#[tokio::test]
async fn what_is_applied_is_there_and_every_change_is_a_version() {
    let desk = Desk::start().await;
    assert_eq!(desk.run(&["plan", "-input=false", "-detailed-exitcode"]).await.code, 2);
    assert!(desk.apply().await.contains("1 added, 0 changed, 0 destroyed"));
    assert_eq!(desk.run(&["plan", "-input=false", "-detailed-exitcode"]).await.code, 0);
    assert_eq!(desk.ok(&["state", "list"]).await.trim(), "terraform_data.one");
    desk.ok(&["state", "mv", "terraform_data.one", "terraform_data.two"]).await;
    assert_eq!(desk.ok(&["state", "list"]).await.trim(), "terraform_data.two");
    desk.ok(&["state", "rm", "terraform_data.two"]).await;
    assert_eq!(desk.serials().await, [3, 2, 1]);
    let pulled = desk.pull().await;
    assert_eq!((&pulled["serial"], &pulled["resources"]), (&json!(3), &json!([])));
    assert_eq!(desk.lock_id().await, None);
}

#[tokio::test]
async fn two_at_once_wait_for_each_other_and_the_second_names_the_lock_of_the_first() {
    let desk = Desk::start().await;
    let first = desk.begin_to_apply().await;
    let held = desk.console.client.state(desk.spec).await.unwrap().lock.unwrap();
    assert_eq!((held.operation.as_str(), held.holder_alive), ("OperationTypeApply", true));
    assert_eq!(held.job_id, Some(desk.taken.claim.job_id));
    let refused = desk.fails(&["plan", "-input=false"]).await;
    let told = format!("HTTP remote state already locked: ID={}", held.id);
    assert!(refused.contains(&told), "{refused}");
    let second = desk.command(&["plan", "-input=false", "-lock-timeout=100s"]).spawn().unwrap();
    desk.go_on();
    assert_eq!(ended(first).await.code, 0);
    let second = ended(second).await;
    assert_eq!(second.code, 0, "{}", second.said);
    assert_eq!(desk.lock_id().await, None);
}

#[tokio::test]
async fn force_unlock_releases_a_lock_that_a_killed_terraform_left() {
    let desk = Desk::start().await;
    let mut killed = desk.begin_to_apply().await;
    killed.kill().await.unwrap();
    let held = desk.lock_id().await.unwrap();
    desk.fails(&["plan", "-input=false"]).await;
    desk.ok(&["force-unlock", "-force", &held]).await;
    assert_eq!(desk.lock_id().await, None);
    desk.ok(&["force-unlock", "-force", &held]).await;
    desk.ok(&["plan", "-input=false"]).await;
}

#[tokio::test]
async fn a_state_whose_write_is_refused_can_be_pushed_later() {
    let desk = Desk::start().await;
    let apply = desk.begin_to_apply().await;
    let unlock = UnlockState { lock_id: desk.lock_id().await.unwrap(), force: true };
    desk.console.client.unlock_state(desk.spec, &unlock).await.unwrap();
    assert_eq!(desk.call("LOCK", &thief()).await, 200);
    desk.go_on();
    let apply = ended(apply).await;
    assert_eq!(apply.code, 1, "{}", apply.said);
    assert!(apply.said.contains("HTTP error: 423"), "{}", apply.said);
    assert_eq!(desk.serials().await, [0; 0]);
    assert_eq!(desk.call("UNLOCK", &thief()).await, 200);
    desk.ok(&["state", "push", "errored.tfstate"]).await;
    assert_eq!(desk.ok(&["state", "list"]).await.trim(), "terraform_data.waits");
}

#[tokio::test]
async fn a_state_that_found_no_console_can_be_pushed_later() {
    let desk = Desk::start().await;
    let apply = desk.begin_to_apply().await;
    desk.set_line(false);
    desk.go_on();
    let apply = ended(apply).await;
    assert_eq!(apply.code, 1, "{}", apply.said);
    assert!(desk.path("errored.tfstate").exists(), "{}", apply.said);
    desk.set_line(true);
    let held = desk.lock_id().await.expect("nobody could release it");
    let refused = desk.fails(&["state", "push", "errored.tfstate"]).await;
    assert!(refused.contains(&held), "{refused}");
    desk.ok(&["force-unlock", "-force", &held]).await;
    desk.ok(&["state", "push", "errored.tfstate"]).await;
    assert_eq!(desk.ok(&["state", "list"]).await.trim(), "terraform_data.waits");
}

#[tokio::test]
async fn an_older_state_and_a_foreign_one_are_refused_also_by_force() {
    let desk = Desk::start().await;
    desk.apply().await;
    let pulled = desk.pull().await;
    let with = |key: &str, value: Value| {
        let mut state = pulled.clone();
        state[key] = value;
        state
    };
    let mut older = with("serial", json!(0));
    older["resources"] = json!([]);
    let mut foreign = with("lineage", json!("another"));
    foreign["serial"] = json!(50);
    for state in [&older, &foreign] {
        assert_eq!(desk.push(state, &[]).await.code, 1, "Terraform or the Console refuses it");
        let forced = desk.push(state, &["-force"]).await;
        assert_eq!(forced.code, 1, "{}", forced.said);
        assert!(forced.said.contains("HTTP error: 409"), "{}", forced.said);
    }
    assert_eq!(desk.pull().await, pulled);
    assert_eq!(desk.lock_id().await, None);
    let pushed = desk.push(&with("serial", json!(7)), &[]).await;
    assert_eq!(pushed.code, 0, "{}", pushed.said);
    assert!(desk.pull().await["serial"].as_u64() >= Some(7), "Terraform may count on");
}

#[tokio::test]
async fn what_is_no_state_and_what_is_too_large_is_refused() {
    let desk = Desk::with(|config| config.limits.state = 2000).await;
    desk.root(
        "resource \"terraform_data\" \"large\" {\n  input = join(\"\", [for i in range(999) : \"xxx\"])\n}\n",
    );
    let refused = desk.fails(&["apply", "-auto-approve", "-input=false"]).await;
    assert!(refused.contains("HTTP error: 413"), "{refused}");
    assert!(desk.path("errored.tfstate").exists());
    assert_eq!(desk.call("POST", &json!("no state")).await, 400);
    assert_eq!(desk.serials().await, [0; 0]);
}

#[tokio::test]
async fn there_is_one_workspace() {
    let desk = Desk::start().await;
    let refused = desk.fails(&["workspace", "new", "blue"]).await;
    assert!(refused.contains("workspaces not supported"), "{refused}");
}

#[tokio::test]
async fn a_wrong_token_and_an_attempt_that_is_over_are_told() {
    let desk = Desk::start().await;
    desk.apply().await;
    let mut stranger = desk.command(&["plan", "-input=false"]);
    let stranger = ended(stranger.env("TF_HTTP_PASSWORD", "alj_unknown").spawn().unwrap()).await;
    assert_eq!(stranger.code, 1);
    assert!(stranger.said.contains("HTTP remote state endpoint requires auth"), "{}", stranger.said);
    desk.taken.job.finish(&success()).await.unwrap();
    let late = desk.fails(&["plan", "-input=false"]).await;
    let told =
        "HTTP remote state already locked: ID=none, but this attempt at the job is over; nothing was changed";
    assert!(late.contains(told), "{late}");
    let unlocked = desk.fails(&["plan", "-input=false", "-lock=false"]).await;
    assert!(unlocked.contains("Unexpected HTTP response code 409"), "{unlocked}");
}
