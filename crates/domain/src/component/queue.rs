//! A message queue with its dead letter queue.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::quantity::{Size, Span};

/// A message queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// Name, unique among queues.
    #[schemars(regex(pattern = "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"))]
    pub name: String,
    /// Messages of a group arrive in order and once.
    pub ordered: bool,
    /// How long a message that was taken stays hidden from others.
    pub visibility_timeout: Span,
    /// How long a message is kept.
    pub retention: Span,
    /// How long a new message waits before it can be taken.
    pub delay: Span,
    /// Largest message.
    pub max_message_size: Size,
    /// Where messages go that are never finished; absent means that they are tried until they expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter: Option<DeadLetter>,
    /// What only AWS has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<QueueAws>,
}

/// Where messages go that are never finished.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeadLetter {
    /// After how many tries.
    #[schemars(range(min = 1, max = 1000))]
    pub max_receives: u16,
    /// How long they are kept there.
    pub retention: Span,
}

/// What a queue has on AWS alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueAws {
    /// For an ordered queue: high throughput by message group.
    pub high_throughput: bool,
}

impl Queue {
    pub(crate) fn check(&self, _: &mut crate::spec::Checker<'_>) {}
}
