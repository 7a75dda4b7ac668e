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

/// What the names of a Spec's topics have in common: what stands before and behind the name of each.
pub(super) struct Row {
    before: String,
    behind: String,
}

impl Row {
    /// The common name, with `*` for the topic.
    pub(super) fn pattern(&self) -> String {
        format!("{}*{}", self.before, self.behind)
    }

    /// Whether the pattern stands for this name too.
    pub(super) fn holds(&self, name: &str) -> bool {
        let rest = name.strip_prefix(&self.before);
        rest.is_some_and(|rest| rest.ends_with(&self.behind))
    }
}

/// The row of a Spec's topics; `None` when each has a hash of its own, as with a Spec whose name had to be changed.
pub(super) fn row(ordered: bool, naming: &Naming) -> Option<Row> {
    let [one, other] = ["a", "b"].map(|part| naming.resource(kind(ordered), Some(part)));
    let at = one.bytes().zip(other.bytes()).position(|(one, other)| one != other)?;
    let (before, behind) = (one.get(..at)?, one.get(at + 1..)?);
    (other.get(at + 1..) == Some(behind))
        .then(|| Row { before: before.to_owned(), behind: behind.to_owned() })
}

/// The name of a topic, which its queues must know before it is made.
pub(super) fn name(topic: &Topic, naming: &Naming) -> String {
    naming.resource(kind(topic.ordered), Some(&topic.name))
}

const fn kind(ordered: bool) -> ResourceName {
    if ordered { ResourceName::SnsFifoTopic } else { ResourceName::SnsTopic }
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

#[cfg(test)]
mod tests {
    use alethia_domain::{ids::SpecId, stage::Stage};

    use super::*;

    fn naming(name: &str) -> Naming {
        Naming::new(name, Stage::Production, SpecId("00000000-0000-7000-8000-000000000007".parse().unwrap()))
    }

    #[test]
    fn the_row_holds_the_topics_of_its_spec_and_no_others() {
        let row = row(false, &naming("shop")).unwrap();
        assert_eq!(row.pattern(), "shop-*-prod-db3572");
        let topic = |spec: &str, part: &str| naming(spec).resource(ResourceName::SnsTopic, Some(part));
        assert!(row.holds(&topic("shop", "orders")));
        assert!(!row.holds(&topic("shop", "order--events")), "that one has a hash of its own");
        assert!(!row.holds(&topic("sho", "orders")));
    }

    #[test]
    fn a_spec_whose_name_was_changed_has_no_row() {
        assert!(row(false, &naming("my--shop")).is_none());
    }
}
