//! What handlers take from a request: one file each. Every rejection is an [`Error`](crate::error::Error), so that
//! clients see problem details whatever is wrong.

mod body;
mod headers;
mod parameters;

pub(super) use body::{Body, BodyLimit, Raw};
pub(super) use headers::{IdempotencyKey, LastEventId, Precondition};
pub(super) use parameters::{Id, Query, Segments};
