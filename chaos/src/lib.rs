//! Chaos: the real platform in real processes, hurt by a schedule that a seed makes, and its history checked afterwards.
//!
//! `cargo xtask chaos` starts the program; `tests/` runs it against a Console that does not look at fences, which it has
//! to notice. [`run()`] is a run from begin to end: start everything, let people work and faults happen, let it come to
//! rest, check. What must stay true: every choice comes from the seed, and the checks know from the outside what really
//! happened (`journal`), not from the platform's own word. Nothing of the platform knows that it is tested.

mod checks;
mod chronicle;
mod clock;
mod directed;
mod disk;
mod faults;
mod history;
pub mod journal;
mod leaks;
mod people;
mod process;
mod proxy;
mod run;
mod schedule;
mod settings;
mod settle;
mod world;

pub use directed::frozen_runner;
pub use disk::move_to_where_disks_are_mounted;
pub use run::{Report, run};
pub use settings::{Settings, find_terraform};
