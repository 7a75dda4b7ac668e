//! The commands: one file a noun, its arguments above its code.
//!
//! A command loads nothing and starts nothing that it does not need: `version` reads no file, `spec validate` opens no
//! Console, `spec list` starts no Runner.

pub(crate) mod apply;
pub(crate) mod backup;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod design;
pub(crate) mod destroy;
pub(crate) mod identity;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod plan;
pub(crate) mod recover;
pub(crate) mod runner;
pub(crate) mod sandbox;
pub(crate) mod serve;
pub(crate) mod spec;
pub(crate) mod state;
pub(crate) mod token;
pub(crate) mod up;
pub(crate) mod version;
pub(crate) mod zone;

use std::future::Future;

use anyhow::Context;

use crate::{
    args::{Arguments, Command},
    settings::Settings,
    trace,
};

/// Runs what was typed.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    trace::start(arguments.global.verbose);
    // What helps to write a configuration must work while the present one is wrong.
    if let Command::Config(args) = &arguments.command
        && args.is_template()
    {
        return config::template();
    }
    if let Command::Completion(args) = &arguments.command {
        return completion::run(args);
    }
    let settings = Settings::load(&arguments.global)?;
    match arguments.command {
        Command::Apply(args) => block_on(apply::run(&settings, args)),
        Command::Plan(args) => block_on(plan::run(&settings, args)),
        Command::Destroy(args) => block_on(destroy::run(&settings, args)),
        Command::Recover(args) => block_on(recover::run(&settings, args)),
        Command::Design(args) => design::run(&settings, args),
        Command::Zone(command) => block_on(zone::run(&settings, command)),
        Command::Spec(command) => spec::run(&settings, command),
        Command::Jobs(command) => block_on(jobs::run(&settings, command)),
        Command::Runner(command) => block_on(runner::run(&settings, command)),
        Command::State(command) => block_on(state::run(&settings, command)),
        Command::Identity(command) => block_on(identity::run(&settings, command)),
        Command::Token(command) => block_on(token::run(&settings, command)),
        Command::Keys(command) => block_on(keys::run(&settings, command)),
        Command::Backup(args) => block_on(backup::run(settings, args)),
        Command::Restore(args) => block_on(backup::restore(settings, args)),
        Command::Sandbox(command) => sandbox::run(&settings, command),
        Command::Up(args) => block_on(up::run(settings, args)),
        Command::Serve(args) => block_on(serve::run(settings, args)),
        Command::Config(args) => config::run(&settings, &args),
        Command::Completion(args) => completion::run(&args),
        Command::Version => block_on(version::run(&settings)),
    }
}

fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Runtime::new().context("this process can't start threads")?;
    runtime.block_on(work)
}
