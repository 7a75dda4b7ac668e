//! A plan as people read it: by component, what happens to it, what of it changes, and loudly what is lost.
//!
//! Symbols: `+` create, `~` update, `-/+` replace, `-` destroy. They say it all; colour only repeats them.

use alethia_domain::{
    lifecycle::Change,
    plan::{AttributeValue, ComponentPlan, PlanSummary, ResourceChange, Totals},
};

use crate::output::{Paint, Tone};

/// Longest value that is shown in full, in characters.
const LONGEST_VALUE: usize = 100;

/// The whole plan; its last line has the totals.
pub(crate) fn render(plan: &PlanSummary, paint: Paint) -> String {
    let mut lines = Vec::new();
    for resource in &plan.drift {
        if lines.is_empty() {
            lines.push(paint.paint(Tone::Strong, "Changed outside of Alethia:"));
        }
        resource_lines(resource, paint, &mut lines);
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    let changing = plan.components.iter().filter(|component| component.change != Change::None);
    let width = changing.clone().map(|component| component.component.to_string().len()).max().unwrap_or(0);
    for component in changing {
        component_lines(component, width, paint, &mut lines);
    }
    let losses = losses(plan, paint);
    if !losses.is_empty() {
        lines.push(String::new());
        lines.extend(losses);
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.push(format!("Plan: {}.", totals(plan.totals)));
    lines.join("\n")
}

/// How many resources are made, changed, replaced and removed.
pub(crate) fn totals(totals: Totals) -> String {
    let Totals { create, update, replace, destroy } = totals;
    format!("{create} to create, {update} to update, {replace} to replace, {destroy} to destroy")
}

fn component_lines(component: &ComponentPlan, width: usize, paint: Paint, lines: &mut Vec<String>) {
    let count = match component.resources.len() {
        1 => "1 resource".to_owned(),
        many => format!("{many} resources"),
    };
    let loss = if component.loses_data { paint.paint(Tone::Bad, "  DATA LOSS") } else { String::new() };
    let mark = mark(component.change, paint);
    let name = component.component.to_string();
    let verb = component.change.as_str();
    lines.push(format!("{mark} {name:<width$} {verb:<8} {count}{loss}"));
    match component.change {
        Change::Update | Change::Replace => {
            component.resources.iter().for_each(|resource| resource_lines(resource, paint, lines));
        }
        Change::None | Change::Create | Change::Destroy => {}
    }
}

fn resource_lines(resource: &ResourceChange, paint: Paint, lines: &mut Vec<String>) {
    let because = if resource.replaced_by.is_empty() {
        String::new()
    } else {
        format!("  (replaced because of {})", resource.replaced_by.join(", "))
    };
    lines.push(format!("    {} {}{because}", mark(resource.change, paint), resource.address));
    for attribute in &resource.attributes {
        let (before, after) = (value(&attribute.before), value(&attribute.after));
        lines.push(format!("          {}: {before} -> {after}", attribute.path));
    }
}

/// One line for each way to lose data, with the components that it happens to.
fn losses(plan: &PlanSummary, paint: Paint) -> Vec<String> {
    let ways = [
        (Change::Destroy, "destroyed, with everything in it"),
        (Change::Replace, "made anew; what is in it now is gone"),
        (Change::Update, "loses a part that holds data"),
    ];
    let names = |change: Change| -> Vec<String> {
        let lost = plan.components.iter().filter(|component| component.loses_data);
        let same = lost.filter(|component| component.change == change);
        same.map(|component| component.component.to_string()).collect()
    };
    let told = ways.into_iter().map(|(change, what)| (names(change), what));
    told.filter(|(names, _)| !names.is_empty())
        .map(|(names, what)| paint.paint(Tone::Bad, &format!("DATA LOSS ({what}): {}", names.join(", "))))
        .collect()
}

fn mark(change: Change, paint: Paint) -> String {
    match change {
        Change::None => "   ".to_owned(),
        Change::Create => paint.paint(Tone::Good, "  +"),
        Change::Update => paint.paint(Tone::Change, "  ~"),
        Change::Replace => paint.paint(Tone::Bad, "-/+"),
        Change::Destroy => paint.paint(Tone::Bad, "  -"),
    }
}

fn value(value: &AttributeValue) -> String {
    match value {
        AttributeValue::Absent => "(none)".to_owned(),
        AttributeValue::Known(known) => shortened(&known.to_string()),
        AttributeValue::Sensitive => "(sensitive)".to_owned(),
        AttributeValue::Unknown => "(known after apply)".to_owned(),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use alethia_domain::{
        component::{ComponentKind, ComponentRef},
        plan::AttributeChange,
    };
    use serde_json::json;

    use super::*;

    fn change(address: &str, change: Change, attributes: Vec<AttributeChange>) -> ResourceChange {
        let replaced_by = if change == Change::Replace { vec!["engine".to_owned()] } else { Vec::new() };
        ResourceChange { address: address.into(), change, replaced_by, attributes }
    }

    fn attribute(path: &str, before: AttributeValue, after: AttributeValue) -> AttributeChange {
        AttributeChange { path: path.into(), before, after }
    }

    #[test]
    fn a_plan_is_told_by_component_and_losses_are_called_out() {
        let database = ComponentRef::named(ComponentKind::Database, "orders");
        let known = |value| AttributeValue::Known(value);
        let plan = PlanSummary {
            totals: Totals { create: 1, update: 1, replace: 1, destroy: 1 },
            components: vec![
                ComponentPlan {
                    component: ComponentRef::singleton(ComponentKind::Network),
                    change: Change::None,
                    loses_data: false,
                    resources: Vec::new(),
                },
                ComponentPlan {
                    component: ComponentRef::singleton(ComponentKind::Cluster),
                    change: Change::Update,
                    loses_data: false,
                    resources: vec![change(
                        "module.cluster.aws_eks_node_group.main",
                        Change::Update,
                        vec![
                            attribute("desired_size", known(json!(3)), known(json!(4))),
                            attribute("token", AttributeValue::Absent, AttributeValue::Sensitive),
                            attribute("arn", known(json!("a")), AttributeValue::Unknown),
                        ],
                    )],
                },
                ComponentPlan {
                    component: database,
                    change: Change::Replace,
                    loses_data: true,
                    resources: vec![change(
                        "module.database-orders.aws_rds_cluster.main",
                        Change::Replace,
                        Vec::new(),
                    )],
                },
            ],
            drift: Vec::new(),
        };
        insta::assert_snapshot!(render(&plan, Paint::stdout()));
    }

    #[test]
    fn a_long_value_is_shortened() {
        assert!(shortened(&"é".repeat(LONGEST_VALUE + 1)).ends_with('…'));
        assert_eq!(shortened("short"), "short");
    }
}
