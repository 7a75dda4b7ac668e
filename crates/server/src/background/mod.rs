//! What the Console does by itself. Each task ends when the Console is told to, and the server joins it.

pub(crate) mod dispatch;
pub(crate) mod keys;
pub(crate) mod reaper;
mod retention;
