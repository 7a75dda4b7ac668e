use alethia_domain::{component::ComponentKind, plan::ResourceChange};
use serde_json::json;

use super::*;
use crate::event_json::parse;

const QUEUE: &str = "module.queue-mail.aws_sqs_queue.main";
const POLICY: &str = "module.queue-mail.aws_sqs_queue_policy.main";
const OLD: &str = "module.queue-old.aws_sqs_queue.main";

fn component(name: &str, change: Change, resources: &[(&str, Change)]) -> ComponentPlan {
    let resource = |(address, change): &(&str, Change)| ResourceChange {
        address: (*address).to_owned(),
        change: *change,
        replaced_by: Vec::new(),
        attributes: Vec::new(),
    };
    ComponentPlan {
        component: ComponentRef::named(ComponentKind::Queue, name),
        change,
        loses_data: false,
        resources: resources.iter().map(resource).collect(),
    }
}

fn tracker(components: Vec<ComponentPlan>, destroy: bool) -> Tracker {
    Tracker::new(&PlanSummary { components, ..PlanSummary::default() }, destroy)
}

fn mail() -> ComponentPlan {
    component("mail", Change::Create, &[(QUEUE, Change::Create), (POLICY, Change::Create)])
}

/// Feeds lines in short: what, address, action.
fn run(tracker: &mut Tracker, lines: &[(&str, &str, &str)]) -> Vec<String> {
    let line = |(kind, address, action): &(&str, &str, &str)| {
        parse(
            &json!({ "type": kind, "hook": { "resource": { "addr": address }, "action": action } })
                .to_string(),
        )
    };
    lines.iter().flat_map(|given| tracker.observe(&line(given))).map(told).collect()
}

fn told(update: ComponentUpdate) -> String {
    let reason = update.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{} {} {}/{}{reason}", update.component, update.event.as_str(), update.done, update.total)
}

fn finish(tracker: &mut Tracker) -> Vec<String> {
    tracker.finish().into_iter().map(told).collect()
}

#[test]
fn a_component_starts_with_its_first_resource_and_ends_with_its_last() {
    let mut tracker = tracker(vec![mail()], false);
    let told = run(
        &mut tracker,
        &[
            ("apply_start", QUEUE, "create"),
            ("apply_complete", QUEUE, "create"),
            ("apply_start", POLICY, "create"),
            ("apply_complete", POLICY, "create"),
        ],
    );
    assert_eq!(told, ["queue.mail build 0/2", "queue.mail build 1/2", "queue.mail settle 2/2"]);
    assert_eq!(finish(&mut tracker), ["queue.mail settle 2/2"]);
}

#[test]
fn what_leaves_is_removed_and_vanishes() {
    let mut tracker = tracker(vec![component("old", Change::Destroy, &[(OLD, Change::Destroy)])], false);
    let told = run(&mut tracker, &[("apply_start", OLD, "delete"), ("apply_complete", OLD, "delete")]);
    assert_eq!(told, ["queue.old remove 0/1", "queue.old vanish 1/1"]);
}

#[test]
fn a_replacement_is_done_after_both_of_its_steps() {
    let mut tracker = tracker(vec![component("mail", Change::Replace, &[(QUEUE, Change::Replace)])], false);
    let told = run(&mut tracker, &[("apply_start", QUEUE, "delete"), ("apply_complete", QUEUE, "delete")]);
    assert_eq!(told, ["queue.mail build 0/1"]);
    let told = run(&mut tracker, &[("apply_start", QUEUE, "create"), ("apply_complete", QUEUE, "create")]);
    assert_eq!(told, ["queue.mail settle 1/1"]);
}

