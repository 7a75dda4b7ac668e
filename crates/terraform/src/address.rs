//! From a Terraform resource address to the component it belongs to.
//!
//! Every resource of the templates lives in a module named after its component kind: `module.network[0]` for the
//! singletons, `module.database["orders"]` for the named ones. So the first step of an address is all that is needed.

use alethia_domain::component::{ComponentKind, ComponentRef};

/// The component that a resource or module belongs to; `None` for what is in no component's module.
pub fn component_of(address: &str) -> Option<ComponentRef> {
    let rest = address.strip_prefix("module.")?;
    let end = rest.find(['[', '.']).unwrap_or(rest.len());
    let (module, rest) = rest.split_at(end);
    let kind = ComponentKind::ALL.into_iter().find(|kind| kind.as_str() == module)?;
    if kind.is_singleton() {
        return Some(ComponentRef::singleton(kind));
    }
    let name = rest.strip_prefix("[\"")?.split_once("\"]")?.0;
    (!name.is_empty()).then(|| ComponentRef::named(kind, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_leads_to_its_component() {
        for (address, component) in [
            ("module.network[0].aws_vpc.main", Some("network")),
            ("module.network.aws_vpc.main", Some("network")),
            ("module.cluster[0].aws_eks_node_group.group[\"main\"]", Some("cluster")),
            ("module.database[\"orders\"].aws_rds_cluster.main", Some("database.orders")),
            ("module.nosql_table[\"a-b\"]", Some("nosql_table.a-b")),
            ("module.secret[\"x\"].ephemeral.random_password.value[0]", Some("secret.x")),
            ("module.secret[\"x", None),
            ("module.secret", None),
            ("module.other[0].aws_vpc.main", None),
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
}
