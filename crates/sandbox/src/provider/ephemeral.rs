//! Ephemeral resources: values for the length of one Terraform run, never stored by anybody.
//!
//! Passwords are real random bytes. Everything else (a token, the content of a secret that the cloud keeps no copy of) is
//! made up from a random seed, so that two runs never see the same.

use super::passwords::{PUNCTUATION, Wish, password};
use super::random::{number, password_of};
use super::{CallError, Provider};
use crate::cloud::made_up::Fill;
use crate::cloud::secrets::hex;
use crate::schema::Kind;
use crate::value::Value;
use crate::wire::{ConfigRequest, DynamicValue, OpenEphemeralResponse};

impl Provider {
    pub(super) fn open_ephemeral(&self, request: &ConfigRequest) -> Result<OpenEphemeralResponse, CallError> {
        let block = self.catalog.block(Kind::Ephemeral, &request.type_name)?;
        let mut value = DynamicValue::read(request.config.as_ref())?;
        match request.type_name.as_str() {
            "random_password" => {
                let made = password_of(&value, self.fill_random);
                value.set("result", Value::String(made));
            }
            "aws_secretsmanager_random_password" => {
                let made = secrets_manager_password(&value, self.fill_random);
                value.set("random_password", Value::String(made));
            }
            _ => {}
        }
        let mut seed = [0; 16];
        (self.fill_random)(&mut seed);
        let (kind, region, seed) =
            (format!("ephemeral.{}", request.type_name), self.region_of(&value), hex(&seed));
        self.maker(&kind, &region, &seed).fill(&mut value, &block, Fill::Computed);
        Ok(OpenEphemeralResponse { diagnostics: Vec::new(), result: DynamicValue::of(&value) })
    }
}

/// A password by the arguments of Secrets Manager.
pub(super) fn secrets_manager_password(arguments: &Value, fill: fn(&mut [u8])) -> String {
    let is_set = |name: &str| arguments.get(name).as_bool().unwrap_or(false);
    let at_least = usize::from(arguments.get("require_each_included_type").as_bool().unwrap_or(true));
    let class = |excluded: &str| (!is_set(excluded)).then_some(at_least);
    let space = if is_set("include_space") { " " } else { "" };
    let wish = Wish {
        lower: class("exclude_lowercase"),
        upper: class("exclude_uppercase"),
        digits: class("exclude_numbers"),
        special: class("exclude_punctuation"),
        special_letters: format!("{PUNCTUATION}{space}"),
        excluded: arguments.get("exclude_characters").as_str().unwrap_or_default().to_owned(),
    };
    password(number(arguments, "password_length", 32), &wish.classes(), fill)
}
