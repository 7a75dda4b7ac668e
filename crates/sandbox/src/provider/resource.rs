//! The life of a resource apart from its changes: reading it, planning it, importing it.
//!
//! The key of its file in the cloud travels in Terraform's private data, so it is found again whatever its
//! attributes are. A resource of `random` exists in Terraform's state alone.

use serde_json::Value as Json;

use super::{CallError, Family, Provider, aws};
use crate::cloud::{CloudError, Resource, secrets};
use crate::plan;
use crate::schema::{Block, Kind};
use crate::value::{Value, json};
use crate::wire::{
    AttributePath, DynamicValue, ImportRequest, ImportResponse, ImportedResource, PlanRequest, PlanResponse,
    ReadRequest, ReadResponse, Selector, StateResponse, UpgradeRequest,
};

impl Provider {
    /// State of an older time in the shape of today's schema.
    pub(super) fn upgrade(&self, request: &UpgradeRequest) -> Result<StateResponse, CallError> {
        let block = self.catalog.block(Kind::Resource, &request.type_name)?;
        let raw = request.raw_state.as_ref().map_or(&[][..], |state| &state.json);
        let state: Json = serde_json::from_slice(raw)?;
        Ok(StateResponse {
            state: DynamicValue::of(&json::to_block(&state, &block)),
            diagnostics: Vec::new(),
        })
    }

    /// What the cloud says of a resource; null when it is gone.
    pub(super) fn read(&self, request: ReadRequest) -> Result<ReadResponse, CallError> {
        let block = self.catalog.block(Kind::Resource, &request.type_name)?;
        let current = DynamicValue::read(request.current.as_ref())?;
        if self.family == Family::Random || current.is_null() {
            return Ok(ReadResponse {
                state: request.current,
                diagnostics: Vec::new(),
                private: request.private,
            });
        }
        let found = self.find(&request.type_name, &request.private, &current)?;
        let private = found.as_ref().map_or(request.private, |resource| resource.key().into_bytes());
        let state = found.map_or(Value::Null, |resource| observed(&resource, &current, &block));
        Ok(ReadResponse { state: DynamicValue::of(&state), diagnostics: Vec::new(), private })
    }

    pub(super) fn plan(&self, request: PlanRequest) -> Result<PlanResponse, CallError> {
        let block = self.catalog.block(Kind::Resource, &request.type_name)?;
        let prior = DynamicValue::read(request.prior.as_ref())?;
        let proposed = DynamicValue::read(request.proposed.as_ref())?;
        let config = DynamicValue::read(request.config.as_ref())?;
        if proposed.is_null() {
            return Ok(PlanResponse {
                planned: request.proposed,
                private: request.private,
                ..PlanResponse::default()
            });
        }
        let mut planned = plan::planned(&block, &config, &prior, &proposed);
        if self.family == Family::Aws {
            aws::complete_plan(&request.type_name, &block, &config, &mut planned, &self.settings());
        }
        self.renew(&request.type_name, &block, &prior, &config, &mut planned);
        Ok(PlanResponse {
            requires_replace: self.replacing(&request.type_name, &prior, &planned),
            planned: DynamicValue::of(&planned),
            private: request.private,
            diagnostics: Vec::new(),
            legacy_type_system: block.has_computed_block(),
        })
    }

    /// Takes over what the cloud has. An id that it has not leads to a null read, which Terraform explains.
    pub(super) fn import(&self, request: ImportRequest) -> Result<ImportResponse, CallError> {
        let block = self.catalog.block(Kind::Resource, &request.type_name)?;
        let (attributes, private) = match self.cloud.show(&request.type_name, &request.id) {
            Ok(resource) => (resource.attributes.clone(), resource.key().into_bytes()),
            Err(CloudError::NotFound { .. }) => (serde_json::json!({ "id": request.id }), Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let state = DynamicValue::of(&json::to_block(&attributes, &block));
        let resource = ImportedResource { type_name: request.type_name, state, private };
        Ok(ImportResponse { resources: vec![resource], diagnostics: Vec::new() })
    }

    /// The resource that Terraform means: by its key, or by its id where Terraform has no key yet.
    fn find(&self, type_name: &str, private: &[u8], current: &Value) -> Result<Option<Resource>, CallError> {
        if let Ok(key) = std::str::from_utf8(private)
            && !key.is_empty()
        {
            return Ok(self.cloud.read(type_name, key)?);
        }
        match self.cloud.show(type_name, current.get("id").as_str().unwrap_or_default()) {
            Ok(resource) => Ok(Some(resource)),
            Err(CloudError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the values unknown that a change of the resource makes new.
    fn renew(&self, type_name: &str, block: &Block, prior: &Value, config: &Value, planned: &mut Value) {
        if prior.is_null() || !plan::is_changed(block, prior, planned) {
            return;
        }
        let rules = self.catalog.rules();
        let changed = rules.derived(type_name).filter(|(cause, _)| prior.get(cause) != planned.get(cause));
        let derived: Vec<&str> = changed.flat_map(|(_, effects)| effects.iter().copied()).collect();
        for name in rules.renewed(type_name).iter().copied().chain(derived) {
            if config.get(name).is_null() {
                planned.set(name, Value::Unknown);
            }
        }
    }

    fn replacing(&self, type_name: &str, prior: &Value, planned: &Value) -> Vec<AttributePath> {
        if prior.is_null() {
            return Vec::new();
        }
        let replacing = plan::replacing(self.catalog.rules().replacing(type_name), prior, planned);
        replacing.into_iter().map(attribute_path).collect()
    }
}

fn observed(resource: &Resource, current: &Value, block: &Block) -> Value {
    let mut value = json::to_block(&resource.attributes, block);
    secrets::restore(&mut value, current, block);
    value
}

/// A path of the rules as Terraform writes it: into the first element of each block.
fn attribute_path(path: &str) -> AttributePath {
    let mut steps = Vec::new();
    for name in path.split('.') {
        if !steps.is_empty() {
            steps.push(Selector::Index(0));
        }
        steps.push(Selector::Attribute(name.to_owned()));
    }
    AttributePath::of(&steps)
}
