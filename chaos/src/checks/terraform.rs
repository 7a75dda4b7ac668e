//! At most one Terraform at a time changes what a Spec has in the cloud, by the word of the operating system; and none
//! works for an attempt that nobody gave it.

use super::Evidence;

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let overlaps = evidence.runs.iter().filter(|run| run.overlaps).map(|run| {
        let who = evidence.attempt(run);
        let who = who.map(|attempt| format!("the attempt {} of the job {}", attempt.attempt, attempt.job_id));
        let who = who.unwrap_or_else(|| "an unknown attempt".to_owned());
        format!("{who} changed the Spec {} from {} on while another Terraform still did", run.spec, run.begun)
    });
    let strangers = evidence.runs.iter().filter(|run| evidence.attempt(run).is_none());
    let strangers =
        strangers.map(|run| format!("Terraform ({}) ran at {} for no attempt", run.command, run.begun));
    overlaps.chain(strangers).collect()
}
