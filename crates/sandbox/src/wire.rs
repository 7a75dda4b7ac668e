//! The messages of Terraform's plugin protocol, version 6, as far as the sandbox speaks it.
//!
//! Written by hand after `tfplugin6.proto` so that a build needs no protoc; field numbers are the contract.
//! Requests that look the same on the wire share one type. The schema messages are in [`crate::format`].

use std::collections::HashMap;

use crate::value::{Value, ValueError};

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Empty {}

/// A value in MessagePack.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DynamicValue {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) msgpack: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Diagnostic {
    #[prost(int32, tag = "1")]
    pub(crate) severity: i32,
    #[prost(string, tag = "2")]
    pub(crate) summary: String,
    #[prost(string, tag = "3")]
    pub(crate) detail: String,
    #[prost(message, optional, tag = "4")]
    pub(crate) attribute: Option<AttributePath>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AttributePath {
    #[prost(message, repeated, tag = "1")]
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Step {
    #[prost(oneof = "Selector", tags = "1, 2, 3")]
    pub(crate) selector: Option<Selector>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum Selector {
    #[prost(string, tag = "1")]
    Attribute(String),
    #[prost(string, tag = "2")]
    Key(String),
    #[prost(int64, tag = "3")]
    Index(i64),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ServerCapabilities {
    #[prost(bool, tag = "1")]
    pub(crate) plan_destroy: bool,
    #[prost(bool, tag = "2")]
    pub(crate) get_provider_schema_optional: bool,
    #[prost(bool, tag = "3")]
    pub(crate) move_resource_state: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct TypeName {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct MetadataResponse {
    #[prost(message, optional, tag = "1")]
    pub(crate) capabilities: Option<ServerCapabilities>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) data_sources: Vec<TypeName>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) resources: Vec<TypeName>,
    #[prost(message, repeated, tag = "6")]
    pub(crate) ephemeral_resources: Vec<TypeName>,
}

/// Schemas stay encoded: a `bytes` field and a message field look the same on the wire.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SchemaResponse {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) provider: Vec<u8>,
    #[prost(map = "string, bytes", tag = "2")]
    pub(crate) resources: HashMap<String, Vec<u8>>,
    #[prost(map = "string, bytes", tag = "3")]
    pub(crate) data_sources: HashMap<String, Vec<u8>>,
    #[prost(message, optional, tag = "6")]
    pub(crate) capabilities: Option<ServerCapabilities>,
    #[prost(map = "string, bytes", tag = "8")]
    pub(crate) ephemeral_resources: HashMap<String, Vec<u8>>,
}

/// Asks to validate a configuration, read a data source or open an ephemeral resource.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ConfigRequest {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) config: Option<DynamicValue>,
}

/// Answers the validation of everything but a provider, and `ConfigureProvider`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DiagnosticsResponse {
    #[prost(message, repeated, tag = "1")]
    pub(crate) diagnostics: Vec<Diagnostic>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ConfigureRequest {
    #[prost(string, tag = "1")]
    pub(crate) terraform_version: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) config: Option<DynamicValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RawState {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) json: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct UpgradeRequest {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(int64, tag = "2")]
    pub(crate) version: i64,
    #[prost(message, optional, tag = "3")]
    pub(crate) raw_state: Option<RawState>,
}

/// Answers `UpgradeResourceState` and `ReadDataSource`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StateResponse {
    #[prost(message, optional, tag = "1")]
    pub(crate) state: Option<DynamicValue>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) diagnostics: Vec<Diagnostic>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReadRequest {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) current: Option<DynamicValue>,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) private: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReadResponse {
    #[prost(message, optional, tag = "1")]
    pub(crate) state: Option<DynamicValue>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) diagnostics: Vec<Diagnostic>,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) private: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct PlanRequest {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) prior: Option<DynamicValue>,
    #[prost(message, optional, tag = "3")]
    pub(crate) proposed: Option<DynamicValue>,
    #[prost(message, optional, tag = "4")]
    pub(crate) config: Option<DynamicValue>,
    #[prost(bytes = "vec", tag = "5")]
    pub(crate) private: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct PlanResponse {
    #[prost(message, optional, tag = "1")]
    pub(crate) planned: Option<DynamicValue>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) requires_replace: Vec<AttributePath>,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) private: Vec<u8>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) diagnostics: Vec<Diagnostic>,
    #[prost(bool, tag = "5")]
    pub(crate) legacy_type_system: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ApplyRequest {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) prior: Option<DynamicValue>,
    #[prost(message, optional, tag = "3")]
    pub(crate) planned: Option<DynamicValue>,
    #[prost(message, optional, tag = "4")]
    pub(crate) config: Option<DynamicValue>,
    #[prost(bytes = "vec", tag = "5")]
    pub(crate) private: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ApplyResponse {
    #[prost(message, optional, tag = "1")]
    pub(crate) state: Option<DynamicValue>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) private: Vec<u8>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) diagnostics: Vec<Diagnostic>,
    #[prost(bool, tag = "4")]
    pub(crate) legacy_type_system: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ImportRequest {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(string, tag = "2")]
    pub(crate) id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ImportedResource {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) state: Option<DynamicValue>,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) private: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ImportResponse {
    #[prost(message, repeated, tag = "1")]
    pub(crate) resources: Vec<ImportedResource>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) diagnostics: Vec<Diagnostic>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct OpenEphemeralResponse {
    #[prost(message, repeated, tag = "1")]
    pub(crate) diagnostics: Vec<Diagnostic>,
    #[prost(message, optional, tag = "3")]
    pub(crate) result: Option<DynamicValue>,
}

impl DynamicValue {
    pub(crate) fn of(value: &Value) -> Option<Self> {
        Some(Self { msgpack: value.to_msgpack() })
    }

    /// The value of an optional field; an absent one is null.
    pub(crate) fn read(field: Option<&Self>) -> Result<Value, ValueError> {
        field.map_or(Ok(Value::Null), |value| Value::from_msgpack(&value.msgpack))
    }
}

impl Diagnostic {
    const ERROR: i32 = 1;

    pub(crate) fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { severity: Self::ERROR, summary: summary.into(), detail: detail.into(), attribute: None }
    }

    pub(crate) fn at(mut self, path: &[Selector]) -> Self {
        self.attribute = Some(AttributePath::of(path));
        self
    }
}

impl AttributePath {
    pub(crate) fn of(path: &[Selector]) -> Self {
        Self { steps: path.iter().map(|selector| Step { selector: Some(selector.clone()) }).collect() }
    }
}
