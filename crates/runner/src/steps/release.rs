//! Lift the protection from deletion, before a confirmed removal.
//!
//! The cloud refuses to delete what is protected. The root of a removal has every protection off; this step applies it to
//! the protected resources alone, so that nothing else changes before everything goes.

use alethia_terraform::protection;

use super::{
    StepError,
    plan::{LARGEST_JSON, LOCK_TIMEOUT, read_at_most},
    rescue, terraform,
};
use crate::{job::Job, workdir::private_file};

/// File with the state as it is before the removal.
const STATE_FILE: &str = "before.tfstate";

pub(super) async fn run(job: &mut Job) -> Result<(), StepError> {
    let protected = protected(job).await?;
    if protected.is_empty() {
        return Ok(());
    }
    job.log.write(&format!("lifting the protection from deletion of {}", protected.join(", "))).await;
    let targets: Vec<String> = protected.iter().map(|address| format!("-target={address}")).collect();
    let mut arguments = vec!["apply", "-json", "-input=false", "-auto-approve", LOCK_TIMEOUT];
    arguments.extend(targets.iter().map(String::as_str));
    let ended = terraform::run(job, &arguments, |_| {}).await;
    rescue::deliver_state(job).await;
    ended
}

async fn protected(job: &mut Job) -> Result<Vec<String>, StepError> {
    let path = job.workspace().folder.root().join(STATE_FILE);
    let unreadable = |error: std::io::Error| StepError::runner("the state can't be read", &error);
    let output = private_file(&path).map_err(unreadable)?;
    terraform::run_into(job, &["state", "pull"], output).await?;
    let state = read_at_most(&path, LARGEST_JSON).map_err(unreadable)?;
    protection::protected(&state).map_err(|error| StepError::runner("no protection can be lifted", &error))
}
