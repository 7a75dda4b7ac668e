//! The variables of the repositories module.

use alethia_domain::{
    component::{Repositories, Repository},
    naming::{Naming, ResourceName},
};
use serde_json::{Map, Value, json};

pub(super) fn variables(repositories: &Repositories, naming: &Naming) -> Value {
    let given = [("applications", &repositories.applications), ("platform", &repositories.platform)];
    let entries = given
        .into_iter()
        .filter_map(|(name, repository)| Some((name.to_owned(), entry(repository.as_ref()?))));
    json!({
        "parameter_prefix": format!("/alethia/{}", naming.resource(ResourceName::EksCluster, None)),
        "reader_role": naming.resource(ResourceName::IamRole, Some("repositories")),
        "entries": Value::Object(entries.collect::<Map<_, _>>()),
    })
}

fn entry(repository: &Repository) -> Value {
    json!({
        "url": repository.url,
        "revision": repository.revision,
        "path": repository.path,
        "credential": repository.credential,
    })
}
