//! The questions of `design`, each left out when a flag has answered it.

use std::collections::BTreeSet;

use alethia_domain::{
    catalog::aws,
    component::ComponentKind,
    spec::{Provider, design::Answers},
    stage::Stage,
};
use inquire::{MultiSelect, Select, Text};

use super::DesignArgs;
use crate::{ask::unanswered, target::DEFAULT_ZONE};

const NAME: &str = "shop";
const REGION: &str = "eu-central-1";
const IDENTITY: &str = alethia_domain::spec::design::SANDBOX_IDENTITY;
const KINDS: [ComponentKind; 4] = [
    ComponentKind::Network,
    ComponentKind::Cluster,
    ComponentKind::Database,
    ComponentKind::ContainerRegistry,
];

/// The answers of the flags; the rest has its default.
pub(super) fn without(args: &DesignArgs) -> Answers {
    Answers {
        zone: args.zone.clone().unwrap_or_else(|| DEFAULT_ZONE.to_owned()),
        name: args.name.clone().unwrap_or_else(|| NAME.to_owned()),
        stage: args.stage.map_or(Stage::Development, Into::into),
        provider: Provider::Aws,
        region: args.region.clone().unwrap_or_else(|| REGION.to_owned()),
        identity: args.identity.clone().unwrap_or_else(|| IDENTITY.to_owned()),
        domain: args.domain.clone(),
        repository: args.repository.clone(),
        kinds: args.kinds.clone().unwrap_or_else(|| KINDS.to_vec()).into_iter().collect(),
    }
}

/// The answers of the flags; the rest is asked for.
///
/// # Errors
/// When a question is left without an answer.
pub(super) fn ask(args: &DesignArgs) -> anyhow::Result<Answers> {
    let defaults = without(args);
    let kinds = match &args.kinds {
        Some(_) => defaults.kinds.clone(),
        None => components(&defaults.kinds)?,
    };
    Ok(Answers {
        name: text("Name of the Spec:", args.name.as_ref(), &defaults.name)?,
        zone: text("Zone it belongs to:", args.zone.as_ref(), &defaults.zone)?,
        stage: match args.stage {
            Some(stage) => stage.into(),
            None => stage()?,
        },
        provider: defaults.provider,
        region: match &args.region {
            Some(region) => region.clone(),
            None => region()?,
        },
        identity: text("Cloud Identity (sandbox is simulated):", args.identity.as_ref(), &defaults.identity)?,
        domain: optional(
            "Domain (none: no DNS):",
            args.domain.as_ref(),
            kinds.contains(&ComponentKind::Dns),
        )?,
        repository: optional(
            "Git repository of the applications:",
            args.repository.as_ref(),
            kinds.contains(&ComponentKind::Repositories),
        )?,
        kinds,
    })
}

fn text(question: &str, given: Option<&String>, default: &str) -> anyhow::Result<String> {
    match given {
        Some(given) => Ok(given.clone()),
        None => Text::new(question).with_default(default).prompt().map_err(unanswered),
    }
}

fn optional(question: &str, given: Option<&String>, is_wanted: bool) -> anyhow::Result<Option<String>> {
    if given.is_some() || !is_wanted {
        return Ok(given.cloned());
    }
    let answer = Text::new(question).prompt().map_err(unanswered)?;
    Ok(Some(answer.trim().to_owned()).filter(|answer| !answer.is_empty()))
}

fn stage() -> anyhow::Result<Stage> {
    Select::new("Environment:", Stage::ALL.to_vec()).prompt().map_err(unanswered)
}

fn region() -> anyhow::Result<String> {
    let names: Vec<&str> = aws::regions().iter().map(|region| region.code).collect();
    let start = names.iter().position(|name| *name == REGION).unwrap_or(0);
    let chosen = Select::new("AWS region:", names).with_starting_cursor(start).prompt();
    chosen.map(str::to_owned).map_err(unanswered)
}

fn components(preset: &BTreeSet<ComponentKind>) -> anyhow::Result<BTreeSet<ComponentKind>> {
    let all = ComponentKind::ALL.to_vec();
    let chosen: Vec<usize> = (0..all.len()).filter(|index| preset.contains(&all[*index])).collect();
    let answer = MultiSelect::new("Components to begin with:", all).with_default(&chosen).prompt();
    answer.map(|kinds| kinds.into_iter().collect()).map_err(unanswered)
}
