//! The rows of the table, in its order.

mod claims;
mod peers;

use std::pin::Pin;

use anyhow::Result;

use crate::{figure::Figure, ground::Ground};

/// Something that is measured.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) measure: for<'a> fn(&'a Ground) -> Pin<Box<dyn Future<Output = Result<Vec<Figure>>> + 'a>>,
}

pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "claims",
        what: "claims a second in the store, beside 1,000,000 finished jobs",
        measure: |ground| Box::pin(claims::measure(ground)),
    },
    Row {
        name: "peers",
        what: "empty jobs a second, against graphile-worker and pg-boss",
        measure: |ground| Box::pin(peers::measure(ground)),
    },
];
