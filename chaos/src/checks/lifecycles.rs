//! Statuses moved only as the lifecycles allow, from one event to the next.

use std::{collections::BTreeMap, fmt::Display};

use alethia_domain::{
    event::EventChange,
    lifecycle::{ComponentEvent, ComponentStatus, JobEvent, JobStatus, Lost, SpecEvent, SpecStatus},
};

use super::Evidence;

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let (mut jobs, mut specs, mut components) = (Track::default(), Track::default(), Track::default());
    for event in &evidence.events {
        let spec = event.spec_id.map(|spec| spec.to_string()).unwrap_or_default();
        match &event.change {
            EventChange::JobChanged { status, .. } => {
                let job = event.job_id.map(|job| job.to_string()).unwrap_or_default();
                jobs.step(format!("the job {job}"), JobStatus::Queued, *status, job_moves);
            }
            EventChange::SpecChanged { status } => {
                specs.step(format!("the Spec {spec}"), SpecStatus::Draft, *status, spec_moves);
            }
            EventChange::ComponentChanged { component, status, .. } => {
                let who = format!("the component {component} of {spec}");
                components.step(who, ComponentStatus::Pending, *status, component_moves);
            }
            EventChange::RevisionAdded { .. } | EventChange::JobProgressed { .. } => {}
        }
    }
    [jobs.wrong, specs.wrong, components.wrong].concat()
}

/// Where each is, and which steps were wrong.
struct Track<S> {
    at: BTreeMap<String, S>,
    wrong: Vec<String>,
}

impl<S> Default for Track<S> {
    fn default() -> Self {
        Self { at: BTreeMap::new(), wrong: Vec::new() }
    }
}

impl<S: Copy + PartialEq + Display> Track<S> {
    fn step(&mut self, who: String, first: S, to: S, moves: fn(S) -> Vec<S>) {
        let from = *self.at.get(&who).unwrap_or(&first);
        if from != to && !moves(from).contains(&to) {
            self.wrong.push(format!("{who} went from {from} to {to}"));
        }
        self.at.insert(who, to);
    }
}

fn job_moves(from: JobStatus) -> Vec<JobStatus> {
    use JobEvent::{AcknowledgeCancel, Cancel, Claim, Fail, LoseLease, Start, Succeed};
    let events = [
        Claim,
        Start,
        Cancel,
        Succeed,
        Fail,
        AcknowledgeCancel,
        LoseLease(Lost::Retry),
        LoseLease(Lost::Abandon),
    ];
    events.iter().filter_map(|event| from.next(event).ok()).collect()
}

fn spec_moves(from: SpecStatus) -> Vec<SpecStatus> {
    use SpecEvent::{Fail, QueueDeploy, QueueDestroy, StartDeploy, StartDestroy, Succeed, WithdrawDeploy};
    let events = [QueueDeploy, StartDeploy, QueueDestroy, StartDestroy, Succeed, Fail];
    let withdrawals = SpecStatus::ALL.map(WithdrawDeploy);
    events.iter().chain(&withdrawals).filter_map(|event| from.next(event).ok()).collect()
}

fn component_moves(from: ComponentStatus) -> Vec<ComponentStatus> {
    use ComponentEvent::{Build, Fail, Remove, Settle, Vanish};
    let moves = [Build, Remove, Settle, Vanish, Fail].iter().filter_map(|event| from.next(event).ok());
    // What was removed may be written into the document again.
    let again = (from == ComponentStatus::Destroyed).then_some(ComponentStatus::Pending);
    moves.chain(again).collect()
}
