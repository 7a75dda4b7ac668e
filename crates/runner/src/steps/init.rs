//! Make the root ready for Terraform: from the cache where the same modules were made ready before.

use std::path::Path;

use alethia_domain::{
    access::CloudAccess,
    plan::{PlanBasis, canonical_json, sha256_hex},
};
use alethia_terraform::{bundle, render};

use super::{StepError, terraform};
use crate::{
    init_cache::{InitCache, Recipe},
    job::Job,
    stop::Stop,
};

pub(super) async fn run(job: &mut Job) -> Result<(), StepError> {
    make_ready(job).await?;
    let root = job.workspace().folder.root();
    let lock_file = std::fs::read(root.join(bundle::LOCK_FILE))
        .map_err(|error| StepError::runner("the provider lock file can't be read", &error))?;
    job.basis = Some(basis(job, &lock_file));
    Ok(())
}

async fn make_ready(job: &mut Job) -> Result<(), StepError> {
    let failed = |error| StepError::runner("the provider cache can't be used", &error);
    let root = job.workspace().folder.root();
    let key = key(job).map_err(failed)?;
    let cache = job.shared.cache.clone();
    if cache.reuse(&key, &root).map_err(failed)? {
        job.log.write("init: made ready before, taken from the cache").await;
        return Ok(());
    }
    let Some(lock) = cache.lock(&job.stop).await.map_err(failed)? else {
        return Err(StepError::Stopped(job.stop.reason().unwrap_or(Stop::Cancel)));
    };
    // Another job may have done it while this one waited.
    if cache.reuse(&key, &root).map_err(failed)? {
        job.log.write("init: made ready in the meantime, taken from the cache").await;
        return Ok(());
    }
    let plugins = cache.plugins().map_err(failed)?;
    init(job, &plugins).await?;
    if let Err(error) = cache.keep(&lock, &key, &root) {
        tracing::warn!(%error, "what init made could not be kept for the next job");
    }
    Ok(())
}

fn key(job: &Job) -> std::io::Result<String> {
    let configuration = job.workspace().environment.get("TF_CLI_CONFIG_FILE");
    let components = std::fs::read(job.workspace().folder.root().join(render::COMPONENTS_FILE))?;
    InitCache::key(&Recipe {
        bundle: bundle::digest(),
        components: &components,
        tool: &job.shared.tool.to_string(),
        access: job.claim.access.as_str(),
        configuration: configuration.map(Path::new),
    })
}

async fn init(job: &mut Job, plugins: &Path) -> Result<(), StepError> {
    const PLUGINS: &str = "TF_PLUGIN_CACHE_DIR";
    // The sandbox has providers of its own under the same names: they never meet real ones in one cache.
    if job.claim.access != CloudAccess::Sandbox {
        let plugins = plugins.to_string_lossy().into_owned();
        job.workspace_mut().environment.insert(PLUGINS.to_owned(), plugins);
    }
    let ended = terraform::run(job, &["init", "-input=false", "-no-color"], |_| {}).await;
    job.workspace_mut().environment.remove(PLUGINS);
    ended
}

fn basis(job: &Job, lock_file: &[u8]) -> PlanBasis {
    let claim = &job.claim;
    PlanBasis {
        snapshot: sha256_hex(&canonical_json(&claim.document)),
        bundle: bundle::digest().to_owned(),
        lock_file: sha256_hex(lock_file),
        tool: job.shared.tool.to_string(),
        identity: claim.identity.clone(),
        state_lineage: claim.state.lineage.clone(),
        state_serial: claim.state.serial,
    }
}
