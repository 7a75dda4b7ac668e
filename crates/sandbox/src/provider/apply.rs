//! Changes: create, update, delete, with the faults that somebody asked for.
//!
//! When an apply is answered, the cloud's file is in place. A failed one changes nothing and gives the prior state back.

use std::collections::BTreeMap;

use super::{CallError, Family, Provider, aws, random};
use crate::cloud::made_up::{Fill, name_of};
use crate::cloud::{CloudError, Resource, secrets};
use crate::faults::{self, Operation};
use crate::schema::{Block, Kind};
use crate::value::{Value, json};
use crate::wire::{ApplyRequest, ApplyResponse, Diagnostic, DynamicValue};

/// How many resources without any difference between them one type may have.
const MOST_SIBLINGS: u32 = 1000;

/// One change on its way.
struct Change<'a> {
    type_name: &'a str,
    block: &'a Block,
    prior: Value,
    planned: Value,
    config: Value,
}

impl Provider {
    pub(super) async fn apply(&self, request: ApplyRequest) -> Result<ApplyResponse, CallError> {
        let block = self.catalog.block(Kind::Resource, &request.type_name)?;
        let change = Change {
            type_name: &request.type_name,
            block: &block,
            prior: DynamicValue::read(request.prior.as_ref())?,
            planned: DynamicValue::read(request.planned.as_ref())?,
            config: DynamicValue::read(request.config.as_ref())?,
        };
        if let Some(failure) = self.suffer(&change).await? {
            return Ok(refused(request.prior, request.private, failure));
        }
        let applied = match change.operation() {
            Operation::Delete => self.delete(&change, &request.private)?,
            Operation::Create => self.create(&change)?,
            Operation::Update | Operation::Any => self.update(&change, &request.private)?,
        };
        let legacy_type_system = block.has_computed_block();
        match applied {
            Ok((state, private)) => Ok(ApplyResponse {
                state: DynamicValue::of(&state),
                private,
                diagnostics: Vec::new(),
                legacy_type_system,
            }),
            Err(failure) => Ok(refused(request.prior, request.private, failure)),
        }
    }

    /// Waits and fails as the fault rules say.
    async fn suffer(&self, change: &Change<'_>) -> Result<Option<Diagnostic>, CallError> {
        let mut rules = self.faults.as_deref().map_or_else(|| Ok(Vec::new()), faults::parse)?;
        rules.extend(faults::load(self.cloud.root())?);
        let fault = faults::decide(self.cloud.root(), &rules, &change.target(), change.operation())?;
        let interrupted = self.interrupted.subscribe();
        if fault.hang {
            wait_until(interrupted).await;
            return Ok(Some(change.failure("interrupted while the cloud did not answer")));
        }
        if !fault.latency.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(fault.latency) => {}
                () = wait_until(interrupted) => return Ok(Some(change.failure("interrupted"))),
            }
        }
        Ok(fault.fail.map(|message| change.failure(&message)))
    }

    fn create(&self, change: &Change<'_>) -> Result<Applied, CallError> {
        if self.family == Family::Random {
            return Ok(Ok((self.made(change, "", self.random_seed().as_str()), Vec::new())));
        }
        let region = self.region_of(&change.planned);
        if let Some(taken) = self.taken(change, &region)? {
            return Ok(Err(change.exists(&taken)));
        }
        let mut last_id = String::new();
        for sibling in 0..MOST_SIBLINGS {
            let state = self.made(change, &region, &change.seed(sibling));
            let resource = self.resource(change, &state, &region);
            match self.cloud.create(&resource) {
                Ok(()) => return Ok(Ok((state, resource.key().into_bytes()))),
                Err(CloudError::Exists { .. }) if change.may_overwrite() => {
                    self.cloud.update(&resource.key(), &resource)?;
                    return Ok(Ok((state, resource.key().into_bytes())));
                }
                Err(CloudError::Exists { id, .. }) if id != last_id => last_id = id,
                Err(CloudError::Exists { .. }) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Err(change.exists(&last_id)))
    }

    fn update(&self, change: &Change<'_>, private: &[u8]) -> Result<Applied, CallError> {
        let region = self.region_of(&change.planned);
        if self.family == Family::Random {
            return Ok(Ok((self.made(change, &region, &self.random_seed()), Vec::new())));
        }
        let key = String::from_utf8_lossy(private).into_owned();
        let Some(old) = self.cloud.read(change.type_name, &key)? else {
            return Ok(Err(change.failure("the resource does not exist any more")));
        };
        let mut state = self.made(change, &region, &change.seed(0));
        aws::count_versions(change.type_name, &change.prior, &change.planned, &mut state);
        let mut resource = self.resource(change, &state, &region);
        resource.id = old.id;
        resource.created = old.created;
        resource.secrets = old.secrets.into_iter().chain(resource.secrets).collect();
        self.cloud.update(&key, &resource)?;
        Ok(Ok((state, key.into_bytes())))
    }

    fn delete(&self, change: &Change<'_>, private: &[u8]) -> Result<Applied, CallError> {
        let protecting = self.catalog.rules().protecting(change.type_name);
        if let Some(attribute) = protecting.iter().find(|name| *change.prior.get(name) == Value::Bool(true)) {
            let message =
                format!("the resource is protected: set {attribute} to false, apply, and delete it then");
            return Ok(Err(change.failure(&message)));
        }
        if self.family == Family::Aws {
            self.cloud.delete(change.type_name, &String::from_utf8_lossy(private))?;
        }
        Ok(Ok((Value::Null, Vec::new())))
    }

    /// The planned value with everything decided that was left to the cloud.
    fn made(&self, change: &Change<'_>, region: &str, seed: &str) -> Value {
        let mut value = change.planned.clone();
        let maker = self.maker(change.type_name, region, seed);
        match self.family {
            Family::Aws => aws::decide(change.type_name, &mut value, &maker),
            Family::Random => random::decide(change.type_name, &mut value, self.fill_random),
        }
        maker.fill(&mut value, change.block, Fill::Unknown);
        value
    }

    fn resource(&self, change: &Change<'_>, state: &Value, region: &str) -> Resource {
        let mut stored = state.clone();
        let mut hidden = secrets::take_sensitive(&mut stored, change.block);
        hidden.extend(secrets::write_only(&change.config, change.block));
        let name = name_of(&stored);
        let id = ["id", "arn", "name"].iter().find_map(|attribute| stored.get(attribute).as_str());
        let id = id.map_or_else(
            || secrets::hex(&self.maker(change.type_name, region, &change.seed(0)).hash("id")[..9]),
            str::to_owned,
        );
        let now = (self.now)();
        Resource {
            kind: change.type_name.to_owned(),
            name: if name.is_empty() { id.clone() } else { name },
            id,
            region: region.to_owned(),
            created: now,
            updated: now,
            attributes: json::from_block(&stored, change.block),
            secrets: self.marks(&hidden),
        }
    }

    fn marks(&self, hidden: &BTreeMap<String, Value>) -> BTreeMap<String, String> {
        let mark = |(path, value): (&String, &Value)| {
            let mut salt = [0; 16];
            (self.fill_random)(&mut salt);
            (path.clone(), secrets::mark(value, salt))
        };
        hidden.iter().map(mark).collect()
    }

    /// The id of the resource that has the name which this one wants.
    fn taken(&self, change: &Change<'_>, region: &str) -> Result<Option<String>, CallError> {
        let unique = self.catalog.rules().unique(change.type_name);
        let wanted: Vec<_> = unique.iter().map(|name| (name, change.planned.get(name).as_str())).collect();
        if wanted.is_empty() || wanted.iter().any(|(_, value)| value.is_none()) {
            return Ok(None);
        }
        let is_same = |resource: &Resource| {
            resource.region == region
                && wanted.iter().all(|(name, value)| resource.attributes[**name].as_str() == *value)
        };
        let others = self.cloud.of_type(change.type_name)?;
        Ok(others.into_iter().find(is_same).map(|resource| resource.id))
    }

    fn random_seed(&self) -> String {
        let mut seed = [0; 16];
        (self.fill_random)(&mut seed);
        secrets::hex(&seed)
    }
}

