//! Specs. Their documents are in [`crate::revisions`], what exists of them in [`crate::components`].

use alethia_domain::{
    event::EventChange,
    ids::{CloudIdentityId, JobId, SpecId, ZoneId},
    lifecycle::{SpecEvent, SpecStatus},
    spec::Provider,
    stage::Stage,
};
use chrono::{DateTime, Utc};

use crate::{
    Conflict, Page, PageRequest, Reader, Result, Tx,
    blobs::BlobKey,
    db::{Query, Row, for_update, found, values},
    events::{self, NewEvent},
    revisions::{self, NewRevision},
};

/// A Spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Id.
    pub id: SpecId,
    /// Id of its Zone.
    pub zone_id: ZoneId,
    /// Name of its Zone.
    pub zone: String,
    /// Name, unique in its Zone.
    pub name: String,
    /// Environment it targets.
    pub stage: Stage,
    /// Cloud it runs on.
    pub provider: Provider,
    /// Region it runs in.
    pub region: String,
    /// Id of the Cloud Identity it uses.
    pub identity_id: CloudIdentityId,
    /// Name of that identity.
    pub identity: String,
    /// Where it is.
    pub status: SpecStatus,
    /// Why, when it FAILED, and what to do next.
    pub status_reason: Option<String>,
    /// Number of the newest Revision.
    pub revision: u32,
    /// Revision that was last deployed with success.
    pub deployed_revision: Option<u32>,
    /// The first of its jobs that are not final yet, if any.
    pub active_job: Option<JobId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

const SELECT: &str = "SELECT s.id, s.zone_id, z.name AS zone, s.name, s.stage, s.provider, s.region, s.identity_id, \
    i.name AS identity, s.status, s.status_reason, s.revision, s.deployed_revision, s.created_at, s.updated_at, \
    (SELECT j.id FROM provision_jobs j WHERE j.spec_id = s.id AND j.status IN ('QUEUED', 'CLAIMED', 'PROCESSING') \
     ORDER BY j.id LIMIT 1) AS active_job \
    FROM specs s JOIN zones z ON z.id = s.zone_id JOIN cloud_identities i ON i.id = s.identity_id";

/// Makes a Spec with its first Revision. Its status is DRAFT.
///
/// # Errors
/// [`Conflict::NameTaken`].
pub async fn insert(
    tx: &Tx,
    zone_id: ZoneId,
    name: &str,
    first: &NewRevision,
    now: DateTime<Utc>,
) -> Result<SpecId> {
    let id = SpecId::generate();
    let sql = "INSERT INTO specs (id, zone_id, name, stage, provider, region, identity_id, status, revision, \
        created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 'DRAFT', 1, $8, $8)";
    let NewRevision { stage, provider, region, identity_id, .. } = first;
    let values = values![id, zone_id, name, stage, provider, region, identity_id, now];
    let taken = || Conflict::NameTaken { noun: "spec", name: name.to_owned() };
    tx.execute(sql, values).await.map_err(|error| error.or_taken(taken()))?;
    revisions::insert(tx, id, 1, first, now).await?;
    Ok(id)
}

/// A Spec by its id.
///
/// # Errors
/// When there is none.
pub async fn get(reader: &impl Reader, id: SpecId) -> Result<Spec> {
    let row = reader.optional(&format!("{SELECT} WHERE s.id = $1"), values![id]).await?;
    spec(&found(row, "spec", id)?)
}

/// A Spec by its Zone and name, if there is one.
///
/// # Errors
/// When the database is not available.
pub async fn find(reader: &impl Reader, zone_id: ZoneId, name: &str) -> Result<Option<Spec>> {
    let sql = format!("{SELECT} WHERE s.zone_id = $1 AND s.name = $2");
    reader.optional(&sql, values![zone_id, name]).await?.as_ref().map(spec).transpose()
}

/// Specs, of one Zone or of all, the newest first.
///
/// # Errors
/// When the database is not available.
pub async fn list(reader: &impl Reader, zone_id: Option<ZoneId>, page: PageRequest) -> Result<Page<Spec>> {
    let condition = if zone_id.is_some() { " AND s.zone_id = $3" } else { "" };
    let sql = format!("{SELECT} WHERE s.id < $1{condition} ORDER BY s.id DESC LIMIT $2");
    let mut values = values![page.before(), page.fetch()];
    values.extend(zone_id.map(|zone_id| zone_id.0.into()));
    let rows = reader.all(&sql, values).await?;
    let specs = rows.iter().map(spec).collect::<Result<Vec<_>>>()?;
    Ok(page.page(specs, |spec| spec.id.0))
}

