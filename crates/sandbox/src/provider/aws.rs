//! What the AWS provider knows beyond its schema and the tables of values: tags with the provider's defaults, the
//! validation records of a certificate, versions that count up.

use std::collections::BTreeMap;

use super::Settings;
use crate::cloud::made_up::Maker;
use crate::cloud::secrets::hex;
use crate::schema::Block;
use crate::value::Value;

/// The attributes that count the changes of a resource.
const COUNTERS: [(&str, &str); 2] =
    [("aws_launch_template", "latest_version"), ("aws_iam_policy", "attachment_count")];

/// Fills in what the provider knows before anything is created.
pub(super) fn complete_plan(
    type_name: &str,
    block: &Block,
    config: &Value,
    planned: &mut Value,
    settings: &Settings,
) {
    if planned.get("region").is_unknown() {
        planned.set("region", Value::string(&settings.region));
    }
    if block.attributes.get("tags_all").is_some_and(|attribute| attribute.computed) {
        planned.set("tags_all", all_tags(config.get("tags"), &settings.default_tags));
    }
    if type_name == "aws_acm_certificate" && planned.get("domain_validation_options").is_unknown() {
        let options = domains(planned)
            .map(|domains| domains.iter().map(|domain| validation_option(domain, None)).collect());
        planned.set("domain_validation_options", options.map_or(Value::Unknown, Value::List));
    }
}

/// Decides what the tables cannot say.
pub(super) fn decide(type_name: &str, value: &mut Value, maker: &Maker<'_>) {
    if type_name == "aws_acm_certificate" && value.get("domain_validation_options").has_unknown() {
        let options = domains(value).unwrap_or_default();
        let options = options.iter().map(|domain| validation_option(domain, Some(maker))).collect();
        value.set("domain_validation_options", Value::List(options));
    }
}

/// Counts a version up when the plan left it open.
pub(super) fn count_versions(type_name: &str, prior: &Value, planned: &Value, state: &mut Value) {
    for (_, attribute) in COUNTERS.iter().filter(|(counted, _)| *counted == type_name) {
        if planned.get(attribute).is_unknown() {
            state.set(attribute, Value::integer(prior.get(attribute).as_i64().unwrap_or(0) + 1));
        }
    }
}

/// The provider's default tags with the resource's own over them.
fn all_tags(own: &Value, defaults: &[(String, Value)]) -> Value {
    let mut tags: BTreeMap<String, Value> = defaults.iter().cloned().collect();
    match own {
        Value::Unknown => return Value::Unknown,
        Value::Map(own) => tags.extend(own.clone()),
        _ => {}
    }
    Value::Map(tags)
}

/// The names of a certificate, when all of them are known.
fn domains(certificate: &Value) -> Option<Vec<String>> {
    let main = certificate.get("domain_name").as_str()?.to_owned();
    let mut domains = vec![main];
    for name in certificate.get("subject_alternative_names").items() {
        let name = name.as_str()?.to_owned();
        if !domains.contains(&name) {
            domains.push(name);
        }
    }
    Some(domains)
}

/// How to prove that a domain is ours. A wildcard is proved by the record of the domain under it.
fn validation_option(domain: &str, maker: Option<&Maker<'_>>) -> Value {
    let base = domain.trim_start_matches("*.");
    let record = |label: &str, text: &dyn Fn(&str) -> String| match maker {
        Some(maker) => Value::string(text(&hex(&maker.hash(&format!("{label} {base}"))[..16]))),
        None => Value::Unknown,
    };
    let members = [
        ("domain_name", Value::string(domain)),
        ("resource_record_name", record("name", &|hash| format!("_{hash}.{base}."))),
        ("resource_record_type", record("type", &|_| "CNAME".to_owned())),
        (
            "resource_record_value",
            record("value", &|hash| format!("_{hash}.jkddzztszm.acm-validations.aws.")),
        ),
    ];
    Value::Map(members.map(|(name, value)| (name.to_owned(), value)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_tags_win_over_default_tags() {
        let default = |key: &str, value: &str| (key.to_owned(), Value::string(value));
        let own = Value::Map([default("Team", "shop")].into());
        let all = all_tags(&own, &[default("Team", "none"), default("Stage", "dev")]);
        assert_eq!(all, Value::Map([default("Stage", "dev"), default("Team", "shop")].into()));
        assert_eq!(all_tags(&Value::Unknown, &[]), Value::Unknown);
    }

    #[test]
    fn a_certificate_has_one_validation_option_for_each_name() {
        let names = Value::List(vec![Value::string("*.example.com"), Value::string("example.com")]);
        let certificate = [
            ("domain_name".to_owned(), Value::string("example.com")),
            ("subject_alternative_names".to_owned(), names),
        ];
        assert_eq!(domains(&Value::Map(certificate.into())).unwrap(), ["example.com", "*.example.com"]);
    }
}
