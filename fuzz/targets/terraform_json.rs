//! Any bytes as what Terraform prints and writes: lines of `apply -json`, the JSON of a plan, a state.
//!
//! Lines never fail and never lose their message; a plan or a state is read or refused. What the plan says is
//! followed through the lines, as the Runner does it, and the count of done resources stays within the plan.

#![no_main]

use std::sync::LazyLock;

use alethia_domain::{
    plan::PlanSummary,
    spec::{self, Document},
};
use alethia_terraform::{event_json, outputs, plan_json, progress::Tracker, protection};
use libfuzzer_sys::fuzz_target;

const SHOP: &str = include_str!("../../examples/shop.yaml");

static DOCUMENT: LazyLock<Document> =
    LazyLock::new(|| spec::parse("shop.yaml", SHOP).expect("the example is a Spec").document);

fuzz_target!(|bytes: &[u8]| {
    let summary = plan_json::summarize(bytes, &DOCUMENT).unwrap_or_default();
    serde_json::to_vec(&summary).expect("a summary is JSON");
    if let Ok(addresses) = protection::protected(bytes) {
        assert!(addresses.iter().all(|address| address.contains('.')));
    }
    if let Ok(value) = serde_json::from_slice(bytes) {
        outputs::by_component(&value);
    }
    follow(&summary, &String::from_utf8_lossy(bytes));
});

fn follow(summary: &PlanSummary, lines: &str) {
    let mut trackers = [false, true].map(|destroy| Tracker::new(summary, destroy));
    for text in lines.lines() {
        let line = event_json::parse(text);
        assert!(line.event.is_some() || !line.message.is_empty() || text.trim_end_matches('\r').is_empty());
        for tracker in &mut trackers {
            tracker.observe(&line);
        }
    }
    for tracker in &mut trackers {
        tracker.finish();
        let (done, total) = tracker.progress();
        assert!(done <= total, "{done} of {total} resources are done");
    }
}