/// Takes a Spec's row for this transaction, so that what it decides by the Spec holds until it commits.
///
/// # Errors
/// When there is none.
pub async fn lock(tx: &Tx, id: SpecId) -> Result<()> {
    let sql = format!("SELECT id FROM specs WHERE id = $1{}", for_update(tx));
    found(tx.optional(&sql, values![id]).await?, "spec", id).map(|_| ())
}

/// Lets something happen to a Spec; tells its new status. `reason` stays with the Spec until the next transition.
///
/// # Errors
/// [`crate::StoreError::Illegal`] when its status does not allow it.
pub async fn transition(
    tx: &Tx,
    id: SpecId,
    event: &SpecEvent,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<SpecStatus> {
    let sql = format!("SELECT status FROM specs WHERE id = $1{}", for_update(tx));
    let row = found(tx.optional(&sql, values![id]).await?, "spec", id)?;
    let old: SpecStatus = row.word("status")?;
    let new = old.next(event)?;
    let sql =
        "UPDATE specs SET status = $3, status_reason = $4, updated_at = $5 WHERE id = $1 AND status = $2";
    tx.execute(sql, values![id, old, new, reason, now]).await?;
    if new != old {
        let change = EventChange::SpecChanged { status: new };
        events::append(tx, NewEvent { at: now, spec_id: Some(id), job_id: None, change });
    }
    Ok(new)
}

/// Notes which Revision was deployed with success; `None` after everything was destroyed.
///
/// # Errors
/// When the database is not available.
pub async fn set_deployed(tx: &Tx, id: SpecId, revision: Option<u32>, now: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE specs SET deployed_revision = $2, updated_at = $3 WHERE id = $1";
    tx.execute(sql, values![id, revision, now]).await?;
    Ok(())
}

/// Deletes a Spec with everything about it: Revisions, components, jobs, logs, plans, states.
///
/// # Errors
/// [`Conflict::SpecInUse`] when it may still have something in the cloud or a job that is not over.
pub async fn delete(tx: &Tx, id: SpecId) -> Result<()> {
    lock(tx, id).await?;
    let spec = get(tx, id).await?;
    refuse_while_in_use(tx, &spec).await?;
    let blobs = "SELECT blob FROM state_versions WHERE spec_id = $1 \
        UNION ALL SELECT blob FROM rescued_states WHERE spec_id = $1 \
        UNION ALL SELECT f.blob FROM plan_files f JOIN provision_jobs j ON j.id = f.job_id WHERE j.spec_id = $1 \
        UNION ALL SELECT a.blob FROM job_log_archives a JOIN provision_jobs j ON j.id = a.job_id WHERE j.spec_id = $1";
    let rows = tx.all(blobs, values![id]).await?;
    let keys = rows.iter().map(|row| row.get("blob").map(BlobKey::from_column));
    tx.discard(keys.collect::<Result<Vec<_>>>()?);
    tx.execute("DELETE FROM specs WHERE id = $1", values![id]).await?;
    Ok(())
}

async fn refuse_while_in_use(tx: &Tx, spec: &Spec) -> Result<()> {
    if let Some(job) = spec.active_job {
        return Err(Conflict::SpecInUse(format!("has job {job}, which is not over")).into());
    }
    match spec.status {
        SpecStatus::Draft | SpecStatus::Destroyed => Ok(()),
        SpecStatus::Failed => refuse_with_resources(tx, spec.id).await,
        SpecStatus::Queued | SpecStatus::Provisioning | SpecStatus::Active | SpecStatus::Destroying => {
            Err(Conflict::SpecInUse(format!("is {}; destroy it first", spec.status)).into())
        }
    }
}

async fn refuse_with_resources(tx: &Tx, id: SpecId) -> Result<()> {
    let state = crate::states::current(tx, id).await?;
    match state.map_or(0, |state| state.resources) {
        0 => Ok(()),
        count => {
            Err(Conflict::SpecInUse(format!("still has {count} resources in its state; destroy it first"))
                .into())
        }
    }
}

fn spec(row: &Row) -> Result<Spec> {
    Ok(Spec {
        id: row.id("id")?,
        zone_id: row.id("zone_id")?,
        zone: row.get("zone")?,
        name: row.get("name")?,
        stage: row.word("stage")?,
        provider: row.word("provider")?,
        region: row.get("region")?,
        identity_id: row.id("identity_id")?,
        identity: row.get("identity")?,
        status: row.word("status")?,
        status_reason: row.get("status_reason")?,
        revision: row.number("revision")?,
        deployed_revision: row.optional_number("deployed_revision")?,
        active_job: row.optional_id("active_job")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}
