//! Whoever followed a job was told its whole log, each chunk once and in order, however often the connection broke.

use super::Evidence;
use crate::history::Followed;

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    evidence.followed.iter().filter_map(|followed| look(evidence, followed)).collect()
}

fn look(evidence: &Evidence, followed: &Followed) -> Option<String> {
    let who = format!("the stream of the job {}", followed.job);
    if let Some(why) = &followed.broke {
        return Some(format!("{who} broke for good: {why}"));
    }
    let log = evidence.logs.get(&followed.job).map(Vec::as_slice).unwrap_or_default();
    let place = followed.chunks.iter().zip(log).position(|(told, kept)| told != kept);
    let (told, kept) = (followed.chunks.len(), log.len());
    match place {
        Some(place) => Some(format!("{who} told another chunk in place {place} than the log has")),
        None if told != kept => Some(format!("{who} told {told} chunks and the log has {kept}")),
        None => None,
    }
}
