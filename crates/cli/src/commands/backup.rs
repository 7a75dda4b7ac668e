//! `backup` and `restore`: the whole platform in one file, and back. They work on the database and the data folder
//! themselves, beside Consoles that run, not through the API: who may read everything is whoever has the machine.

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
    time::{Duration, Instant},
};

use alethia_server::Config;
use alethia_store::{
    Store, StoreConfig,
    backup::{self, Progress, Summary, Target},
    seal::{KeyFile, Keyring},
};
use anyhow::Context;
use chrono::{SubsecRound, Utc};
use clap::{Args, Subcommand};

use crate::{
    embedded::{DataLock, console_config, free_port, in_use, key_file},
    error::{Fault, OrHint},
    output,
    settings::{Origin, Setting, Settings},
};

/// How often progress is told.
const EVERY: Duration = Duration::from_secs(2);

/// What to back up.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Run it on the machine of a Console, with that Console's settings; Consoles and Runners may go on meanwhile. \
                  States, plans and finished logs stay sealed, all else is plain: keep the file where nobody else reads it, and \
                  a copy of master-key elsewhere."
)]
pub(crate) struct BackupArgs {
    /// File to write; must not be there yet
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// Put the keys into it too: whoever has the file then has everything
    #[arg(long)]
    with_key: bool,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(subcommand)]
    command: Option<BackupCommand>,
}

/// What to do with a backup.
#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// Read a backup to its end: every part is what was written; with the key of this data folder, each opens
    Verify {
        /// The backup
        file: PathBuf,
    },
}

