//! What exists of a Spec: one row a component. The relations `spec_network` to `spec_secrets` are views of them.
//!
//! Who changes a component takes the Spec's row before the component's: the same order as an edit of the document, so
//! that the two can't wait for each other.

use std::collections::{BTreeMap, BTreeSet};

use alethia_domain::{
    component::{ComponentKind, ComponentRef},
    event::EventChange,
    ids::{JobId, SpecId},
    lifecycle::{ComponentEvent, ComponentStatus},
};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    Reader, Result, Tx,
    db::{Query, Row, for_update, found, json, values},
    events::{self, NewEvent},
    specs,
};

/// One component of a Spec.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// Which.
    pub component: ComponentRef,
    /// Where it is.
    pub status: ComponentStatus,
    /// Why, when it FAILED.
    pub status_reason: Option<String>,
    /// Endpoints, ARNs and the like; never a secret value.
    pub outputs: Map<String, Value>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Something that happened to a component.
#[derive(Clone, Debug)]
pub struct Happening<'a> {
    /// Job that tells of it.
    pub job_id: Option<JobId>,
    /// What.
    pub event: ComponentEvent,
    /// Why, for a failure.
    pub reason: Option<&'a str>,
    /// Resources of it that are done.
    pub done: u32,
    /// Resources of it in all.
    pub total: u32,
}

/// Components of a Spec, in the order of the kinds and then of their names.
///
/// # Errors
/// When the database is not available.
pub async fn list(reader: &impl Reader, spec_id: SpecId) -> Result<Vec<Component>> {
    let sql =
        "SELECT kind, name, status, status_reason, outputs, updated_at FROM components WHERE spec_id = $1";
    let rows = reader.all(sql, values![spec_id]).await?;
    let mut components = rows.iter().map(component).collect::<Result<Vec<_>>>()?;
    components.sort_by(|a, b| a.component.cmp(&b.component));
    Ok(components)
}

/// Makes the rows fit what the document wants: new ones are PENDING, also where one of that name was DESTROYED; those
/// that are not wanted any more and were never made are DESTROYED. All others stay until a job changes them.
///
/// # Errors
/// When the database is not available.
pub async fn sync(tx: &Tx, spec_id: SpecId, wanted: &[ComponentRef], now: DateTime<Utc>) -> Result<()> {
    let wanted: BTreeSet<&ComponentRef> = wanted.iter().collect();
    let existing: BTreeMap<ComponentRef, ComponentStatus> =
        list(tx, spec_id).await?.into_iter().map(|found| (found.component, found.status)).collect();
    for component in &wanted {
        match existing.get(*component) {
            None => insert(tx, spec_id, component, now).await?,
            Some(ComponentStatus::Destroyed) => {
                remove(tx, spec_id, component).await?;
                insert(tx, spec_id, component, now).await?;
            }
            Some(_) => {}
        }
    }
    for (component, status) in &existing {
        if *status == ComponentStatus::Pending && !wanted.contains(component) {
            transition(tx, spec_id, component, &Happening::plain(ComponentEvent::Vanish), now).await?;
        }
    }
    Ok(())
}

/// Lets something happen to a component; tells its new status. What changes nothing is neither written nor told, and
/// what is gone gives out nothing any more.
///
/// # Errors
/// [`crate::StoreError::Illegal`] when its status does not allow it.
pub async fn transition(
    tx: &Tx,
    spec_id: SpecId,
    component: &ComponentRef,
    happening: &Happening<'_>,
    now: DateTime<Utc>,
) -> Result<ComponentStatus> {
    let ComponentRef { kind, name } = component;
    let sql = format!(
        "SELECT c.status, c.status_reason FROM specs s JOIN components c ON c.spec_id = s.id \
         WHERE s.id = $1 AND c.kind = $2 AND c.name = $3{}",
        for_update(tx)
    );
    let row = found(tx.optional(&sql, values![spec_id, kind, name]).await?, "component", component)?;
    let old: ComponentStatus = row.word("status")?;
    let new = old.next(&happening.event)?;
    let reason: Option<String> = row.get("status_reason")?;
    if new == old && reason.as_deref() == happening.reason {
        return Ok(new);
    }
    let sql = "UPDATE components SET status = $5, status_reason = $6, updated_at = $7 \
        WHERE spec_id = $1 AND kind = $2 AND name = $3 AND status = $4";
    tx.execute(sql, values![spec_id, kind, name, old, new, happening.reason, now]).await?;
    if new == ComponentStatus::Destroyed {
        set_outputs(tx, spec_id, component, &Map::new(), now).await?;
    }
    announce(tx, spec_id, component, new, happening, now);
    Ok(new)
}

