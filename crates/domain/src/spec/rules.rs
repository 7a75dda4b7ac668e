//! The rules that a JSON Schema can't say: each kind's own stand beside it, those about the whole document here.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    check::{Checker, Kept, repeated, unknown_region},
    document::Document,
    problem::Finding,
};
use crate::{catalog::aws, component::ComponentKind};

/// Everything in which a complete document breaks a rule.
pub(super) fn check(document: &Document, kept: &Kept) -> Vec<Finding> {
    let mut checker = Checker::new(document, kept);
    check_region(&mut checker);
    check_names(&mut checker);
    for kind in ComponentKind::ALL {
        check_kind(kind, &mut checker);
    }
    checker.into_findings()
}

fn check_region(at: &mut Checker<'_>) {
    let region = &at.document().cloud.region;
    if aws::region(region).is_none() {
        at.refuse(unknown_region("cloud.region", region));
    }
}

fn check_names(at: &mut Checker<'_>) {
    for kind in ComponentKind::ALL.into_iter().filter(|kind| !kind.is_singleton()) {
        let components = at.document().components_of(kind);
        let names = components.iter().map(|component| component.name.as_str());
        for (index, name) in repeated(names) {
            at.enter_item(kind.section(), index);
            let message = format!("{name:?} is taken: another item of {} has it", kind.section());
            at.refuse(Finding::new("name", message));
        }
    }
    at.enter("");
}

fn check_kind(kind: ComponentKind, at: &mut Checker<'_>) {
    let document = at.document();
    match kind {
        ComponentKind::Network => {
            single(kind, document.network.as_ref().filter(|network| network.enabled), at, |it, at| {
                it.check(at)
            })
        }
        ComponentKind::Cluster => {
            single(kind, document.cluster.as_ref().filter(|cluster| cluster.enabled), at, |it, at| {
                it.check(at)
            })
        }
        ComponentKind::Dns => {
            single(kind, document.dns.as_ref().filter(|dns| dns.enabled), at, |it, at| it.check(at))
        }
        ComponentKind::Repositories => {
            single(kind, document.repositories.as_ref().filter(|it| it.enabled), at, |it, at| it.check(at));
        }
        ComponentKind::Database => each(kind, &document.databases, at, |it, at| it.check(at)),
        ComponentKind::Cache => each(kind, &document.caches, at, |it, at| it.check(at)),
        ComponentKind::Queue => each(kind, &document.queues, at, |it, at| it.check(at)),
        ComponentKind::Topic => each(kind, &document.topics, at, |it, at| it.check(at)),
        ComponentKind::NosqlTable => each(kind, &document.nosql_tables, at, |it, at| it.check(at)),
        ComponentKind::ContainerRegistry => {
            each(kind, &document.container_registries, at, |it, at| it.check(at))
        }
        ComponentKind::Secret => each(kind, &document.secrets, at, |it, at| it.check(at)),
    }
}

fn single<T>(
    kind: ComponentKind,
    component: Option<&T>,
    at: &mut Checker<'_>,
    check: impl Fn(&T, &mut Checker<'_>),
) {
    if let Some(component) = component {
        at.enter(kind.section());
        check(component, at);
    }
}

fn each<T>(
    kind: ComponentKind,
    components: &[T],
    at: &mut Checker<'_>,
    check: impl Fn(&T, &mut Checker<'_>),
) {
    for (index, component) in components.iter().enumerate() {
        at.enter_item(kind.section(), index);
        check(component, at);
    }
}

/// The parts of a written document that can be judged although others are wrong, with stand-ins for the head.
pub(super) fn judgeable(written: &Value, findings: &[Finding]) -> (Value, Kept) {
    let mut value = written.clone();
    let mut kept = Kept::default();
    for (key, stand_in) in HEAD {
        let broken = value.get(key).is_none() || findings.iter().any(|finding| within(&finding.path, key));
        if let (true, Some(object)) = (broken, value.as_object_mut()) {
            object.insert(key.to_owned(), serde_json::from_str(stand_in).expect("the stand-ins are JSON"));
        }
    }
    let Some(object) = value.as_object_mut() else { return (value, kept) };
    object.retain(|key, _| HEAD.iter().any(|(known, _)| known == key) || section(key).is_some());
    for kind in ComponentKind::ALL {
        keep_sound(kind, object, findings, &mut kept);
    }
    (value, kept)
}

const HEAD: [(&str, &str); 6] = [
    ("apiVersion", "\"alethia/v1\""),
    ("kind", "\"Spec\""),
    ("zone", "\"default\""),
    ("name", "\"spec\""),
    ("stage", "\"development\""),
    ("cloud", r#"{"provider":"aws","region":"eu-west-1","identity":"sandbox"}"#),
];

fn section(key: &str) -> Option<ComponentKind> {
    ComponentKind::ALL.into_iter().find(|kind| kind.section() == key)
}

fn keep_sound(
    kind: ComponentKind,
    object: &mut serde_json::Map<String, Value>,
    findings: &[Finding],
    kept: &mut Kept,
) {
    let section = kind.section();
    if !findings.iter().any(|finding| within(&finding.path, section)) {
        return;
    }
    kept.incomplete.insert(section.to_owned());
    let whole = findings.iter().any(|finding| finding.path == section);
    let Some(Value::Array(items)) = object.get_mut(section).filter(|_| !whole) else {
        object.remove(section);
        return;
    };
    let broken: BTreeSet<usize> =
        findings.iter().filter_map(|finding| index_in(&finding.path, section)).collect();
    let sound: Vec<usize> = (0..items.len()).filter(|index| !broken.contains(index)).collect();
    let all = std::mem::take(items);
    *items = all
        .into_iter()
        .enumerate()
        .filter(|(index, _)| !broken.contains(index))
        .map(|(_, item)| item)
        .collect();
    kept.indexes.insert(section.to_owned(), sound);
}

/// The index of the item of a section that a path leads to or into.
fn index_in(path: &str, section: &str) -> Option<usize> {
    path.strip_prefix(section)?.strip_prefix('[')?.split(']').next()?.parse().ok()
}

/// Whether a path is that of a part or of something in it.
fn within(path: &str, part: &str) -> bool {
    path.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
