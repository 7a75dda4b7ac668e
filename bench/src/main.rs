//! `cargo xtask bench`: measures every figure that docs/performance.md states, on this machine, and writes that page.
//!
//! A row is a file in `rows`: it sets its own scene on the [`ground::Ground`], measures it in several runs, and gives
//! figures. Rows know nothing of each other, so that one can be run alone while somebody tunes what it measures. What was
//! started is stopped with the value that holds it, also after Ctrl-C. A debug build measures nothing, so it refuses.

mod console;
mod figure;
mod ground;
mod machine;
mod page;
mod rows;
mod runner;
mod sample;
mod seed;
mod stand_in;
mod wire;

use std::process::ExitCode;

use anyhow::{Result, bail, ensure};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    figure::{Measured, table},
    ground::Ground,
    rows::{ROWS, Row},
};

/// Measures the speed of Alethia.
#[derive(Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Arguments {
    /// Rows to measure, by name; all when none is named
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Fewer and shorter runs: for a first look, never written down
    #[arg(long)]
    quick: bool,
    /// Name the rows and end
    #[arg(long)]
    list: bool,
    /// Leave docs/performance.md as it is
    #[arg(long)]
    no_write: bool,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match words.split_first() {
        Some((word, arguments)) if word == stand_in::WORD => stand_in::run(arguments).map(|()| true),
        Some(_) | None => run(&Arguments::parse()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Arguments {
    /// Whether the run is one that figures are kept of.
    fn writes(&self) -> bool {
        self.names.is_empty() && !self.quick && !self.no_write
    }
}

/// Whether every row could be measured.
fn run(arguments: &Arguments) -> Result<bool> {
    if arguments.list {
        print!("{}", list());
        return Ok(true);
    }
    let rows = chosen(&arguments.names)?;
    ensure!(!cfg!(debug_assertions), "a debug build says nothing about speed; use `cargo xtask bench`");
    let ground = Ground::prepare(arguments.quick)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let measured = runtime.block_on(async {
        tokio::select! {
            measured = measure(&rows, &ground, arguments.writes()) => measured,
            interrupted = interrupted() => interrupted.and_then(|()| bail!("interrupted; nothing is left behind")),
        }
    });
    // Tasks still use what lies in the ground's folders.
    runtime.shutdown_timeout(std::time::Duration::from_secs(10));
    drop(ground);
    let measured = measured?;
    println!("{}", table(&measured));
    Ok(measured.iter().all(Measured::is_whole))
}

async fn measure(rows: &[&'static Row], ground: &Ground, writes: bool) -> Result<Vec<Measured>> {
    let facts = machine::facts(ground).await?;
    facts.iter().for_each(|(name, value)| eprintln!("{name}: {value}"));
    let mut measured = Vec::new();
    for row in rows {
        ground.say(&format!("{}: {}", row.name, row.what));
        let figures = (row.measure)(ground).await;
        if let Err(error) = &figures {
            ground.say(&format!("{}: {error:#}", row.name));
        }
        let one = Measured { name: row.name, figures: figures.map_err(|error| format!("{error:#}")) };
        eprintln!("{}", table(std::slice::from_ref(&one)));
        measured.push(one);
    }
    if writes {
        page::write(&measured, &facts)?;
    }
    Ok(measured)
}

fn chosen(names: &[String]) -> Result<Vec<&'static Row>> {
    if names.is_empty() {
        return Ok(ROWS.iter().collect());
    }
    let find = |name: &String| {
        let row = ROWS.iter().find(|row| row.name == *name);
        row.ok_or_else(|| anyhow::anyhow!("there is no row {name}; see `cargo xtask bench --list`"))
    };
    names.iter().map(find).collect()
}

fn list() -> String {
    ROWS.iter().map(|row| format!("{:<12} {}\n", row.name, row.what)).collect()
}

async fn interrupted() -> Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_name_of_its_own_in_the_list() {
        let list = list();
        let names: std::collections::BTreeSet<&str> =
            list.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(names.len(), ROWS.len(), "{list}");
    }

    #[test]
    fn a_row_is_chosen_by_its_name() {
        assert_eq!(chosen(&[]).unwrap().len(), ROWS.len());
        assert_eq!(chosen(&["claims".to_owned()]).unwrap()[0].name, "claims");
        assert!(chosen(&["none".to_owned()]).is_err());
    }
}
