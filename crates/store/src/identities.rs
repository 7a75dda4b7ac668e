//! Cloud Identities: ways into clouds, without keys. The one named `sandbox` is always there.

use alethia_domain::{access::CloudAccess, ids::CloudIdentityId};
use chrono::{DateTime, Utc};

use crate::{
    Conflict, Page, PageRequest, Reader, Result, Tx,
    db::{Query, Row, found, json, values},
};

/// Name of the identity of the simulated cloud.
pub const SANDBOX: &str = "sandbox";

/// A Cloud Identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudIdentity {
    /// Id.
    pub id: CloudIdentityId,
    /// Name, unique on the platform.
    pub name: String,
    /// The way in.
    pub access: CloudAccess,
    /// Grows with every change.
    pub revision: u32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

const SELECT: &str = "SELECT id, name, access, revision, created_at FROM cloud_identities";
const INSERT: &str =
    "INSERT INTO cloud_identities (id, name, access, revision, created_at) VALUES ($1, $2, $3, 1, $4)";

/// Counts the Specs that use the Cloud Identity $1, and those with a job that does. Looks at these, and at the jobs that
/// are not over. Public for the test that pins its plan.
#[doc(hidden)]
pub const USERS: &str = "SELECT count(*) AS users FROM (SELECT s.id FROM specs s WHERE s.identity_id = $1 \
    UNION SELECT j.spec_id FROM provision_jobs j WHERE j.identity_id = $1 \
        AND j.status IN ('QUEUED', 'CLAIMED', 'PROCESSING')) u";

/// Makes a Cloud Identity.
///
/// # Errors
/// [`Conflict::NameTaken`].
pub async fn insert(tx: &Tx, name: &str, access: &CloudAccess, now: DateTime<Utc>) -> Result<CloudIdentity> {
    let id = CloudIdentityId::generate();
    let inserted = tx.execute(INSERT, values![id, name, json(access), now]).await;
    let taken = || Conflict::NameTaken { noun: "cloud identity", name: name.to_owned() };
    inserted.map_err(|error| error.or_taken(taken()))?;
    get(tx, id).await
}

/// A Cloud Identity by its id.
///
/// # Errors
/// When there is none.
pub async fn get(reader: &impl Reader, id: CloudIdentityId) -> Result<CloudIdentity> {
    let row = reader.optional(&format!("{SELECT} WHERE id = $1"), values![id]).await?;
    identity(&found(row, "cloud identity", id)?)
}

/// A Cloud Identity by its name.
///
/// # Errors
/// When there is none.
pub async fn by_name(reader: &impl Reader, name: &str) -> Result<CloudIdentity> {
    let row = reader.optional(&format!("{SELECT} WHERE name = $1"), values![name]).await?;
    identity(&found(row, "cloud identity", name)?)
}

/// Cloud Identities, the newest first.
///
/// # Errors
/// When the database is not available.
pub async fn list(reader: &impl Reader, page: PageRequest) -> Result<Page<CloudIdentity>> {
    let sql = format!("{SELECT} WHERE id < $1 ORDER BY id DESC LIMIT $2");
    let rows = reader.all(&sql, values![page.before(), page.fetch()]).await?;
    let identities = rows.iter().map(identity).collect::<Result<Vec<_>>>()?;
    Ok(page.page(identities, |identity| identity.id.0))
}

/// Deletes a Cloud Identity.
///
/// # Errors
/// [`Conflict::IdentityInUse`] while a Spec, or a job that is not over, uses it.
pub async fn delete(tx: &Tx, name: &str) -> Result<()> {
    let identity = by_name(tx, name).await?;
    let count: u64 = tx.one(USERS, values![identity.id]).await?.number("users")?;
    if count > 0 {
        return Err(Conflict::IdentityInUse { name: name.to_owned(), count }.into());
    }
    tx.execute("DELETE FROM cloud_identities WHERE id = $1", values![identity.id]).await?;
    Ok(())
}

pub(crate) async fn ensure_sandbox(tx: &Tx, now: DateTime<Utc>) -> Result<()> {
    let sql = format!("{INSERT} ON CONFLICT (name) DO NOTHING");
    let id = CloudIdentityId::generate();
    tx.execute(&sql, values![id, SANDBOX, json(&CloudAccess::Sandbox), now]).await?;
    Ok(())
}

fn identity(row: &Row) -> Result<CloudIdentity> {
    Ok(CloudIdentity {
        id: row.id("id")?,
        name: row.get("name")?,
        access: row.json("access")?,
        revision: row.number("revision")?,
        created_at: row.get("created_at")?,
    })
}
