//! The variables of the container registry module.

use alethia_domain::{
    component::ContainerRegistry,
    naming::{Naming, ResourceName},
};
use serde_json::{Value, json};

pub(super) fn variables(registry: &ContainerRegistry, naming: &Naming) -> Value {
    json!({
        "name": naming.resource(ResourceName::EcrRepository, Some(&registry.name)),
        "immutable_tags": registry.immutable_tags,
        "scan_on_push": registry.scan_on_push,
        "keep_images": registry.keep_images,
        "force_delete": registry.force_delete,
        "pull_accounts": registry.aws.iter().flat_map(|aws| &aws.pull_accounts).collect::<Vec<_>>(),
    })
}
