//! The variables of the topic module.

use alethia_domain::{
    component::{Protocol, Subscription, Topic},
    naming::{Naming, ResourceName},
    plan::sha256_hex,
};
use serde_json::{Map, Value, json};

pub(super) fn variables(topic: &Topic, naming: &Naming) -> Value {
    let entries = topic.subscriptions.iter().map(|subscription| (key(subscription), entry(subscription)));
    json!({
        "name": name(topic, naming),
        "ordered": topic.ordered,
        "display_name": topic.aws.as_ref().and_then(|aws| aws.display_name.as_deref()),
        "subscriptions": Value::Object(entries.collect::<Map<_, _>>()),
    })
}

/// The name of a topic, which its queues must know before it is made.
pub(super) fn name(topic: &Topic, naming: &Naming) -> String {
    let kind = if topic.ordered { ResourceName::SnsFifoTopic } else { ResourceName::SnsTopic };
    naming.resource(kind, Some(&topic.name))
}

/// A subscription's place in the state: readable for queues; for the others without mailbox or address in it.
fn key(subscription: &Subscription) -> String {
    match subscription.protocol {
        Protocol::Queue => format!("queue-{}", subscription.endpoint),
        Protocol::Https | Protocol::Email | Protocol::Function => {
            let hash = sha256_hex(subscription.endpoint.as_bytes());
            format!("{}-{}", protocol(subscription.protocol), &hash[..8])
        }
    }
}

fn entry(subscription: &Subscription) -> Value {
    json!({
        "protocol": protocol(subscription.protocol),
        "endpoint": subscription.endpoint,
        "filter": subscription.filter.as_ref().map(|filter| json!(filter).to_string()),
    })
}

const fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Queue => "sqs",
        Protocol::Https => "https",
        Protocol::Email => "email",
        Protocol::Function => "lambda",
    }
}
