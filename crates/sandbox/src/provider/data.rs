//! Data sources: computed ones, then what the cloud really has, then plausible values.
//!
//! A data source of the same name as a resource finds the resource whose attributes are the given ones, so a stack can
//! look up what another stack made. What nobody made is made up, so that a template that refers to an existing
//! network can be tried out. Filters are honoured by the plural lookups of [`PLURALS`] alone.

use super::ephemeral::secrets_manager_password;
use super::{CallError, Provider, policy_document};
use crate::cloud::Resource;
use crate::cloud::made_up::Fill;
use crate::schema::{Block, Kind};
use crate::value::{Value, json};
use crate::wire::{ConfigRequest, DynamicValue, StateResponse};

/// Data sources that list resources, what they list, and where.
const PLURALS: [(&str, &str, &str); 6] = [
    ("aws_subnets", "aws_subnet", "ids"),
    ("aws_vpcs", "aws_vpc", "ids"),
    ("aws_security_groups", "aws_security_group", "ids"),
    ("aws_route_tables", "aws_route_table", "ids"),
    ("aws_nat_gateways", "aws_nat_gateway", "ids"),
    ("aws_dynamodb_tables", "aws_dynamodb_table", "names"),
];

impl Provider {
    pub(super) fn read_data(&self, request: &ConfigRequest) -> Result<StateResponse, CallError> {
        let block = self.catalog.block(Kind::Data, &request.type_name)?;
        let config = DynamicValue::read(request.config.as_ref())?;
        let mut value = config.clone();
        let region = self.region_of(&value);
        if block.attributes.contains_key("region") {
            value.set("region", Value::string(&region));
        }
        self.look_up(&request.type_name, &block, &region, &mut value)?;
        let (kind, seed) =
            (format!("data.{}", request.type_name), json::from_block(&config, &block).to_string());
        self.maker(&kind, &region, &seed).fill(&mut value, &block, Fill::Computed);
        Ok(StateResponse { state: DynamicValue::of(&value), diagnostics: Vec::new() })
    }

    fn look_up(
        &self,
        type_name: &str,
        block: &Block,
        region: &str,
        value: &mut Value,
    ) -> Result<(), CallError> {
        match type_name {
            "aws_iam_policy_document" => policy_document::compute(value),
            "aws_secretsmanager_random_password" => {
                let made = secrets_manager_password(value, self.fill_random);
                value.set("random_password", Value::String(made));
            }
            "aws_default_tags" => {
                let tags = self.settings().default_tags.into_iter().collect();
                value.set("tags", Value::Map(tags));
            }
            _ => self.find_in_cloud(type_name, block, region, value)?,
        }
        Ok(())
    }

    fn find_in_cloud(
        &self,
        type_name: &str,
        block: &Block,
        region: &str,
        value: &mut Value,
    ) -> Result<(), CallError> {
        if let Some((_, singular, list)) = PLURALS.iter().find(|(plural, ..)| *plural == type_name) {
            let found = self.cloud.of_type(singular)?;
            let found: Vec<Value> = found
                .iter()
                .filter(|resource| {
                    resource.region == region && has_tags(resource, value) && passes_filters(resource, value)
                })
                .map(|resource| Value::string(&resource.id))
                .collect();
            if !found.is_empty() {
                value.set(list, Value::List(found));
            }
            return Ok(());
        }
        let found = self
            .cloud
            .of_type(type_name)?
            .into_iter()
            .find(|resource| is_meant(resource, block, region, value));
        if let Some(resource) = found {
            copy(&resource, block, value);
        }
        Ok(())
    }
}

/// Whether every given attribute is the resource's own, and at least one is given.
fn is_meant(resource: &Resource, block: &Block, region: &str, value: &Value) -> bool {
    let names = block.attributes.keys().filter(|name| *name != "region");
    let given: Vec<(&String, &str)> =
        names.filter_map(|name| Some((name, value.get(name).as_str()?))).collect();
    let is_tagged = matches!(value.get("tags"), Value::Map(_)) || !value.get("filter").items().is_empty();
    let same = |(name, text): &(&String, &str)| {
        resource.attributes[name.as_str()].as_str() == Some(text)
            || (*name == "name" && resource.name == *text)
    };
    (resource.region == region || resource.attributes["region"].is_null())
        && (is_tagged || !given.is_empty())
        && given.iter().all(same)
        && has_tags(resource, value)
        && passes_filters(resource, value)
}

fn has_tags(resource: &Resource, value: &Value) -> bool {
    match value.get("tags") {
        Value::Map(tags) => {
            tags.iter().all(|(key, tag)| resource.attributes["tags_all"][key].as_str() == tag.as_str())
        }
        _ => true,
    }
}

/// `filter { name = "vpc-id", values = [..] }`: the names are attributes with dashes, or `tag:KEY`.
fn passes_filters(resource: &Resource, value: &Value) -> bool {
    value.get("filter").items().iter().all(|filter| {
        let name = filter.get("name").as_str().unwrap_or_default();
        let actual = match name.strip_prefix("tag:") {
            Some(key) => &resource.attributes["tags_all"][key],
            None => &resource.attributes[name.replace('-', "_")],
        };
        filter.get("values").items().iter().any(|wanted| wanted.as_str() == actual.as_str())
    })
}

/// Takes over every attribute that both have and that was not given.
fn copy(resource: &Resource, block: &Block, value: &mut Value) {
    for (name, attribute) in &block.attributes {
        if value.get(name).is_null() {
            value.set(name, json::to_value(&resource.attributes[name], &attribute.kind));
        }
    }
}
