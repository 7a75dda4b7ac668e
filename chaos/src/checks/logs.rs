//! Every line that Terraform wrote is in the log once, in order, by content; of an attempt that was lost, the beginning.

use std::collections::BTreeMap;

use alethia_api::{jobs::Job, logs::LogChunk};
use alethia_terraform::event_json::{self, Level, Severity, TerraformEvent};

use super::{Evidence, evidence::Attempt};

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let jobs: BTreeMap<_, _> = evidence.jobs.iter().map(|job| (job.id, job)).collect();
    let attempts =
        evidence.attempts.iter().filter_map(|attempt| Some((attempt, *jobs.get(&attempt.job_id)?)));
    attempts.filter_map(|(attempt, job)| look(evidence, attempt, job)).collect()
}

fn look(evidence: &Evidence, attempt: &Attempt, job: &Job) -> Option<String> {
    let who = format!("the log of the attempt {} of the job {}", attempt.attempt, job.id);
    let chunks = evidence.logs.get(&job.id).map(Vec::as_slice).unwrap_or_default();
    let chunks: Vec<&LogChunk> = chunks.iter().filter(|chunk| chunk.attempt == attempt.attempt).collect();
    if let Some(wrong) = numbers(&chunks) {
        return Some(format!("{who} {wrong}"));
    }
    let told = chunks.iter().flat_map(|chunk| chunk.text.lines());
    let told: Vec<&str> = told.filter(|line| has_time(line)).collect();
    let wrote = written(evidence, attempt);
    if let Some(place) = told.iter().zip(&wrote).position(|(told, wrote)| told != wrote) {
        return Some(format!("{who} says {:?} where Terraform wrote {:?}", told[place], wrote[place]));
    }
    if told.len() > wrote.len() {
        return Some(format!("{who} says {:?}, which Terraform never wrote", told[wrote.len()]));
    }
    let is_whole = told.len() == wrote.len();
    let must_be_whole = attempt.attempt == job.attempt && evidence.finished.contains(&job.id);
    (must_be_whole && !is_whole).then(|| format!("{who} ends before {:?}", wrote[told.len()]))
}

fn numbers(chunks: &[&LogChunk]) -> Option<String> {
    let wrong = (1..).zip(chunks).find(|(number, chunk)| chunk.sequence != *number);
    wrong.map(|(number, chunk)| format!("has the chunk {} where {number} should be", chunk.sequence))
}

/// The first lines of what Terraform wrote for an attempt, as the Runner shows them.
fn written(evidence: &Evidence, attempt: &Attempt) -> Vec<String> {
    let runs = evidence.runs.iter().filter(|run| run.token_hash == attempt.token_hash);
    let lines = runs.flat_map(|run| evidence.journal.lines(&run.id).unwrap_or_default());
    lines.filter_map(|line| shown(&line)).collect()
}

fn shown(raw: &str) -> Option<String> {
    let line = event_json::parse(raw);
    let time = serde_json::from_str::<serde_json::Value>(raw).ok()?;
    let time = time["@timestamp"].as_str()?.get(11..19)?.to_owned();
    let text = match (&line.event, line.level) {
        (Some(TerraformEvent::Diagnostic(diagnostic)), _) => match diagnostic.severity {
            Severity::Warning => format!("Warning: {}", diagnostic.summary),
            Severity::Error => format!("Error: {}", diagnostic.summary),
        },
        (_, Level::Debug) => return None,
        (_, Level::Info | Level::Warn | Level::Error) => line.message.trim_matches('\n').to_owned(),
    };
    Some(format!("{time} {}", text.lines().next().unwrap_or_default()).trim_end().to_owned())
}

/// Lines of Terraform stand behind their time; the Runner's own do not.
fn has_time(line: &str) -> bool {
    let bytes = line.as_bytes();
    bytes.len() >= 8
        && bytes[2] == b':'
        && bytes[5] == b':'
        && bytes[0].is_ascii_digit()
        && bytes[7].is_ascii_digit()
}
