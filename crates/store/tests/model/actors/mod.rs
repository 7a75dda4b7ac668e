//! Who acts: Runners that work, die, fall silent and come back late; people who ask for this and that; the reaper, that
//! looks first and acts later.

mod person;
mod reaper;
mod runner;
mod work;

pub(crate) use person::{cancel, person};
pub(crate) use reaper::Reaper;
pub(crate) use runner::Runner;
