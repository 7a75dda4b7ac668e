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
    pub(crate) measure: for<'a> fn(&'a Ground) -> Measuring<'a>,
}

/// The figures of a row, while they are measured.
type Measuring<'a> = Pin<Box<dyn Future<Output = Result<Vec<Figure>>> + 'a>>;

pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "apply",
        what: "`alethia apply` against Terraform by hand",
        measure: |ground| Box::pin(apply::measure(ground)),
    },
    Row {
        name: "first-line",
        what: "a job from its request to the first line of Terraform",
        measure: |ground| Box::pin(first_line::measure(ground)),
    },
    Row {
        name: "claims",
        what: "claims in the store, beside 1,000,000 finished jobs",
        measure: |ground| Box::pin(claims::measure(ground)),
    },
    Row {
        name: "peers",
        what: "empty jobs, against graphile-worker and pg-boss",
        measure: |ground| Box::pin(peers::measure(ground)),
    },
    Row {
        name: "http-claims",
        what: "claims through the API",
        measure: |ground| Box::pin(http_claims::measure(ground)),
    },
    Row {
        name: "logs",
        what: "log append through the API",
        measure: |ground| Box::pin(logs::measure(ground)),
    },
    Row {
        name: "stream",
        what: "a line of Terraform to those who watch",
        measure: |ground| Box::pin(stream::measure(ground)),
    },
    Row {
        name: "idle",
        what: "what 200 Runners and 1,000 streams cost while nothing happens",
        measure: |ground| Box::pin(idle::measure(ground)),
    },
    Row {
        name: "lists",
        what: "lists and details with 100,000 Specs and 1,000,000 jobs",
        measure: |ground| Box::pin(lists::measure(ground)),
    },
    Row {
        name: "memory",
        what: "memory of a Console, idle and under full load",
        measure: |ground| Box::pin(memory::measure(ground)),
    },
    Row {
        name: "start",
        what: "start of a Console to ready",
        measure: |ground| Box::pin(start::measure(ground)),
    },
    Row {
        name: "render",
        what: "check and render a Spec of 200 components",
        measure: |ground| Box::pin(render::measure(ground)),
    },
];
