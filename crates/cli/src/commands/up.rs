//! `up`: a Console and a Runner, until told to end. Other commands on the same data folder use them.

use clap::Args;

use crate::{
    embedded::{DataLock, Platform, in_use, listen_address},
    follow::Interrupts,
    session::Needs,
    settings::{Origin, Setting, Settings},
};

/// How to run it.
#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    console: ConsoleArgs,
    /// How many jobs the Runner does at a time, 1 to 64 [default: 2] [env: ALETHIA_SLOTS]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=64))]
    slots: Option<u16>,
}

/// How to run a Console.
#[derive(Debug, Args)]
pub(crate) struct ConsoleArgs {
    /// Where to listen [default: 127.0.0.1:4646] [env: ALETHIA_LISTEN]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Database; a SQLite file in the data folder when absent [env: ALETHIA_DATABASE]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Place for states, plans and logs; a folder in the data folder when absent [env: ALETHIA_BLOBS]
    #[arg(long, value_name = "URL")]
    blobs: Option<String>,
    /// How long a job stays with a Runner that says nothing, 10 to 600; the same for all Consoles of a database [default: 30] [env: ALETHIA_LEASE]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(10..=600))]
    lease: Option<u16>,
}

impl ConsoleArgs {
    /// Puts the flags over the settings.
    pub(crate) fn override_in(self, settings: &mut Settings) {
        if let Some(listen) = self.listen {
            settings.listen = Setting { value: listen, origin: Origin::Flag };
        }
        if let Some(database) = self.database {
            settings.database = Setting { value: Some(database.into()), origin: Origin::Flag };
        }
        if let Some(blobs) = self.blobs {
            settings.blobs = Setting { value: Some(blobs), origin: Origin::Flag };
        }
        if let Some(lease) = self.lease {
            settings.lease = Setting { value: lease, origin: Origin::Flag };
        }
    }
}

/// Runs Console and Runner.
pub(crate) async fn run(mut settings: Settings, args: UpArgs) -> anyhow::Result<()> {
    args.console.override_in(&mut settings);
    if let Some(slots) = args.slots {
        settings.slots = Setting { value: slots.into(), origin: Origin::Flag };
    }
    serve(&settings, Needs::Runner).await
}

/// Runs a Console, and a Runner where one is wanted, until an interrupt.
pub(crate) async fn serve(settings: &Settings, needs: Needs) -> anyhow::Result<()> {
    let listen = listen_address(settings)?;
    let folder = &settings.data_dir.value;
    let Some(lock) = DataLock::try_take(folder)? else {
        return Err(in_use(folder).hint("end it, or name another folder with `--data-dir DIR`").into());
    };
    let mut interrupts = Interrupts::listen()?;
    let mut platform = Platform::start(settings, lock, listen, needs).await?;
    let result = match platform.announce() {
        Ok(()) => until_interrupt(settings, needs, &mut platform, &mut interrupts).await,
        Err(error) => Err(error),
    };
    platform.shutdown().await;
    result
}

async fn until_interrupt(
    settings: &Settings,
    needs: Needs,
    platform: &mut Platform,
    interrupts: &mut Interrupts,
) -> anyhow::Result<()> {
    let folder = &settings.data_dir.value;
    eprintln!("the Console is at {}, its API at {0}/docs", platform.url());
    eprintln!("token of the owner: {}", alethia_server::owner_token_file(folder).display());
    eprintln!("data folder: {}; stop with Ctrl-C", folder.display());
    tokio::select! {
        error = platform.runner_ended() => Err(error),
        () = interrupts.next() => {
            eprintln!("ending; {}", match needs {
                Needs::Console => "requests under way are finished first",
                Needs::Runner => "jobs that run here are interrupted, once more kills Terraform",
            });
            Ok(())
        }
    }
}
