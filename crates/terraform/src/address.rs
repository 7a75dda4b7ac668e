//! Between a component and the Terraform module that makes it.
//!
//! Every component has a module block of its own in the root: `module.network` for the singletons, `module.database-orders`
//! for the named ones. Kinds have no hyphen, so the first one ends the kind, and the first step of a resource address is
//! all that is needed to know whose it is.

use alethia_domain::component::{ComponentKind, ComponentRef};

/// Name of the module that makes a component.
pub fn module_name(component: &ComponentRef) -> String {
    let kind = component.kind.as_str();
    if component.kind.is_singleton() { kind.to_owned() } else { format!("{kind}-{}", component.name) }
}

/// The component that a resource or module belongs to; `None` for what is in no component's module.
pub fn component_of(address: &str) -> Option<ComponentRef> {
    let rest = address.strip_prefix("module.")?;
    let module = rest.split('.').next()?;
    let (kind, name) = module.split_once('-').unwrap_or((module, ""));
    let kind = ComponentKind::ALL.into_iter().find(|candidate| candidate.as_str() == kind)?;
    match (kind.is_singleton(), name.is_empty()) {
        (true, true) => Some(ComponentRef::singleton(kind)),
        (false, false) => Some(ComponentRef::named(kind, name)),
        (true, false) | (false, true) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_leads_to_its_component() {
        for (address, component) in [
            ("module.network.aws_vpc.main", Some("network")),
            ("module.cluster.aws_eks_node_group.group[\"main.x\"]", Some("cluster")),
            ("module.database-orders.aws_rds_cluster.main", Some("database.orders")),
            ("module.nosql_table-a-b", Some("nosql_table.a-b")),
            ("module.secret-x.ephemeral.random_password.value[0]", Some("secret.x")),
            ("module.secret-", None),
            ("module.secret", None),
            ("module.network-x", None),
            ("module.other.aws_vpc.main", None),
            ("aws_vpc.main", None),
            ("", None),
        ] {
            assert_eq!(
                component_of(address).map(|found| found.to_string()).as_deref(),
                component,
                "{address}"
            );
        }
    }

    #[test]
    fn the_module_of_a_component_leads_back_to_it() {
        for kind in ComponentKind::ALL {
            let component = if kind.is_singleton() {
                ComponentRef::singleton(kind)
            } else {
                ComponentRef::named(kind, "a-b")
            };
            assert_eq!(component_of(&format!("module.{}", module_name(&component))), Some(component));
        }
    }
}
