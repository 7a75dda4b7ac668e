//! `alethia-chaos`: one run. `cargo xtask chaos` builds everything it needs and starts it.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use alethia_chaos::{Settings, move_to_where_disks_are_mounted, run};
use anyhow::{Context, Result};
use clap::Parser;

/// Hurts a whole platform for a while and checks that nothing was lost, doubled or told wrongly.
#[derive(Parser)]
#[command(name = "cargo xtask chaos")]
struct Arguments {
    /// How long faults happen
    #[arg(long, value_name = "MINUTES", default_value_t = 10.0)]
    minutes: f64,
    /// Where all choices come from; another one for every run when absent
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// New or empty folder for what the run leaves; kept when it is named
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Tell the faults as they happen
    #[arg(long, short)]
    verbose: bool,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    move_to_where_disks_are_mounted().context("the run can't move to where disks are mounted")?;
    begin(arguments)
}

#[tokio::main]
async fn begin(arguments: Arguments) -> Result<ExitCode> {
    let seed = arguments.seed.unwrap_or_else(rand::random);
    let settings = settings(&arguments, seed)?;
    let folder = settings.folder.clone();
    println!("chaos: seed {seed}, {} minutes, in {}", arguments.minutes, folder.display());
    let report = tokio::select! {
        report = run(settings) => report,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("it was interrupted")),
    };
    let failed = match &report {
        Ok(report) => {
            println!("{report}");
            !report.is_sound()
        }
        Err(error) => {
            println!("the run broke: {error:#}");
            true
        }
    };
    if failed {
        tell_faults(&folder);
        println!("everything that is known is in {}", folder.display());
        println!("play it again: cargo xtask chaos --minutes {} --seed {seed}", arguments.minutes);
        return Ok(ExitCode::FAILURE);
    }
    if arguments.folder.is_none() {
        std::fs::remove_dir_all(&folder).context("the run's folder can't be removed")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The faults up to the end. What people were told is indented there, and left out here.
fn tell_faults(folder: &Path) {
    let chronicle = std::fs::read_to_string(folder.join("chronicle.log")).unwrap_or_default();
    for line in chronicle.lines().filter(|line| !line.get(9..).is_some_and(|text| text.starts_with(' '))) {
        println!("  {line}");
    }
}

fn settings(arguments: &Arguments, seed: u64) -> Result<Settings> {
    let own = std::env::current_exe()?;
    let beside = |name: &str| own.with_file_name(name);
    Ok(Settings {
        seed,
        length: Duration::from_secs_f64(arguments.minutes * 60.0),
        alethia: beside("alethia"),
        console: None,
        stand_in: beside("chaos-terraform"),
        terraform: alethia_chaos::find_terraform()?,
        folder: arguments.folder.clone().unwrap_or_else(|| {
            std::env::temp_dir().join(format!("alethia-chaos-{seed}-{}", std::process::id()))
        }),
        consoles: 2,
        runners: 4,
        specs: 6,
        lease: 10,
        is_loud: arguments.verbose,
    })
}