#[test]
fn an_error_fails_the_component_at_once_and_its_reason_follows() {
    let mut tracker = tracker(vec![mail()], false);
    let told = run(
        &mut tracker,
        &[
            ("apply_start", QUEUE, "create"),
            ("apply_errored", QUEUE, "create"),
            ("apply_complete", POLICY, "create"),
        ],
    );
    let address = QUEUE;
    let failed = |done| format!("queue.mail fail {done}/2: {address} failed");
    assert_eq!(told, ["queue.mail build 0/2".to_owned(), failed(0), failed(1)]);
    let diagnostic = json!({ "type": "diagnostic", "diagnostic": {
        "severity": "error", "summary": "creating queue", "detail": "quota", "address": QUEUE,
    }});
    let update = tracker.observe(&parse(&diagnostic.to_string())).unwrap();
    assert!(update.reason.as_ref().unwrap().starts_with("creating queue: quota (hint: "));
    assert_eq!(tracker.finish(), [update]);
}

#[test]
fn what_was_cut_off_has_failed_and_what_never_began_is_left_alone() {
    let never =
        component("never", Change::Create, &[("module.queue-never.aws_sqs_queue.main", Change::Create)]);
    let mut tracker = tracker(vec![mail(), never, component("idle", Change::None, &[])], false);
    run(&mut tracker, &[("apply_start", QUEUE, "create"), ("apply_complete", QUEUE, "create")]);
    assert_eq!(
        finish(&mut tracker),
        ["queue.idle settle 0/0", "queue.mail fail 1/2: stopped after 1 of 2 resources"]
    );
}

#[test]
fn destroying_a_spec_makes_every_component_vanish() {
    let gone = component("mail", Change::Destroy, &[(QUEUE, Change::Destroy)]);
    let mut tracker = tracker(vec![gone, component("idle", Change::None, &[])], true);
    let told = run(&mut tracker, &[("apply_start", QUEUE, "delete"), ("apply_complete", QUEUE, "delete")]);
    assert_eq!(told, ["queue.mail remove 0/1", "queue.mail vanish 1/1"]);
    assert_eq!(finish(&mut tracker), ["queue.idle vanish 0/0", "queue.mail vanish 1/1"]);
}

#[test]
fn the_plan_counts_what_its_components_count() {
    let other = component("old", Change::Destroy, &[(OLD, Change::Destroy)]);
    let mut tracker = tracker(vec![mail(), other], false);
    run(&mut tracker, &[("apply_start", QUEUE, "create"), ("apply_complete", QUEUE, "create")]);
    assert_eq!(tracker.progress(), (1, 3));
    run(&mut tracker, &[("apply_start", OLD, "delete"), ("apply_complete", OLD, "delete")]);
    assert_eq!(tracker.progress(), (2, 3));
}

#[test]
fn after_an_apply_that_went_well_nothing_is_left_to_do() {
    let words: Vec<String> =
        tracker(vec![mail(), component("old", Change::Destroy, &[(OLD, Change::Destroy)])], false)
            .succeeded()
            .into_iter()
            .map(told)
            .collect();
    assert_eq!(words, ["queue.mail settle 2/2", "queue.old vanish 1/1"]);
}

#[test]
fn outputs_that_are_not_sensitive_are_kept_by_component() {
    let mut tracker = tracker(vec![mail()], false);
    let value = json!({ "queue": { "mail": { "url": "https://x" } } });
    let line = |sensitive: bool| json!({ "type": "outputs", "outputs": { "components": { "sensitive": sensitive, "value": value } } });
    tracker.observe(&parse(&line(true).to_string()));
    assert!(tracker.outputs().is_empty());
    tracker.observe(&parse(&line(false).to_string()));
    let mail = ComponentRef::named(ComponentKind::Queue, "mail");
    assert_eq!(tracker.outputs()[&mail]["url"], "https://x");
}

#[test]
fn reading_data_starts_nothing() {
    let mut tracker = tracker(vec![mail()], false);
    assert_eq!(run(&mut tracker, &[("apply_start", "module.queue-mail.data.x.y", "read")]), [""; 0]);
}
