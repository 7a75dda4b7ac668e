//! The rows of the table, in its order.

mod apply;
mod claims;
mod first_line;
mod http_claims;
mod idle;
mod lists;
mod logs;
mod memory;
mod peers;
mod render;
mod start;
mod stream;

use std::pin::Pin;

use anyhow::Result;

use crate::{figure::Figure, ground::Ground};

/// Something that is measured.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    /// How, for people who read the figures.
    pub(crate) how: &'static str,
    pub(crate) measure: for<'a> fn(&'a Ground) -> Measuring<'a>,
}

/// The figures of a row, while they are measured.
type Measuring<'a> = Pin<Box<dyn Future<Output = Result<Vec<Figure>>> + 'a>>;

pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "apply",
        what: "`alethia apply` against Terraform by hand",
        how: "The example `staging.yaml`, rendered once for each side, on the simulated cloud. By hand it is `terraform init && terraform \
            plan -out && terraform apply`, with the state in a file. Cold: nothing is there before. Warm: the root is \
            initialised, or the data folder is there, and a Spec of the same shape is applied as a new one. Both sides run \
            in pairs, in both orders in turn; the ratio is that of a pair.",
        measure: |ground| Box::pin(apply::measure(ground)),
    },
    Row {
        name: "first-line",
        what: "a job from its request to the first line of Terraform",
        how: "A Console, one Runner that waits, a Spec of two queues. The time runs from before the request that makes the PLAN \
            job to the moment when Terraform's first line is read from its pipe. The claim is measured with a client in the \
            Runner's place: from before the same request to the claim's answer.",
        measure: |ground| Box::pin(first_line::measure(ground)),
    },
    Row {
        name: "claims",
        what: "claims in the store, beside 1,000,000 finished jobs",
        how: "Eight tasks in this process claim from the store, each claim in a transaction of its own that is durable when it \
            returns, until 10,000 waiting jobs of 20 Zones are gone. Beside them lie 1,000,000 finished jobs of 100,000 Specs.",
        measure: |ground| Box::pin(claims::measure(ground)),
    },
    Row {
        name: "peers",
        what: "empty jobs, against graphile-worker and pg-boss",
        how: "20,000 jobs are made with eight loops, one a transaction, and then worked on by eight workers, one at a time, that do \
            nothing. graphile-worker runs its own runner with concurrency 8 (nine connections, one of them listens), pg-boss the loop \
            of fetch and complete over eight connections; both at the versions in `bench/peers`, on Node.js. Alethia is its \
            store with eight connections: a job is enqueued, claimed, started and finished in four transactions, with events, lease, \
            fence, attempt, order within a Spec and turns of Zones. The ratio is that of the time for all of it.",
        measure: |ground| Box::pin(peers::measure(ground)),
    },
    Row {
        name: "http-claims",
        what: "claims through the API",
        how: "Eight connections to a Console ask for jobs as fast as they are answered, with the tables of the row `claims`. \
            The client shares the cores with Console and PostgreSQL.",
        measure: |ground| Box::pin(http_claims::measure(ground)),
    },
    Row {
        name: "logs",
        what: "log append through the API",
        how: "Eight attempts, a connection each; the next request follows the answer to the last. Counted is what was answered in the \
            time, which is durable.",
        measure: |ground| Box::pin(logs::measure(ground)),
    },
    Row {
        name: "stream",
        what: "a line of Terraform to those who watch",
        how: "A Console, a Runner and, in Terraform's place, a program that prints lines with the time in them at uneven \
            distances (up to 250 ms; up to 100 ms where 20 jobs are busy). Latency is the age of a line when a client reads it. The server's \
            part is from before the request with a line to its arrival on the stream.",
        measure: |ground| Box::pin(stream::measure(ground)),
    },
    Row {
        name: "idle",
        what: "what 200 Runners and 1,000 streams cost while nothing happens",
        how: "200 clients wait in long polls, 500 watch a job that runs and says nothing, 500 watch all events. Processor time of \
            the Console alone, over 20 s after it has settled.",
        measure: |ground| Box::pin(idle::measure(ground)),
    },
    Row {
        name: "lists",
        what: "lists and details with 100,000 Specs and 1,000,000 jobs",
        how: "300 requests each over one connection, for Specs and jobs spread over all there are. Flatness compares medians.",
        measure: |ground| Box::pin(lists::measure(ground)),
    },
    Row {
        name: "memory",
        what: "memory of a Console, idle and under full load",
        how: "Resident memory of the Console's process: after three quiet seconds, and the most while 1,000 streams are open, eight \
            attempts write logs and eight clients read lists without a pause.",
        measure: |ground| Box::pin(memory::measure(ground)),
    },
    Row {
        name: "start",
        what: "start of a Console to ready",
        how: "From the start of the process to the first 200 of `/readyz`, on a data folder that is there; asked once a millisecond.",
        measure: |ground| Box::pin(start::measure(ground)),
    },
    Row {
        name: "render",
        what: "check and render a Spec of 200 components",
        how: "`spec::parse` and `render` on a document of 200 components of seven kinds, in this process.",
        measure: |ground| Box::pin(render::measure(ground)),
    },
];
