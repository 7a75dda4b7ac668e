//! A publish and subscribe topic.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ComponentKind;
use crate::spec::{Checker, Finding, is_arn};

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
    pub(crate) fn check(&self, at: &mut Checker<'_>) {
        for (index, subscription) in self.subscriptions.iter().enumerate() {
            subscription.check(self, &format!("subscriptions[{index}]"), at);
            let earlier = &self.subscriptions[..index];
            let same = |other: &Subscription| {
                (other.protocol, &other.endpoint) == (subscription.protocol, &subscription.endpoint)
            };
            if earlier.iter().any(same) {
                let finding =
                    Finding::new(format!("subscriptions[{index}]"), "the same subscription is there twice");
                at.refuse(finding.hint("remove one of them, or join their filters"));
            }
        }
    }
}

impl Subscription {
    fn check(&self, topic: &Topic, path: &str, at: &mut Checker<'_>) {
        if topic.ordered && self.protocol != Protocol::Queue {
            let finding =
                Finding::new(format!("{path}.protocol"), "an ordered topic delivers to ordered queues alone");
            at.refuse(finding.allowed("queue"));
        }
        let endpoint = format!("{path}.endpoint");
        match self.protocol {
            Protocol::Queue => self.check_queue(topic, endpoint, at),
            Protocol::Https if !is_https_address(&self.endpoint) => {
                let finding = Finding::new(endpoint, format!("{:?} is no https address", self.endpoint));
                at.refuse(finding.allowed(
                    "an address such as https://hooks.example.com/orders, without user or password",
                ));
            }
            Protocol::Email if !is_mailbox(&self.endpoint) => {
                let finding = Finding::new(endpoint, format!("{:?} is no mailbox", self.endpoint));
                at.refuse(finding.allowed("an address such as team@example.com"));
            }
            Protocol::Function if !is_arn(&self.endpoint, "lambda", "function:") => {
                let finding =
                    Finding::new(endpoint, format!("{:?} is no ARN of a Lambda function", self.endpoint));
                at.refuse(
                    finding.allowed("an ARN such as arn:aws:lambda:eu-west-1:111122223333:function:name"),
                );
            }
            Protocol::Https | Protocol::Email | Protocol::Function => {}
        }
        self.check_filter(&format!("{path}.filter"), at);
    }

    fn check_queue(&self, topic: &Topic, path: String, at: &mut Checker<'_>) {
        let queues = &at.document().queues;
        let Some(queue) = queues.iter().find(|queue| queue.name == self.endpoint) else {
            if at.sees_all(ComponentKind::Queue) {
                let names: Vec<&str> = queues.iter().map(|queue| queue.name.as_str()).collect();
                at.refuse(Finding::unknown_name(path, &self.endpoint, "queue", &names));
            }
            return;
        };
        let word = |ordered: bool| if ordered { "ordered" } else { "not ordered" };
        if queue.ordered != topic.ordered {
            let message =
                format!("{:?} is {}, the topic is {}", queue.name, word(queue.ordered), word(topic.ordered));
            at.refuse(Finding::new(path, message).hint("make both ordered, or neither"));
        }
    }

    fn check_filter(&self, path: &str, at: &mut Checker<'_>) {
        let Some(filter) = &self.filter else { return };
        if filter.is_empty() || filter.values().any(Vec::is_empty) {
            let finding = Finding::new(path, "an empty filter lets nothing through");
            at.refuse(finding.hint("give each attribute its values, or remove the filter"));
        }
        let combinations = filter.values().map(|values| values.len().max(1)).product::<usize>();
        if filter.len() > 5 || combinations > 150 {
            let message = format!("{} attributes in {combinations} combinations are too many", filter.len());
            at.refuse(
                Finding::new(path, message).allowed("5 attributes, and 150 combinations of their values"),
            );
        }
    }
}

fn is_https_address(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    !host.is_empty()
        && host.contains('.')
        && host.chars().all(allowed)
        && text.chars().all(|c| c.is_ascii_graphic())
}

fn is_mailbox(text: &str) -> bool {
    let Some((user, host)) = text.split_once('@') else { return false };
    let named = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && c != '@');
    named(user) && named(host) && host.contains('.') && !host.starts_with('.') && !host.ends_with('.')
}
