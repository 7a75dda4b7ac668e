//! A publish and subscribe topic.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A publish and subscribe topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Name, unique among topics.
    #[schemars(regex(pattern = "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"))]
    pub name: String,
    /// Messages of a group arrive in order and once; only ordered queues can subscribe.
    pub ordered: bool,
    /// Who gets the messages.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub subscriptions: Vec<Subscription>,
    /// What only AWS has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<TopicAws>,
}

/// Who gets a topic's messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// By which way.
    pub protocol: Protocol,
    /// For `queue` the name of a queue of this Spec; for `https` an address; for `email` a mailbox; for `function` an id of the cloud.
    #[schemars(length(min = 1, max = 2048))]
    pub endpoint: String,
    /// Only messages whose attributes have one of these values, as a JSON filter policy of the cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<std::collections::BTreeMap<String, Vec<String>>>,
}

/// A way to deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// A queue of this Spec.
    Queue,
    /// An HTTPS address.
    Https,
    /// A mailbox, which has to confirm.
    Email,
    /// A function of the cloud, by its id (on AWS the ARN of a Lambda function).
    Function,
}

/// What a topic has on AWS alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TopicAws {
    /// Name shown as sender of e-mails and texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub display_name: Option<String>,
}

impl Topic {
    pub(crate) fn check(&self, _: &mut crate::spec::Checker<'_>) {}
}
