//! The variables of the secret module. No value is among them: it is made while Terraform runs and kept nowhere.

use alethia_domain::{
    component::Secret,
    naming::{Naming, ResourceName},
};
use serde_json::{Value, json};

pub(super) fn variables(secret: &Secret, naming: &Naming) -> Value {
    json!({
        "name": naming.resource(ResourceName::SecretsManagerSecret, Some(&secret.name)),
        "description": secret.description,
        "generate": secret.generate.as_ref().map(|generate| json!({
            "length": generate.length,
            "special_characters": generate.special_characters,
            "rotation": generate.rotation,
        })),
        "recovery_days": secret.recovery.days(),
        "replica_regions": secret.aws.iter().flat_map(|aws| &aws.replica_regions).collect::<Vec<_>>(),
    })
}
