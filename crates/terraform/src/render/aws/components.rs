//! `components.tf` of the AWS root: one module block for each component of the Spec, and the root's one output.
//!
//! Each component has a block of its own, not an entry of a `for_each`: Terraform ties resources of one module block
//! together over all of its instances, so with `for_each` one database that fails would leave its siblings half made. What
//! a component needs of another is named here, and is all that it waits for.

use std::fmt::Write;

use alethia_domain::{
    component::{ComponentKind, ComponentRef, Protocol, Topic},
    spec::Document,
};

use crate::address::module_name;

/// The text of `components.tf`.
pub(crate) fn text(document: &Document) -> String {
    let components = document.components();
    let mut text = String::from("# The components of this Spec, each a module of its own.\n");
    for component in &components {
        text.push('\n');
        text.push_str(&block(component, document));
    }
    text.push('\n');
    text.push_str(&output(&components));
    text
}

fn block(component: &ComponentRef, document: &Document) -> String {
    let kind = component.kind.as_str();
    let mut arguments = vec![("component", quoted(&component.to_string()))];
    if takes_account(component.kind) {
        arguments.push(("account", "local.account".to_owned()));
    }
    arguments.push((kind, variable(component)));
    arguments.extend(needs(component, document));
    format!(
        "module {} {{\n  source = \"./modules/{kind}\"\n\n{}}}\n",
        quoted(&module_name(component)),
        aligned(&arguments, 2)
    )
}

/// What a component needs of others and of the root.
fn needs(component: &ComponentRef, document: &Document) -> Vec<(&'static str, String)> {
    let of_network = |output: &str| reference(document, ComponentKind::Network, output);
    match component.kind {
        ComponentKind::Cluster => {
            vec![("tags", "local.tags".to_owned()), ("subnet_ids", of_network("private_subnet_ids"))]
        }
        ComponentKind::Repositories => vec![
            ("secret_arns", arns(ComponentKind::Secret, &credentials(document))),
            ("cluster_name", reference(document, ComponentKind::Cluster, "name")),
            ("has_cluster", has(document, ComponentKind::Cluster).to_string()),
        ],
        ComponentKind::Database => vec![
            ("vpc_id", of_network("vpc_id")),
            ("subnet_ids", of_network("database_subnet_ids")),
            ("allowed_cidrs", "local.private_cidrs".to_owned()),
        ],
        ComponentKind::Cache => vec![
            ("vpc_id", of_network("vpc_id")),
            ("subnet_ids", of_network("private_subnet_ids")),
            ("allowed_cidrs", "local.private_cidrs".to_owned()),
        ],
        ComponentKind::Topic => {
            let topic = document.topics.iter().find(|topic| topic.name == component.name);
            vec![("queue_arns", arns(ComponentKind::Queue, &topic.map(queues).unwrap_or_default()))]
        }
        ComponentKind::Network
        | ComponentKind::Dns
        | ComponentKind::Queue
        | ComponentKind::NosqlTable
        | ComponentKind::ContainerRegistry
        | ComponentKind::Secret => Vec::new(),
    }
}

fn takes_account(kind: ComponentKind) -> bool {
    match kind {
        ComponentKind::Network
        | ComponentKind::Cluster
        | ComponentKind::Cache
        | ComponentKind::Queue
        | ComponentKind::Topic
        | ComponentKind::ContainerRegistry
        | ComponentKind::Secret => true,
        ComponentKind::Dns
        | ComponentKind::Repositories
        | ComponentKind::Database
        | ComponentKind::NosqlTable => false,
    }
}

fn variable(component: &ComponentRef) -> String {
    let section = component.kind.section();
    if component.kind.is_singleton() {
        format!("var.{section}")
    } else {
        format!("var.{section}[{}]", quoted(&component.name))
    }
}

/// An output of a singleton, or `null` where the Spec does not have it.
fn reference(document: &Document, kind: ComponentKind, output: &str) -> String {
    if has(document, kind) { format!("module.{}.{output}", kind.as_str()) } else { "null".to_owned() }
}

fn has(document: &Document, kind: ComponentKind) -> bool {
    !document.components_of(kind).is_empty()
}

fn arns(kind: ComponentKind, names: &[&str]) -> String {
    if names.is_empty() {
        return "{}".to_owned();
    }
    let entry = |name: &&str| {
        let module = module_name(&ComponentRef::named(kind, *name));
        format!("{} = module.{module}.arn", quoted(name))
    };
    format!("{{ {} }}", names.iter().map(entry).collect::<Vec<_>>().join(", "))
}

/// Queues that a topic delivers to, each once.
fn queues(topic: &Topic) -> Vec<&str> {
    let delivered =
        topic.subscriptions.iter().filter(|subscription| subscription.protocol == Protocol::Queue);
    once(delivered.map(|subscription| subscription.endpoint.as_str()))
}

/// Secrets that open repositories, each once.
fn credentials(document: &Document) -> Vec<&str> {
    let repositories = document.repositories.iter();
    let entries = repositories.flat_map(|all| [&all.applications, &all.platform]).flatten();
    once(entries.filter_map(|repository| repository.credential.as_deref()))
}

fn once<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn output(components: &[ComponentRef]) -> String {
    let mut text = String::from("output \"components\" {\n");
    let about = "What each component gives out, by kind and name. Never a secret: at most where one is kept.";
    write!(text, "  description = {}\n\n  value = {{\n", quoted(about)).expect("a String takes everything");
    for kind in ComponentKind::ALL {
        let summaries: Vec<(String, String)> = components
            .iter()
            .filter(|component| component.kind == kind)
            .map(|component| (quoted(&component.name), format!("module.{}.summary", module_name(component))))
            .collect();
        if !summaries.is_empty() {
            write!(text, "    {} = {{\n{}    }}\n", kind.as_str(), aligned(&summaries, 6))
                .expect("a String takes everything");
        }
    }
    text.push_str("  }\n}\n");
    text
}

/// `name = value` lines with their equal signs below each other, as `terraform fmt` has them.
fn aligned(arguments: &[(impl AsRef<str>, String)], indent: usize) -> String {
    let width = arguments.iter().map(|(name, _)| name.as_ref().len()).max().unwrap_or_default();
    let line = |(name, value): &(_, String)| {
        let name: &str = AsRef::<str>::as_ref(name);
        format!("{:indent$}{name:width$} = {value}\n", "")
    };
    arguments.iter().map(line).collect()
}

/// Names of components are letters, digits and hyphens, so nothing in them has to be escaped.
fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}
