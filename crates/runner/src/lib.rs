//! The execution agent: claims jobs from the Console, runs Terraform for them, and reports what happened.
//!
//! `Runner` is all that others see: `alethia runner start` runs it as a process of its own, `alethia up` and the embedded
//! `apply` run it inside theirs. Either way it speaks to the Console over HTTP alone; it never sees the database.
//! The way through: `agent` claims, `job` walks the steps, `steps` do the work, `process` runs Terraform; `lease`, `log`
//! and `progress` speak to the Console meanwhile. What ends a job early arrives in one place, `stop`.

mod agent;
mod config;
mod courier;
mod credentials;
mod guard;
mod init_cache;
mod job;
mod lease;
mod log;
mod orphans;
mod process;
mod progress;
mod redact;
mod retry;
mod shelf;
mod spool;
mod steps;
mod stop;
mod tool;
mod transcript;
mod workdir;

#[cfg(test)]
mod test_console;
#[cfg(test)]
mod test_runner;

pub use agent::{RunError, Runner, StartError};
pub use config::{GuardProgram, RunnerConfig};
pub use guard::stand as stand_guard;
pub use tool::{Tool, ToolError};
