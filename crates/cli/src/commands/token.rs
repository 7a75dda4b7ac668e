//! `token`: who may speak to the Console.

use alethia_api::tokens::{NewToken, Token};
use alethia_domain::{ids::TokenId, role::Role};
use chrono::{TimeDelta, Utc};
use clap::{Args, Subcommand};

use crate::{
    output::{self, or_dash, table_or, time},
    pages,
    session::{self, Needs, Session},
    settings::Settings,
};

/// What to do with API tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Create an API token; it is shown this once
    Create(CreateArgs),
    /// List API tokens
    List,
    /// Revoke an API token
    #[command(alias = "delete")]
    Revoke {
        /// Its id, as `alethia token list` shows it
        #[arg(value_parser = id)]
        id: TokenId,
    },
}

/// A token to be made.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Its name, shown as the author of what is done with it
    name: String,
    /// What it allows: viewer, operator, admin or owner
    #[arg(long, default_value = "operator")]
    role: Role,
    /// After how many days it stops being valid; never when absent
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=3650))]
    expires_in: Option<u16>,
}

/// Runs one of them.
pub(crate) async fn run(settings: &Settings, command: TokenCommand) -> anyhow::Result<()> {
    session::with(settings, Needs::Console, async |session| match command {
        TokenCommand::Create(args) => create(settings, session, args).await,
        TokenCommand::List => list(settings, session).await,
        TokenCommand::Revoke { id } => {
            session.client().revoke_token(id).await?;
            eprintln!("the token {id} is revoked");
            Ok(())
        }
    })
    .await
}

fn id(text: &str) -> Result<TokenId, String> {
    text.parse().map_err(|_| "it is no id of a token; see them with `alethia token list`".to_owned())
}

async fn create(settings: &Settings, session: &Session, args: CreateArgs) -> anyhow::Result<()> {
    let expires_at = args.expires_in.map(|days| Utc::now() + TimeDelta::days(days.into()));
    let token = NewToken { name: args.name, role: args.role, expires_at };
    let created = session.client().create_token(&token).await?;
    eprintln!("this token is shown only now; keep it in a file that only you can read");
    output::print(settings.output.value, &created, || created.secret.clone())
}

async fn list(settings: &Settings, session: &Session) -> anyhow::Result<()> {
    let tokens = pages::all(async |page| session.client().tokens(&page).await).await?;
    output::print(settings.output.value, &tokens, || {
        let header = ["id", "name", "role", "expires", "created"];
        table_or("no API tokens", &header, tokens.iter().map(row).collect())
    })
}

fn row(token: &Token) -> Vec<String> {
    vec![
        token.id.to_string(),
        token.name.clone(),
        token.role.to_string(),
        or_dash(token.expires_at.map(time)),
        time(token.created_at),
    ]
}