/// The new state and private data, or why the cloud refused.
type Applied = Result<(Value, Vec<u8>), Diagnostic>;

impl Change<'_> {
    fn operation(&self) -> Operation {
        match (self.prior.is_null(), self.planned.is_null()) {
            (true, _) => Operation::Create,
            (false, true) => Operation::Delete,
            (false, false) => Operation::Update,
        }
    }

    /// Whether a resource that exists already may be taken over, as two names of a certificate share a record.
    fn may_overwrite(&self) -> bool {
        self.planned.get("allow_overwrite").as_bool() == Some(true)
    }

    /// What fault rules match.
    fn target(&self) -> String {
        let value = if self.planned.is_null() { &self.prior } else { &self.planned };
        format!("{}.{}", self.type_name, name_of(value))
    }

    /// Tells this resource from others of its type; the number tells it from those that are configured alike.
    fn seed(&self, sibling: u32) -> String {
        let mut planned = self.planned.clone();
        secrets::take_sensitive(&mut planned, self.block);
        format!("{}#{sibling}", json::from_block(&planned, self.block))
    }

    fn failure(&self, message: &str) -> Diagnostic {
        let doing = match self.operation() {
            Operation::Create => "creating",
            Operation::Update | Operation::Any => "updating",
            Operation::Delete => "deleting",
        };
        Diagnostic::error(format!("{doing} {}: {message}", self.target()), "")
    }

    fn exists(&self, id: &str) -> Diagnostic {
        let mut diagnostic = self.failure("ResourceAlreadyExistsException");
        diagnostic.detail = format!(
            "The sandbox cloud already has a {} with this name: {id}. Import it, or give this one another name.",
            self.type_name
        );
        diagnostic
    }
}

async fn wait_until(mut interrupted: tokio::sync::watch::Receiver<bool>) {
    // An error means that the provider is gone: also a reason to end.
    let _ = interrupted.wait_for(|interrupted| *interrupted).await;
}

fn refused(prior: Option<DynamicValue>, private: Vec<u8>, failure: Diagnostic) -> ApplyResponse {
    // Terraform wants no state of a resource that was not created, and the former one of all others.
    ApplyResponse { state: prior, private, diagnostics: vec![failure], legacy_type_system: false }
}