/// What to restore.
#[derive(Debug, Args)]
#[command(
    after_help = "Only into an empty database. Put the key file of the old platform into the data folder first, as \
                  master-key, unless the keys are in the backup. What was under way ends as with a lost Runner; a DEPLOY \
                  or DESTROY that waited is cancelled."
)]
pub(crate) struct RestoreArgs {
    /// The backup
    file: PathBuf,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Where the platform is.
#[derive(Debug, Args)]
struct PlaceArgs {
    /// Database; a SQLite file in the data folder when absent [env: ALETHIA_DATABASE]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Place for states, plans and logs; a folder in the data folder when absent [env: ALETHIA_BLOBS]
    #[arg(long, value_name = "URL")]
    blobs: Option<String>,
}

/// Takes a backup, or looks at one.
pub(crate) async fn run(mut settings: Settings, args: BackupArgs) -> anyhow::Result<()> {
    args.place.override_in(&mut settings);
    match (args.command, args.file) {
        (Some(BackupCommand::Verify { file }), _) => verify(&settings, &file).await,
        (None, Some(file)) => create(&settings, &file, args.with_key).await,
        (None, None) => Err(Fault::usage("a backup needs a file to be written to").into()),
    }
}

/// Makes a platform from a backup.
pub(crate) async fn restore(mut settings: Settings, args: RestoreArgs) -> anyhow::Result<()> {
    args.place.override_in(&mut settings);
    let folder = settings.data_dir.value.clone();
    let Some(_lock) = DataLock::try_take(&folder)? else {
        return Err(in_use(&folder).hint("name a new folder with `--data-dir DIR`").into());
    };
    let Config { database, blobs, .. } = console_config(&settings, free_port());
    let key = KeyFile::new(&key_file(&settings));
    let target = Target { database_url: database, blobs_url: blobs, key };
    let ticker = Ticker::new();
    let now = Utc::now().trunc_subsecs(6);
    let restored = backup::restore(&args.file, &target, now, &|progress| ticker.tell(&progress)).await;
    let (summary, cancelled) = restored.or_hint(
        format!("{} was not restored", args.file.display()),
        "nothing was changed; what it needs is said by `alethia restore --help`",
    )?;
    for job in &cancelled {
        eprintln!("the job {job} waited and would have changed a cloud; it is cancelled");
    }
    settings.typed.tell(&format!(
        "restored as of {}; start it with `alethia up` or `alethia serve`",
        output::time(summary.about.taken_at)
    ));
    show(&settings, &summary)
}

async fn create(settings: &Settings, file: &Path, with_key: bool) -> anyhow::Result<()> {
    let key = KeyFile::new(&key_file(settings));
    if !key.exists() {
        let fault = Fault::usage(format!("there is no platform in {}", settings.data_dir.value.display()));
        return Err(fault.hint("name its data folder with `--data-dir DIR`").into());
    }
    let Config { database, blobs, .. } = console_config(settings, free_port());
    let keyring = Keyring::from_file(&key_file(settings)).context("the key file can't be used")?;
    let config = StoreConfig { database_url: database, blobs_url: blobs, keyring };
    let hint = "see which database and blobs are meant with `alethia config --effective`";
    let store = Store::attach(&config).await.or_hint("the platform can't be opened", hint)?;
    let ticker = Ticker::new();
    let now = Utc::now().trunc_subsecs(6);
    let key = with_key.then_some(&key);
    let taken = backup::create(&store, file, key, now, &|progress| ticker.tell(&progress)).await;
    store.close().await;
    let summary =
        taken.with_context(|| Fault::failure(format!("no backup was written to {}", file.display())))?;
    if with_key {
        eprintln!("the keys are in {0}: whoever has it has every state", file.display());
    } else {
        eprintln!("the keys are not in it; keep a copy of {} elsewhere", key_file(settings).display());
    }
    show(settings, &summary)
}

async fn verify(settings: &Settings, file: &Path) -> anyhow::Result<()> {
    let path = key_file(settings);
    let keyring = if path.exists() {
        Some(Keyring::from_file(&path).context("the key file can't be used")?)
    } else {
        None
    };
    let ticker = Ticker::new();
    let verified = backup::verify(file, keyring.as_ref(), &|progress| ticker.tell(&progress)).await;
    let summary =
        verified.with_context(|| Fault::failure(format!("{} can't be restored", file.display())))?;
    match summary.opened {
        Some(opened) => {
            eprintln!("it is whole; each of its {opened} sealed parts opens with the key of this data folder")
        }
        None => {
            eprintln!("it is whole; whether a key opens it was not tried: there is none in this data folder")
        }
    }
    show(settings, &summary)
}

fn show(settings: &Settings, summary: &Summary) -> anyhow::Result<()> {
    output::print(settings.output.value, summary, || {
        let rows: u64 = summary.contents.rows.values().sum();
        output::facts(&[
            ("taken", output::time(summary.about.taken_at)),
            ("by", format!("alethia {}", summary.about.alethia)),
            ("rows", rows.to_string()),
            ("blobs", summary.contents.blobs.to_string()),
            ("keys", summary.about.keys.join(", ")),
            ("keys inside", if summary.about.with_key { "yes" } else { "no" }.to_owned()),
        ])
    })
}

impl PlaceArgs {
    fn override_in(&self, settings: &mut Settings) {
        if let Some(database) = &self.database {
            settings.database = Setting { value: Some(database.clone().into()), origin: Origin::Flag };
        }
        if let Some(blobs) = &self.blobs {
            settings.blobs = Setting { value: Some(blobs.clone()), origin: Origin::Flag };
        }
    }
}

/// Tells on stderr now and then how far it is.
struct Ticker {
    told: Mutex<Instant>,
}

impl Ticker {
    fn new() -> Self {
        Self { told: Mutex::new(Instant::now()) }
    }

    fn tell(&self, progress: &Progress) {
        let Ok(mut told) = self.told.lock() else { return };
        if told.elapsed() < EVERY {
            return;
        }
        *told = Instant::now();
        match progress {
            Progress::Rows { table, rows } => eprintln!("{table}: {rows} rows"),
            Progress::Blobs { done, total } => eprintln!("blobs: {done} of {total}"),
            Progress::Checked { parts } => eprintln!("checked: {parts} parts"),
        }
    }
}
