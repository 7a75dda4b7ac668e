//! The variables of the NoSQL table module.

use std::collections::BTreeMap;

use alethia_domain::{
    component::{AttributeType, CapacityMode, Key, NosqlTable, SecondaryIndex, TableClass},
    naming::{Naming, ResourceName},
};
use serde_json::{Value, json};

pub(super) fn variables(table: &NosqlTable, naming: &Naming) -> Value {
    let aws = table.aws.as_ref();
    let provisioned = table.provisioned.as_ref().filter(|_| table.capacity_mode == CapacityMode::Provisioned);
    json!({
        "name": naming.resource(ResourceName::DynamoDbTable, Some(&table.name)),
        "attributes": attributes(table),
        "partition_key": table.partition_key.name,
        "sort_key": table.sort_key.as_ref().map(|key| &key.name),
        "indexes": table.indexes.iter().map(index).collect::<BTreeMap<_, _>>(),
        "capacity_mode": match table.capacity_mode {
            CapacityMode::OnDemand => "PAY_PER_REQUEST",
            CapacityMode::Provisioned => "PROVISIONED",
        },
        "provisioned": provisioned.map(|units| json!({ "read": units.read, "write": units.write })),
        "expiry_attribute": table.expiry_attribute,
        "point_in_time_recovery": table.point_in_time_recovery,
        "replicas": table.replicas,
        "deletion_protection": table.deletion_protection,
        "table_class": match aws.map(|aws| aws.table_class) {
            Some(TableClass::InfrequentAccess) => "STANDARD_INFREQUENT_ACCESS",
            Some(TableClass::Standard) | None => "STANDARD",
        },
        "stream": aws.is_some_and(|aws| aws.stream),
    })
}

/// Every attribute that some key uses, with its type: DynamoDB refuses one that none uses.
fn attributes(table: &NosqlTable) -> BTreeMap<&str, &'static str> {
    let own = [Some(&table.partition_key), table.sort_key.as_ref()];
    let of_indexes =
        table.indexes.iter().flat_map(|index| [Some(&index.partition_key), index.sort_key.as_ref()]);
    own.into_iter().chain(of_indexes).flatten().map(|key| (key.name.as_str(), letter(key))).collect()
}

const fn letter(key: &Key) -> &'static str {
    match key.attribute_type {
        AttributeType::String => "S",
        AttributeType::Number => "N",
        AttributeType::Binary => "B",
    }
}

fn index(index: &SecondaryIndex) -> (&str, Value) {
    let sort_key = index.sort_key.as_ref().map(|key| &key.name);
    (&index.name, json!({ "partition_key": index.partition_key.name, "sort_key": sort_key }))
}
