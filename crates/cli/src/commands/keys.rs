//! `keys`: what the platform's content is sealed with. Keys are made and taken out on this machine, in the key file of
//! the data folder; the Console is only told which one is meant.

use std::time::Duration;

use alethia_api::keys::{Key, Keys};
use alethia_store::seal::KeyFile;
use anyhow::Context;
use clap::{Args, Subcommand};
use tokio::time::{Instant, sleep};

use crate::{
    embedded::key_file,
    error::Fault,
    output::{self, or_dash, table_or, time},
    session::{self, Needs, Session},
    settings::Settings,
};

/// How long sealing again may stand still before the command stops to wait for it.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(300);

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// List keys by their ids: which one seals, how much each seals, which Consoles know it
    List,
    /// Put a new key into the key file of this data folder; it seals nothing yet
    Add,
    /// Seal with a new key, and seal again what older keys sealed, while everything runs
    Rotate(RotateArgs),
    /// Remove a key that seals nothing any more
    Remove {
        /// Its id, as `alethia keys list` shows it
        id: String,
    },
}

/// How to rotate.
#[derive(Debug, Args)]
#[command(
    after_help = "On one machine this is all. With several Consoles, first run `alethia keys add` beside one of them and \
                  copy its master-key into the data folders of the others; none has to be started anew."
)]
pub(crate) struct RotateArgs {
    /// The key to seal with; the newest one that waits when absent, on this machine a new one where none waits
    id: Option<String>,
    /// Do not wait until everything is sealed again: the Consoles go on with it; without a Console it is waited for
    #[arg(long)]
    no_wait: bool,
}

/// Runs one of them.
pub(crate) async fn run(settings: &Settings, command: KeysCommand) -> anyhow::Result<()> {
    if matches!(command, KeysCommand::Add) {
        return add(settings);
    }
    session::with(settings, Needs::Console, async |session| match command {
        KeysCommand::List => show(settings, &session.client().keys().await?),
        KeysCommand::Add => add(settings),
        KeysCommand::Rotate(args) => rotate(settings, session, args).await,
        KeysCommand::Remove { id } => remove(settings, session, &id).await,
    })
    .await
}

fn add(settings: &Settings) -> anyhow::Result<()> {
    let id = add_to(&own_file(settings)?)?;
    eprintln!("the new key is in {}; it seals nothing yet", key_file(settings).display());
    settings
        .typed
        .tell("copy that file into the data folder of every other Console, then run `alethia keys rotate`");
    output::print(settings.output.value, &serde_json::json!({ "id": id }), || id.clone())
}

async fn rotate(settings: &Settings, session: &Session, args: RotateArgs) -> anyhow::Result<()> {
    let id = match args.id {
        Some(id) => id,
        None => waiting(settings, &session.client().keys().await?)?,
    };
    let mut keys = session.client().rotate_key(&id).await?;
    eprintln!("the key {id} seals what is new");
    if !args.no_wait || session.is_embedded() {
        keys = until_sealed(session, keys).await?;
        let old = keys.keys.iter().filter(|key| !key.current && key.used_since.is_some());
        for key in old {
            settings.typed.tell(&format!(
                "the key {} seals nothing any more; keep a copy for older backups, then: alethia keys remove {0}",
                key.id
            ));
        }
    }
    show(settings, &keys)
}

/// A key that every Console may know already; on this machine a new one where there is none.
fn waiting(settings: &Settings, keys: &Keys) -> anyhow::Result<String> {
    if let Some(key) = keys.keys.iter().find(|key| !key.current && key.used_since.is_none()) {
        return Ok(key.id.clone());
    }
    if settings.server.value.is_some() {
        let fault = Fault::failure("no new key waits in the key files of the Consoles");
        return Err(fault.hint("on the machine of a Console, `keys add` puts one into its key file").into());
    }
    add_to(&own_file(settings)?)
}

/// Waits while it gets less.
async fn until_sealed(session: &Session, mut keys: Keys) -> anyhow::Result<Keys> {
    let (mut left, mut since) = (u64::MAX, Instant::now());
    loop {
        let old =
            keys.keys.iter().filter(|key| !key.current).map(|key| key.seals).sum::<u64>() + keys.unnoted;
        if old == 0 {
            return Ok(keys);
        }
        if old < left {
            (left, since) = (old, Instant::now());
        } else if since.elapsed() > PATIENCE {
            let fault = Fault::failure(format!("{old} things are not sealed again, and it does not go on"));
            return Err(fault.hint("look into the log of the Consoles, then run `alethia keys list`").into());
        }
        sleep(PAUSE).await;
        keys = session.client().keys().await?;
    }
}

async fn remove(settings: &Settings, session: &Session, id: &str) -> anyhow::Result<()> {
    session.client().remove_key(id).await?;
    let file = KeyFile::new(&key_file(settings));
    let is_here = file.exists() && settings.server.value.is_none();
    if is_here && file.remove(id).context("the Console let the key go, but it is still in the key file")? {
        eprintln!("the key {id} is removed, and no longer in {}", key_file(settings).display());
    } else {
        eprintln!("the key {id} is removed, but no key file was changed");
    }
    eprintln!("run the same beside each other Console; backups that are sealed with it need a copy of it");
    Ok(())
}

fn own_file(settings: &Settings) -> anyhow::Result<KeyFile> {
    let file = KeyFile::new(&key_file(settings));
    if file.exists() {
        return Ok(file);
    }
    let folder = settings.data_dir.value.display();
    let fault = Fault::usage(format!("no Console keeps its key in {folder}"));
    Err(fault.hint("name its data folder with `--data-dir DIR`").into())
}

fn add_to(file: &KeyFile) -> anyhow::Result<String> {
    file.add().context("a new key can't be added")
}

fn show(settings: &Settings, keys: &Keys) -> anyhow::Result<()> {
    output::print(settings.output.value, keys, || {
        let header = ["id", "seals", "things", "used since", "unknown to"];
        table_or("no keys", &header, keys.keys.iter().map(row).collect())
    })
}

fn row(key: &Key) -> Vec<String> {
    let unknown = (!key.unknown_to.is_empty()).then(|| key.unknown_to.join(", "));
    vec![
        key.id.clone(),
        if key.current { "what is new" } else { "-" }.to_owned(),
        key.seals.to_string(),
        or_dash(key.used_since.map(time)),
        or_dash(unknown),
    ]
}
