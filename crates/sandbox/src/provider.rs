//! The provider: one method for every call of the plugin protocol.
//!
//! `call` decodes a message, hands it to the room that knows it and encodes the answer. The provider keeps nothing but
//! its settings; what exists is in the cloud's folder, and for the provider `random` in Terraform's state alone.
//! Absent on purpose: provider functions, resource identities and moves between types, which no template needs.

use std::env;
use std::path::PathBuf;
use std::sync::RwLock;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use prost::Message;
use tokio::sync::watch;
use tonic::Status;

use crate::cloud::made_up::{Maker, Table};
use crate::cloud::{Cloud, CloudError};
use crate::faults::{self, FaultsError};
use crate::rules::Rules;
use crate::schema::{Catalog, Kind, SchemaError};
use crate::value::{Value, ValueError};
use crate::wire::{self, DynamicValue};

mod apply;
mod aws;
mod checks;
mod data;
mod ephemeral;
mod passwords;
mod policy_document;
mod random;
mod resource;
mod validate;

use checks::Checks;

/// One of the providers that the sandbox stands in for.
pub(crate) struct Provider {
    family: Family,
    catalog: Catalog,
    table: Table,
    checks: Checks,
    cloud: Cloud,
    /// Fault rules from the environment as they came; those of the cloud's folder are read anew at every apply.
    faults: Option<String>,
    settings: RwLock<Settings>,
    interrupted: watch::Sender<bool>,
    now: fn() -> DateTime<Utc>,
    fill_random: fn(&mut [u8]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Aws,
    Random,
}

/// What the provider block of the configuration says.
#[derive(Clone, Debug, Default)]
struct Settings {
    region: String,
    default_tags: Vec<(String, Value)>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderError {
    #[error("sandbox has no provider {0:?}; it has aws and random")]
    Unknown(String),
    #[error(transparent)]
    Cloud(#[from] CloudError),
}

/// Why a call has no answer at all. What the user did wrong is a diagnostic inside an answer instead.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error(transparent)]
    Message(#[from] prost::DecodeError),
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error(transparent)]
    Value(#[from] ValueError),
    #[error(transparent)]
    Cloud(#[from] CloudError),
    #[error(transparent)]
    Faults(#[from] FaultsError),
    #[error("stored state is not JSON")]
    State(#[from] serde_json::Error),
    #[error("sandbox has no method {0}")]
    Unimplemented(String),
}

const CAPABILITIES: wire::ServerCapabilities = wire::ServerCapabilities {
    plan_destroy: false,
    get_provider_schema_optional: true,
    move_resource_state: false,
};

impl Provider {
    /// The provider `aws` or `random` over the cloud in the folder `cloud`.
    pub(crate) fn open(name: &str, cloud: PathBuf) -> Result<Self, ProviderError> {
        let family = match name {
            "aws" => Family::Aws,
            "random" => Family::Random,
            other => return Err(ProviderError::Unknown(other.to_owned())),
        };
        Ok(Self {
            family,
            catalog: family.catalog(),
            table: Table::parse(family.values()),
            checks: Checks::parse(family.checks()),
            cloud: Cloud::open(cloud)?,
            faults: env::var(faults::VARIABLE).ok().filter(|rules| !rules.is_empty()),
            settings: RwLock::new(Settings { region: default_region(), default_tags: Vec::new() }),
            interrupted: watch::Sender::new(false),
            now: Utc::now,
            fill_random: passwords::fill_from_system,
        })
    }

    /// Answers one call.
    pub(crate) async fn call(&self, method: &str, message: Bytes) -> Result<Bytes, Status> {
        self.dispatch(method, message).await.map_err(|error| match error {
            CallError::Unimplemented(_) => Status::unimplemented(error.to_string()),
            error => Status::internal(with_causes(&error)),
        })
    }

    async fn dispatch(&self, method: &str, message: Bytes) -> Result<Bytes, CallError> {
        match method {
            "GetMetadata" => encode(&self.metadata()),
            "GetProviderSchema" => encode(&self.schemas()?),
            "ValidateProviderConfig" => encode(&wire::Empty {}),
            "ConfigureProvider" => encode(&self.configure(&decode(message)?)?),
            "ValidateResourceConfig" => encode(&self.validate(Kind::Resource, &decode(message)?)?),
            "ValidateDataResourceConfig" => encode(&self.validate(Kind::Data, &decode(message)?)?),
            "ValidateEphemeralResourceConfig" => encode(&self.validate(Kind::Ephemeral, &decode(message)?)?),
            "UpgradeResourceState" => encode(&self.upgrade(&decode(message)?)?),
            "ReadResource" => encode(&self.read(decode(message)?)?),
            "PlanResourceChange" => encode(&self.plan(decode(message)?)?),
            "ApplyResourceChange" => encode(&self.apply(decode(message)?).await?),
            "ImportResourceState" => encode(&self.import(decode(message)?)?),
            "ReadDataSource" => encode(&self.read_data(&decode(message)?)?),
            "OpenEphemeralResource" => encode(&self.open_ephemeral(&decode(message)?)?),
            "StopProvider" => encode(&self.stop()),
            "RenewEphemeralResource" | "CloseEphemeralResource" | "GetFunctions" => encode(&wire::Empty {}),
            other => Err(CallError::Unimplemented(other.to_owned())),
        }
    }

    fn metadata(&self) -> wire::MetadataResponse {
        let names = |kind| {
            self.catalog.names(kind).map(|name| wire::TypeName { type_name: name.to_owned() }).collect()
        };
        wire::MetadataResponse {
            capabilities: Some(CAPABILITIES),
            data_sources: names(Kind::Data),
            resources: names(Kind::Resource),
            ephemeral_resources: names(Kind::Ephemeral),
        }
    }

    fn schemas(&self) -> Result<wire::SchemaResponse, CallError> {
        let all = |kind| {
            let names = self.catalog.names(kind);
            names
                .map(|name| Ok((name.to_owned(), self.catalog.encoded(kind, name)?)))
                .collect::<Result<_, SchemaError>>()
        };
        Ok(wire::SchemaResponse {
            provider: self.catalog.encoded(Kind::Provider, "")?,
            resources: all(Kind::Resource)?,
            data_sources: all(Kind::Data)?,
            capabilities: Some(CAPABILITIES),
            ephemeral_resources: all(Kind::Ephemeral)?,
        })
    }

    fn configure(&self, request: &wire::ConfigureRequest) -> Result<wire::DiagnosticsResponse, CallError> {
        let config = DynamicValue::read(request.config.as_ref())?;
        let region = config.get("region").as_str().map_or_else(default_region, str::to_owned);
        let tags = config.get("default_tags").items().first().map(|block| block.get("tags").clone());
        let default_tags = match tags {
            Some(Value::Map(tags)) => tags.into_iter().collect(),
            _ => Vec::new(),
        };
        *self.settings.write().expect("no holder of this lock panics") = Settings { region, default_tags };
        Ok(wire::DiagnosticsResponse::default())
    }

    /// Terraform was interrupted: whatever waits shall end now.
    fn stop(&self) -> wire::Empty {
        self.interrupted.send_replace(true);
        wire::Empty {}
    }

    fn settings(&self) -> Settings {
        self.settings.read().expect("no holder of this lock panics").clone()
    }

    /// The region of a resource: its own, or else the provider's.
    fn region_of(&self, value: &Value) -> String {
        value.get("region").as_str().map_or_else(|| self.settings().region, str::to_owned)
    }

    fn maker<'a>(&'a self, kind: &'a str, region: &'a str, seed: &'a str) -> Maker<'a> {
        Maker { table: &self.table, kind, region, seed, now: (self.now)() }
    }
}

impl Family {
    fn catalog(self) -> Catalog {
        match self {
            Self::Aws => Catalog::open(
                include_bytes!("../schemas/aws.bin"),
                Rules::parse(include_str!("../schemas/aws.rules")),
            ),
            Self::Random => Catalog::open(
                include_bytes!("../schemas/random.bin"),
                Rules::parse(include_str!("../schemas/random.rules")),
            ),
        }
    }

    fn values(self) -> &'static str {
        match self {
            Self::Aws => include_str!("../schemas/aws.values"),
            Self::Random => include_str!("../schemas/random.values"),
        }
    }

    fn checks(self) -> &'static str {
        match self {
            Self::Aws => include_str!("../schemas/aws.checks"),
            Self::Random => include_str!("../schemas/random.checks"),
        }
    }
}

/// The region that AWS tools take when nothing names one.
fn default_region() -> String {
    let named = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| env::var(name).ok());
    named.filter(|region| !region.is_empty()).unwrap_or_else(|| "us-east-1".to_owned())
}

fn decode<T: Message + Default>(message: Bytes) -> Result<T, CallError> {
    Ok(T::decode(message)?)
}

fn encode(message: &impl Message) -> Result<Bytes, CallError> {
    Ok(message.encode_to_vec().into())
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let cause = error.source().map(|cause| format!(": {}", with_causes(cause))).unwrap_or_default();
    format!("{error}{cause}")
}
