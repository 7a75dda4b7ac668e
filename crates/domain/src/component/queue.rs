//! A message queue with its dead letter queue.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    quantity::{Size, Span},
    spec::{Checker, Finding},
};

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
    /// The limits are those of SQS.
    pub(crate) fn check(&self, at: &mut Checker<'_>) {
        at.span("visibility_timeout", self.visibility_timeout, "0s", "12h");
        at.span("retention", self.retention, "60s", "14d");
        at.span("delay", self.delay, "0s", "15m");
        at.size("max_message_size", self.max_message_size, "1KiB", "1MiB");
        if let Some(dead_letter) = &self.dead_letter {
            dead_letter.check(self, at);
        }
        if self.aws.as_ref().is_some_and(|aws| aws.high_throughput) && !self.ordered {
            let finding =
                Finding::new("aws.high_throughput", "only ordered queues have high throughput by group");
            at.refuse(finding.hint("write `ordered: true`, or remove it: other queues have no such limit"));
        }
    }
}

impl DeadLetter {
    fn check(&self, queue: &Queue, at: &mut Checker<'_>) {
        at.span("dead_letter.retention", self.retention, "60s", "14d");
        if self.retention < queue.retention {
            let message =
                format!("{} is shorter than the {} of the queue itself", self.retention, queue.retention);
            let hint = "the age of a message goes on counting: it would expire before anybody sees it";
            let finding = Finding::new("dead_letter.retention", message);
            at.refuse(finding.allowed(format!("{} or longer, at most 14d", queue.retention)).hint(hint));
        }
    }
}
