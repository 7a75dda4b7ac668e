//! `identity`: the ways into clouds. The one named `sandbox` is always there.

use alethia_api::identities::{CloudIdentity, NewCloudIdentity};
use alethia_domain::access::CloudAccess;
use clap::{Args, Subcommand};

use crate::{
    output::{self, table_or, time},
    pages,
    session::{self, Needs, Session},
    settings::Settings,
};

/// What to do with Cloud Identities.
#[derive(Debug, Subcommand)]
pub(crate) enum IdentityCommand {
    /// Create a Cloud Identity; Specs name it as `cloud.identity`
    Create(CreateArgs),
    /// List Cloud Identities
    List,
    /// Delete a Cloud Identity that no Spec uses
    Delete {
        /// Its name
        name: String,
    },
}

/// A Cloud Identity to be made.
#[derive(Debug, Args)]
#[command(
    after_help = "No key is stored anywhere: a Runner enters AWS with what its own environment offers \
                        (AWS_PROFILE, SSO, an instance role), and from there assumes the role, if one is named."
)]
pub(crate) struct CreateArgs {
    /// Its name
    name: String,
    /// It is an AWS account
    #[arg(long, required = true)]
    aws: bool,
    /// Role that Terraform assumes for the length of a job
    #[arg(long, value_name = "ARN")]
    role_arn: Option<String>,
    /// External id that the role demands
    #[arg(long, value_name = "ID", requires = "role_arn")]
    external_id: Option<String>,
}

/// Runs one of them.
pub(crate) async fn run(settings: &Settings, command: IdentityCommand) -> anyhow::Result<()> {
    session::with(settings, Needs::Console, async |session| match command {
        IdentityCommand::Create(args) => create(settings, session, args).await,
        IdentityCommand::List => list(settings, session).await,
        IdentityCommand::Delete { name } => {
            session.client().delete_identity(&name).await?;
            eprintln!("Cloud Identity {name} is deleted");
            Ok(())
        }
    })
    .await
}

async fn create(settings: &Settings, session: &Session, args: CreateArgs) -> anyhow::Result<()> {
    let access = CloudAccess::Aws { role_arn: args.role_arn, external_id: args.external_id };
    let identity = session.client().create_identity(&NewCloudIdentity { name: args.name, access }).await?;
    output::print(settings.output.value, &identity, || {
        format!(
            "Cloud Identity {0} is created; use it in a Spec with `identity: {0}` under `cloud`",
            identity.name
        )
    })
}

async fn list(settings: &Settings, session: &Session) -> anyhow::Result<()> {
    let identities = pages::all(async |page| session.client().identities(&page).await).await?;
    output::print(settings.output.value, &identities, || {
        let header = ["name", "cloud", "role", "created"];
        table_or("no Cloud Identities", &header, identities.iter().map(row).collect())
    })
}

fn row(identity: &CloudIdentity) -> Vec<String> {
    let role = match &identity.access {
        CloudAccess::Sandbox => "-".to_owned(),
        CloudAccess::Aws { role_arn, .. } => output::or_dash(role_arn.as_ref()),
    };
    vec![identity.name.clone(), identity.access.as_str().to_owned(), role, time(identity.created_at)]
}
