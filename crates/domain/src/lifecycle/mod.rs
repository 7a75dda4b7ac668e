//! The three lifecycles: what a job, a Spec and a component can go through.
//!
//! Each is an enum with one total `next`. Permissions, buttons and error texts are derived from it; nothing else
//! decides what may follow what. The status x event grids stand as snapshots beside the tests.

mod component;
mod job;
mod spec;

pub use component::{Change, ComponentEvent, ComponentStatus};
pub use job::{FailureReason, JobEvent, JobStatus, JobType, Lost};
pub use spec::{SpecEvent, SpecStatus};

/// An event that the current status does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{subject} is {status}, which does not allow {event}")]
pub struct IllegalTransition {
    /// What was to change: `job`, `spec` or `component`.
    pub subject: &'static str,
    /// Its status.
    pub status: &'static str,
    /// What was to happen to it.
    pub event: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table of what each status becomes after each event; a dash where the event is refused.
    fn grid<S: Copy, E>(
        statuses: &[S],
        events: &[E],
        name: impl Fn(S) -> &'static str,
        event_name: impl Fn(&E) -> String,
        next: impl Fn(S, &E) -> Result<S, IllegalTransition>,
    ) -> String {
        let mut rows = vec![format!("{:<33}", "")];
        rows[0].extend(statuses.iter().map(|status| format!("{:<14}", name(*status))));
        for event in events {
            let cells = statuses.iter().map(|status| next(*status, event).map_or("-", &name));
            rows.push(
                format!("{:<33}", event_name(event))
                    + &cells.map(|cell| format!("{cell:<14}")).collect::<String>(),
            );
        }
        rows.iter().map(|row| format!("{}\n", row.trim_end())).collect()
    }

    #[test]
    fn what_a_job_can_go_through() {
        let event_name = |event: &JobEvent| event.as_str().to_owned();
        insta::assert_snapshot!(grid(
            &JobStatus::ALL,
            &JobEvent::ALL,
            JobStatus::as_str,
            event_name,
            JobStatus::next
        ));
    }

    #[test]
    fn what_a_spec_can_go_through() {
        let events: Vec<SpecEvent> = [
            SpecEvent::QueueDeploy,
            SpecEvent::StartDeploy,
            SpecEvent::QueueDestroy,
            SpecEvent::StartDestroy,
            SpecEvent::Succeed,
            SpecEvent::Fail,
        ]
        .into_iter()
        .chain(SpecStatus::ALL.map(SpecEvent::WithdrawDeploy))
        .collect();
        let event_name = |event: &SpecEvent| match event {
            SpecEvent::WithdrawDeploy(former) => format!("{} to {former}", event.as_str()),
            SpecEvent::QueueDeploy
            | SpecEvent::StartDeploy
            | SpecEvent::QueueDestroy
            | SpecEvent::StartDestroy
            | SpecEvent::Succeed
            | SpecEvent::Fail => event.as_str().to_owned(),
        };
        insta::assert_snapshot!(grid(
            &SpecStatus::ALL,
            &events,
            SpecStatus::as_str,
            event_name,
            SpecStatus::next
        ));
    }

    #[test]
    fn what_a_component_can_go_through() {
        let event_name = |event: &ComponentEvent| event.as_str().to_owned();
        let statuses = ComponentStatus::ALL;
        let next = ComponentStatus::next;
        insta::assert_snapshot!(grid(
            &statuses,
            &ComponentEvent::ALL,
            ComponentStatus::as_str,
            event_name,
            next
        ));
    }

    #[test]
    fn a_refused_event_says_what_stands_in_its_way() {
        let error = SpecStatus::Provisioning.next(&SpecEvent::QueueDestroy).unwrap_err();
        assert_eq!(error.to_string(), "spec is PROVISIONING, which does not allow destroy");
    }

    #[test]
    fn words_are_read_back() {
        assert!(JobStatus::ALL.iter().all(|status| status.as_str().parse() == Ok(*status)));
        assert!(JobType::ALL.iter().all(|job_type| job_type.as_str().parse() == Ok(*job_type)));
        assert!(SpecStatus::ALL.iter().all(|status| status.as_str().parse() == Ok(*status)));
        assert!(ComponentStatus::ALL.iter().all(|status| status.as_str().parse() == Ok(*status)));
    }

    #[test]
    fn only_a_finished_job_is_final() {
        for status in JobStatus::ALL {
            let events =
                [JobEvent::Claim, JobEvent::Start, JobEvent::Cancel, JobEvent::Succeed, JobEvent::Fail];
            assert_eq!(status.is_final(), events.iter().all(|event| status.next(event).is_err()), "{status}");
        }
    }
}
