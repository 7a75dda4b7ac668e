//! The questions of `design`, each left out when a flag has answered it.

use std::collections::BTreeSet;

use alethia_domain::{
    catalog::aws,
    component::ComponentKind,
    spec::{
        self, Provider,
        design::{self, Answers},
    },
    stage::Stage,
};
use inquire::{MultiSelect, Select, Text, validator::Validation};

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

/// A question that is answered with a text.
struct Question {
    text: &'static str,
    /// Which field of the file the answer goes to.
    path: &'static str,
    set: fn(&mut Answers, &str),
    /// What stands there already; empty where nothing does.
    default: fn(&Answers) -> &str,
}

const NAME_QUESTION: Question = Question {
    text: "Name of the Spec:",
    path: "name",
    set: |answers, text| text.clone_into(&mut answers.name),
    default: |answers| &answers.name,
};
const ZONE_QUESTION: Question = Question {
    text: "Zone it belongs to:",
    path: "zone",
    set: |answers, text| text.clone_into(&mut answers.zone),
    default: |answers| &answers.zone,
};
const IDENTITY_QUESTION: Question = Question {
    text: "Cloud Identity (sandbox is simulated):",
    path: "cloud.identity",
    set: |answers, text| text.clone_into(&mut answers.identity),
    default: |answers| &answers.identity,
};
const DOMAIN_QUESTION: Question = Question {
    text: "Domain (none: no DNS):",
    path: "dns.domain",
    set: |answers, text| answers.domain = some(text),
    default: |_| "",
};
const REPOSITORY_QUESTION: Question = Question {
    text: "Git repository of the applications (none: no repositories):",
    path: "repositories.applications.url",
    set: |answers, text| answers.repository = some(text),
    default: |_| "",
};

fn some(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

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
    let mut answers = Answers { kinds, ..defaults };
    text(&NAME_QUESTION, args.name.is_some(), &mut answers)?;
    text(&ZONE_QUESTION, args.zone.is_some(), &mut answers)?;
    if args.stage.is_none() {
        answers.stage = stage()?;
    }
    if args.region.is_none() {
        answers.region = region()?;
    }
    text(&IDENTITY_QUESTION, args.identity.is_some(), &mut answers)?;
    let has_dns = answers.kinds.contains(&ComponentKind::Dns);
    text(&DOMAIN_QUESTION, args.domain.is_some() || !has_dns, &mut answers)?;
    let has_repositories = answers.kinds.contains(&ComponentKind::Repositories);
    text(&REPOSITORY_QUESTION, args.repository.is_some() || !has_repositories, &mut answers)?;
    Ok(answers)
}

/// Asks and keeps the answer, unless there is nothing to ask. A wrong answer is told at once and asked for again.
fn text(question: &Question, is_answered: bool, answers: &mut Answers) -> anyhow::Result<()> {
    if is_answered {
        return Ok(());
    }
    let (path, set, asked) = (question.path, question.set, answers.clone());
    let check = move |answer: &str| {
        let mut tried = asked.clone();
        set(&mut tried, answer.trim());
        let problem = wrong(path, &tried);
        Ok(problem.map_or(Validation::Valid, |problem| Validation::Invalid(problem.into())))
    };
    let default = (question.default)(answers).to_owned();
    let mut prompt = Text::new(question.text).with_validator(check);
    if !default.is_empty() {
        prompt = prompt.with_default(&default);
    }
    let answer = prompt.prompt().map_err(unanswered)?;
    set(answers, answer.trim());
    Ok(())
}

/// What is wrong with a field of the file that would come of it.
fn wrong(path: &str, answers: &Answers) -> Option<String> {
    let problems = spec::parse("answers", &design::write(answers)).err()?;
    let problem = problems.into_iter().find(|problem| problem.path == path)?;
    let allowed = problem.allowed.map(|allowed| format!("; allowed: {allowed}"));
    Some(format!("{}{}", problem.message, allowed.unwrap_or_default()))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(question: &Question, answer: &str) -> Option<String> {
        let mut answers = without(&DesignArgs::default());
        (question.set)(&mut answers, answer);
        wrong(question.path, &answers)
    }

    #[test]
    fn a_wrong_answer_is_told_with_what_is_allowed() {
        assert!(tried(&NAME_QUESTION, "My Shop").unwrap().contains("lower-case letters"));
        assert!(tried(&DOMAIN_QUESTION, "shop").unwrap().contains("shop.example.com"));
        assert!(tried(&REPOSITORY_QUESTION, "somewhere").unwrap().contains("https://"));
    }

    #[test]
    fn a_right_answer_and_none_where_none_is_needed_are_fine() {
        assert_eq!(tried(&NAME_QUESTION, "web"), None);
        assert_eq!(tried(&DOMAIN_QUESTION, "web.example.com"), None);
        assert_eq!(tried(&DOMAIN_QUESTION, ""), None);
    }
}
