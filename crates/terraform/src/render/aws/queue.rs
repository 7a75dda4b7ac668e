//! The variables of the queue module.

use alethia_domain::{
    component::{Protocol, Queue, Topic},
    naming::{Naming, ResourceName},
};
use serde_json::{Value, json};

use super::topic;

pub(super) fn variables(queue: &Queue, topics: &[Topic], naming: &Naming) -> Value {
    let kind = if queue.ordered { ResourceName::SqsFifoQueue } else { ResourceName::SqsQueue };
    json!({
        "name": naming.resource(kind, Some(&queue.name)),
        "ordered": queue.ordered,
        "high_throughput": queue.aws.as_ref().is_some_and(|aws| aws.high_throughput),
        "visibility_timeout_seconds": queue.visibility_timeout.seconds(),
        "retention_seconds": queue.retention.seconds(),
        "delay_seconds": queue.delay.seconds(),
        "max_message_bytes": queue.max_message_size.kibibytes() << 10,
        "dead_letter": queue.dead_letter.as_ref().map(|dead_letter| json!({
            "name": naming.resource(kind, Some(&format!("{}--dead", queue.name))),
            "max_receives": dead_letter.max_receives,
            "retention_seconds": dead_letter.retention.seconds(),
        })),
        "topics": senders(queue, topics, naming),
    })
}

/// Names of the topics that may send to this queue, `*` standing for any topic of the Spec.
///
/// Which of them does send is decided by its subscriptions alone. So a topic comes and goes without touching its queues.
/// A topic whose name does not fit the pattern is listed by its name.
fn senders(queue: &Queue, topics: &[Topic], naming: &Naming) -> Vec<String> {
    let row = topic::row(queue.ordered, naming);
    let is_in_row = |name: &String| row.as_ref().is_some_and(|row| row.holds(name));
    let names = feeding(queue, topics).map(|it| topic::name(it, naming)).filter(|name| !is_in_row(name));
    row.as_ref().map(topic::Row::pattern).into_iter().chain(names).collect()
}

/// The topics of the Spec that this queue subscribes to.
fn feeding<'a>(queue: &'a Queue, topics: &'a [Topic]) -> impl Iterator<Item = &'a Topic> {
    topics.iter().filter(|topic| {
        let mut subscriptions = topic.subscriptions.iter();
        subscriptions.any(|it| it.protocol == Protocol::Queue && it.endpoint == queue.name)
    })
}
