//! Doors for the fuzz targets, which stand outside of this workspace. Nothing else may use them.
//!
//! They lead to what reads foreign bytes: MessagePack on its own, and MessagePack inside of the calls that Terraform
//! makes before it changes anything.

use std::path::PathBuf;

use bytes::Bytes;
use prost::Message;

use crate::provider::Provider;
use crate::value::Value;
use crate::wire::{ConfigRequest, DynamicValue, PlanRequest};

/// Decodes a value and encodes it again; `None` for what is no value.
pub fn reencode(msgpack: &[u8]) -> Option<Vec<u8>> {
    Value::from_msgpack(msgpack).ok().map(|value| value.to_msgpack())
}

/// The provider `aws` without Terraform.
pub struct Plugin(Provider);

impl Plugin {
    /// The provider over the cloud in a folder; `None` where there is no such folder.
    pub fn open(cloud: PathBuf) -> Option<Self> {
        Provider::open("aws", cloud).ok().map(Self)
    }

    /// Validates a value as the configuration of a resource, then plans it as new and as a change of itself. Tells how
    /// many of the three were answered.
    pub async fn try_out(&self, type_name: &str, msgpack: &[u8]) -> usize {
        let value = Some(DynamicValue { msgpack: msgpack.to_vec() });
        let null = DynamicValue::of(&Value::Null);
        let plan = |prior| PlanRequest {
            type_name: type_name.to_owned(),
            prior,
            proposed: value.clone(),
            config: value.clone(),
            private: Vec::new(),
        };
        let config = ConfigRequest { type_name: type_name.to_owned(), config: value.clone() };
        let mut answered = 0;
        for (method, message) in [
            ("ValidateResourceConfig", config.encode_to_vec()),
            ("PlanResourceChange", plan(null).encode_to_vec()),
            ("PlanResourceChange", plan(value.clone()).encode_to_vec()),
        ] {
            answered += usize::from(self.0.call(method, Bytes::from(message)).await.is_ok());
        }
        answered
    }
}