/// Keeps what a component gives out: endpoints, ARNs. Takes the place of what was kept before.
///
/// # Errors
/// When there is no such component.
pub async fn set_outputs(
    tx: &Tx,
    spec_id: SpecId,
    component: &ComponentRef,
    outputs: &Map<String, Value>,
    now: DateTime<Utc>,
) -> Result<()> {
    specs::lock(tx, spec_id).await?;
    let ComponentRef { kind, name } = component;
    let sql = "SELECT outputs FROM components WHERE spec_id = $1 AND kind = $2 AND name = $3";
    let row = found(tx.optional(sql, values![spec_id, kind, name]).await?, "component", component)?;
    if row.json::<Map<String, Value>>("outputs")? == *outputs {
        return Ok(());
    }
    let sql =
        "UPDATE components SET outputs = $4, updated_at = $5 WHERE spec_id = $1 AND kind = $2 AND name = $3";
    tx.execute(sql, values![spec_id, kind, name, json(outputs), now]).await.map(drop)
}

impl Happening<'_> {
    /// An event that no job tells of, without a reason or numbers.
    pub fn plain(event: ComponentEvent) -> Self {
        Self { job_id: None, event, reason: None, done: 0, total: 0 }
    }
}

async fn insert(tx: &Tx, spec_id: SpecId, component: &ComponentRef, now: DateTime<Utc>) -> Result<()> {
    let sql = "INSERT INTO components (id, spec_id, kind, name, status, outputs, created_at, updated_at) \
        VALUES ($1, $2, $3, $4, 'PENDING', $5, $6, $6)";
    let outputs = json(&Map::new());
    tx.execute(sql, values![Uuid::now_v7(), spec_id, component.kind, component.name, outputs, now]).await?;
    let happening = Happening::plain(ComponentEvent::Settle);
    announce(tx, spec_id, component, ComponentStatus::Pending, &happening, now);
    Ok(())
}

async fn remove(tx: &Tx, spec_id: SpecId, component: &ComponentRef) -> Result<()> {
    let sql =
        "DELETE FROM components WHERE spec_id = $1 AND kind = $2 AND name = $3 AND status = 'DESTROYED'";
    tx.execute(sql, values![spec_id, component.kind, component.name]).await?;
    Ok(())
}

fn announce(
    tx: &Tx,
    spec_id: SpecId,
    component: &ComponentRef,
    status: ComponentStatus,
    happening: &Happening<'_>,
    at: DateTime<Utc>,
) {
    let change = EventChange::ComponentChanged {
        component: component.clone(),
        status,
        reason: happening.reason.map(str::to_owned),
        done: happening.done,
        total: happening.total,
    };
    events::append(tx, NewEvent { at, spec_id: Some(spec_id), job_id: happening.job_id, change });
}

fn component(row: &Row) -> Result<Component> {
    let kind: ComponentKind = row.word("kind")?;
    Ok(Component {
        component: ComponentRef { kind, name: row.get("name")? },
        status: row.word("status")?,
        status_reason: row.get("status_reason")?,
        outputs: row.json("outputs")?,
        updated_at: row.get("updated_at")?,
    })
}
