//! How a job is shown while it runs: live lines on a terminal, plain lines elsewhere, always on stderr.
//!
//! Live, a component has a line while something happens to it; once it has settled, its line stays above the live ones.
//! Plain, a line is written when a step begins and when a component's status changes, so that logs stay short.

mod live;

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use alethia_api::{
    client::StreamItem,
    jobs::{Job, Waiting},
};
use alethia_domain::{
    component::ComponentRef,
    event::EventChange,
    lifecycle::{ComponentStatus, JobStatus, JobType},
};

use crate::output::{Paint, component_tone, job_tone};
use live::Live;

/// The width of the column with the components' names.
const NAME_WIDTH: usize = 32;

/// What is known of a job so far, and where it is shown.
pub(crate) struct Progress {
    job_type: JobType,
    status: JobStatus,
    step: String,
    components: BTreeMap<ComponentRef, ComponentStatus>,
    started: Instant,
    verbose: bool,
    paint: Paint,
    live: Option<Live>,
}

impl Progress {
    /// Begins to show a job.
    pub(crate) fn start(job: &Job, verbose: bool) -> Self {
        let is_live =
            io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let mut progress = Self {
            job_type: job.job_type,
            status: job.status,
            step: String::new(),
            components: BTreeMap::new(),
            started: Instant::now(),
            verbose,
            paint: Paint::stderr(),
            live: is_live.then(Live::start),
        };
        progress.say(&format!("{} {}/{} (job {})", job.job_type, job.zone, job.spec, job.id));
        progress
    }

    /// Whether no Runner has the job yet.
    pub(crate) fn is_waiting(&self) -> bool {
        self.status == JobStatus::Queued
    }

    /// Shows what the job waits for.
    pub(crate) fn waits(&mut self, waiting: &Waiting) {
        let text = waits_for(waiting);
        match &self.live {
            Some(live) => live.head(&format!("{} {text}", self.job_type)),
            None if self.step != text => eprintln!("  {text}"),
            None => {}
        }
        self.step = text;
    }

    /// Shows something that happened.
    pub(crate) fn observe(&mut self, item: &StreamItem) {
        match item {
            StreamItem::Change(event) => self.change(&event.change),
            StreamItem::Log(chunk) if self.verbose => self.say(chunk.text.trim_end()),
            StreamItem::Log(_) => {}
        }
    }

    /// Shows a sentence.
    pub(crate) fn say(&mut self, text: &str) {
        match &self.live {
            Some(live) => live.print(text),
            None => eprintln!("{text}"),
        }
    }

    /// Shows how the job ended.
    pub(crate) fn finish(&mut self, job: &Job) {
        self.abandon();
        let status = self.paint.paint(job_tone(job.status), job.status.as_str());
        eprintln!("{} {status} after {}", job.job_type, seconds(self.started.elapsed()));
    }

    /// Stops to show it.
    pub(crate) fn abandon(&mut self) {
        if let Some(live) = self.live.take() {
            live.stop();
        }
    }

    fn change(&mut self, change: &EventChange) {
        match change {
            EventChange::JobChanged { status, attempt, .. } => self.status_changed(*status, *attempt),
            EventChange::JobProgressed { step, done, total } => self.step_changed(step, *done, *total),
            EventChange::ComponentChanged { component, status, reason, done, total } => {
                let line = self.line(component, *status, *done, *total, reason.as_deref());
                self.component_changed(component, *status, line);
            }
            EventChange::RevisionAdded { .. } | EventChange::SpecChanged { .. } => {}
        }
    }

    fn status_changed(&mut self, status: JobStatus, attempt: u32) {
        // A stream that is read from its beginning tells first how the job came to be: attempt 0.
        if status == JobStatus::Queued && self.status != JobStatus::Queued && attempt > 0 {
            self.say(&format!("attempt {attempt} was lost; waiting for a Runner"));
        }
        self.status = status;
        if let Some(live) = &self.live {
            live.head(&format!("{} {status}", self.job_type));
        }
    }

    fn step_changed(&mut self, step: &str, done: u32, total: u32) {
        let counts = if total > 0 { format!(" {done} of {total} resources") } else { String::new() };
        match &self.live {
            Some(live) => live.head(&format!("{} {step}{counts}", self.job_type)),
            None if self.step != step => eprintln!("  {step}{counts}"),
            None => {}
        }
        step.clone_into(&mut self.step);
    }

    fn component_changed(&mut self, component: &ComponentRef, status: ComponentStatus, line: String) {
        let before = self.components.insert(component.clone(), status);
        match &mut self.live {
            Some(live) => live.component(component, is_settled(status) && before != Some(status), line),
            None if before != Some(status) => eprintln!("{line}"),
            None => {}
        }
    }

    fn line(
        &self,
        component: &ComponentRef,
        status: ComponentStatus,
        done: u32,
        total: u32,
        reason: Option<&str>,
    ) -> String {
        let status_text = self.paint.paint(component_tone(status), &format!("{:<10}", status.as_str()));
        let counts = if total > 0 { format!(" {done}/{total}") } else { String::new() };
        let reason = reason.and_then(|reason| reason.lines().next()).map(|reason| format!("  {reason}"));
        let line = format!(
            "  {:<NAME_WIDTH$} {status_text}{counts}{}",
            component.to_string(),
            reason.unwrap_or_default()
        );
        line.trim_end().to_owned()
    }
}

/// What a job waits for, and its place in line.
pub(crate) fn waits_for(waiting: &Waiting) -> String {
    let place = match waiting.place {
        Some(place) => format!("place {place} in line"),
        None => format!("more than {} before it in line", waiting.ahead),
    };
    format!("waits for {}; {place}", waiting.detail)
}

/// A length of time as people read it.
pub(crate) fn seconds(length: Duration) -> String {
    let seconds = length.as_secs();
    if seconds >= 60 {
        format!("{}m{:02}s", seconds / 60, seconds % 60)
    } else {
        format!("{:.1}s", length.as_secs_f64())
    }
}

fn is_settled(status: ComponentStatus) -> bool {
    match status {
        ComponentStatus::Pending
        | ComponentStatus::Creating
        | ComponentStatus::Updating
        | ComponentStatus::Destroying => false,
        ComponentStatus::Active | ComponentStatus::Failed | ComponentStatus::Destroyed => true,
    }
}

#[cfg(test)]
mod tests {
    use alethia_api::jobs::WaitReason;

    use super::*;

    #[test]
    fn it_is_said_what_a_job_waits_for() {
        let mut waiting = Waiting {
            reason: WaitReason::NoRunner,
            detail: "a Runner with the label eu; none has".to_owned(),
            place: Some(3),
            ahead: 2,
        };
        assert_eq!(waits_for(&waiting), "waits for a Runner with the label eu; none has; place 3 in line");
        (waiting.place, waiting.ahead) = (None, 1000);
        assert!(waits_for(&waiting).ends_with("; more than 1000 before it in line"));
    }

    #[test]
    fn lengths_of_time_are_short() {
        assert_eq!(seconds(Duration::from_millis(2340)), "2.3s");
        assert_eq!(seconds(Duration::from_secs(125)), "2m05s");
    }
}
