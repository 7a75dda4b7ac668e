//! `sandbox`: the simulated cloud on this machine, seen and changed from outside, as its own console would.

use alethia_sandbox::{
    cloud::{Cloud, Resource},
    faults::{self, Operation, Rule},
};
use chrono::Utc;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use crate::{
    embedded::sandbox_cloud,
    error::Fault,
    output::{self, Format, or_dash, table_or, time},
    settings::Settings,
};

/// What to do with the simulated cloud.
#[derive(Debug, Subcommand)]
pub(crate) enum SandboxCommand {
    /// List what exists in it
    List {
        /// Only of this type, such as aws_vpc
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<String>,
    },
    /// Show all attributes of a resource
    Show {
        /// Its type, such as aws_vpc
        #[arg(value_name = "TYPE")]
        kind: String,
        /// Its id, name or ARN
        id: String,
    },
    /// Change an attribute from outside: Terraform sees drift
    Edit {
        /// Its type, such as aws_vpc
        #[arg(value_name = "TYPE")]
        kind: String,
        /// Its id, name or ARN
        id: String,
        /// Which attribute, such as /tags/Name
        pointer: String,
        /// Its new value, as JSON; what is no JSON is taken as text
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// Remove a resource from outside: Terraform plans to create it again
    Remove {
        /// Its type, such as aws_vpc
        #[arg(value_name = "TYPE")]
        kind: String,
        /// Its id, name or ARN
        id: String,
    },
    /// Make it slow, make it fail
    #[command(subcommand)]
    Faults(FaultsCommand),
}

/// What to do with faults.
#[derive(Debug, Subcommand)]
pub(crate) enum FaultsCommand {
    /// List the rules
    List,
    /// Add a rule
    Add(FaultArgs),
    /// Remove all rules
    Clear,
}

/// A rule.
#[derive(Debug, Args)]
#[command(after_help = "Example: fail the first creation of a database:\n  \
    alethia sandbox faults add 'aws_rds_cluster.*orders*' --operation create --nth 1 --fail full")]
pub(crate) struct FaultArgs {
    /// Pattern over TYPE.NAME with `*` and `?`
    #[arg(value_name = "PATTERN")]
    target: String,
    /// Only when it is created, updated or deleted
    #[arg(long, value_enum, default_value = "any")]
    operation: OperationArg,
    /// Let it take so long before anything else happens
    #[arg(long, value_name = "MILLISECONDS")]
    latency_ms: Option<u64>,
    /// Fail with this message
    #[arg(long, value_name = "MESSAGE", required_unless_present_any = ["latency_ms", "hang"])]
    fail: Option<String>,
    /// Fail or hang on this try alone, counted from 1
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    nth: Option<u64>,
    /// Never answer, until Terraform is interrupted
    #[arg(long)]
    hang: bool,
}

/// What a rule applies to.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OperationArg {
    Any,
    Create,
    Update,
    Delete,
}

/// Runs one of them.
pub(crate) fn run(settings: &Settings, command: SandboxCommand) -> anyhow::Result<()> {
    let cloud = Cloud::open(sandbox_cloud(settings))?;
    match command {
        SandboxCommand::List { kind } => list(settings, &cloud, kind.as_deref()),
        SandboxCommand::Show { kind, id } => print(settings, &cloud.show(&kind, &id)?),
        SandboxCommand::Edit { kind, id, pointer, value } => {
            let value = serde_json::from_str(&value).unwrap_or(Value::String(value));
            print(settings, &cloud.edit(&kind, &id, &pointer, value, Utc::now())?)
        }
        SandboxCommand::Remove { kind, id } => {
            let gone = cloud.remove(&kind, &id)?;
            eprintln!("{} {} is removed", gone.kind, gone.id);
            Ok(())
        }
        SandboxCommand::Faults(command) => run_faults(settings, &cloud, command),
    }
}

fn list(settings: &Settings, cloud: &Cloud, kind: Option<&str>) -> anyhow::Result<()> {
    let resources = match kind {
        Some(kind) => cloud.of_type(kind)?,
        None => cloud.list()?,
    };
    output::print(settings.output.value, &resources, || {
        let rows = resources.iter().map(|resource| {
            let Resource { kind, id, name, region, updated, .. } = resource;
            vec![kind.clone(), name.clone(), id.clone(), region.clone(), time(*updated)]
        });
        table_or("the sandbox cloud is empty", &["type", "name", "id", "region", "updated"], rows.collect())
    })
}

fn print(settings: &Settings, resource: &Resource) -> anyhow::Result<()> {
    let format = match settings.output.value {
        Format::Table | Format::Yaml => Format::Yaml,
        Format::Json => Format::Json,
    };
    output::print(format, resource, String::new)
}

fn run_faults(settings: &Settings, cloud: &Cloud, command: FaultsCommand) -> anyhow::Result<()> {
    match command {
        FaultsCommand::List => {}
        FaultsCommand::Add(args) => faults::add(cloud.root(), rule(args)?)?,
        FaultsCommand::Clear => faults::clear(cloud.root())?,
    }
    let rules = faults::load(cloud.root())?;
    output::print(settings.output.value, &rules, || {
        let header = ["pattern", "operation", "latency", "nth", "effect"];
        table_or("no faults", &header, rules.iter().map(rule_row).collect())
    })
}

fn rule(args: FaultArgs) -> anyhow::Result<Rule> {
    if !args.target.contains('.') && !args.target.contains('*') {
        let fault = Fault::usage(format!("{:?} is no pattern over TYPE.NAME", args.target));
        return Err(fault.hint("write it as 'aws_rds_cluster.*orders*'").into());
    }
    let operation = match args.operation {
        OperationArg::Any => Operation::Any,
        OperationArg::Create => Operation::Create,
        OperationArg::Update => Operation::Update,
        OperationArg::Delete => Operation::Delete,
    };
    let FaultArgs { target, latency_ms, fail, nth, hang, .. } = args;
    Ok(Rule { target, operation, latency_ms, fail, nth, hang })
}

fn rule_row(rule: &Rule) -> Vec<String> {
    let effect = match (&rule.fail, rule.hang) {
        (Some(message), _) => format!("fails: {message}"),
        (None, true) => "hangs".to_owned(),
        (None, false) => "-".to_owned(),
    };
    vec![
        rule.target.clone(),
        format!("{:?}", rule.operation).to_lowercase(),
        or_dash(rule.latency_ms.map(|latency| format!("{latency} ms"))),
        or_dash(rule.nth),
        effect,
    ]
}
