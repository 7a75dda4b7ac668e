//! One layer of settings: the configuration file, the environment or the flags, each with the same keys.

use std::{
    fmt, io,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::Context;
use clap::ValueEnum;
use serde::Deserialize;

use super::Secret;
use crate::{args::Global, error::Fault, output::Format};

/// The configuration file with every key commented out.
pub(crate) const DEFAULT_FILE: &str = include_str!("default.toml");

/// How many jobs a Runner may do at a time.
const SLOTS: RangeInclusive<usize> = 1..=64;
/// How long a lease may be, in seconds.
const LEASE: RangeInclusive<u16> = 10..=600;
/// How many days may be kept what is over.
const DAYS: RangeInclusive<u32> = 0..=36_500;

/// What one place says.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Layer {
    pub(crate) server: Option<String>,
    #[serde(skip)]
    pub(crate) token: Option<Secret>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) database: Option<String>,
    pub(crate) blobs: Option<String>,
    pub(crate) listen: Option<String>,
    pub(crate) lease: Option<u16>,
    pub(crate) keep_events: Option<u32>,
    pub(crate) keep_audit: Option<u32>,
    pub(crate) tool: Option<PathBuf>,
    pub(crate) slots: Option<usize>,
    pub(crate) output: Option<Format>,
}

impl Layer {
    /// What the file says; nothing where there is none and none was asked for.
    pub(crate) fn from_file(path: &Path, must_exist: bool) -> anyhow::Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| {
                Fault::usage(format!("the configuration {} can't be read", path.display()))
                    .hint(format!("make one with `alethia config > {}`", path.display()))
            }),
        }
    }

    /// What the variables say.
    pub(crate) fn from_environment(variable: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let text = |key: &str| variable(&format!("ALETHIA_{key}")).filter(|value| !value.is_empty());
        let path = |key: &str| text(key).map(PathBuf::from);
        let slots = text("SLOTS").map(|value| number("ALETHIA_SLOTS", &value, &SLOTS)).transpose()?;
        let lease = text("LEASE").map(|value| number("ALETHIA_LEASE", &value, &LEASE)).transpose()?;
        let days =
            |key: &str| text(key).map(|value| number(&format!("ALETHIA_{key}"), &value, &DAYS)).transpose();
        let output = text("OUTPUT").map(|value| format("ALETHIA_OUTPUT", &value)).transpose()?;
        Ok(Self {
            server: text("SERVER"),
            token: text("TOKEN").map(Secret),
            token_file: path("TOKEN_FILE"),
            data_dir: path("DATA_DIR"),
            database: text("DATABASE"),
            blobs: text("BLOBS"),
            listen: text("LISTEN"),
            lease,
            keep_events: days("KEEP_EVENTS")?,
            keep_audit: days("KEEP_AUDIT")?,
            tool: path("TOOL"),
            slots,
            output,
        })
    }

    /// What the command line says.
    pub(crate) fn from_flags(global: &Global) -> Self {
        Self {
            server: global.server.clone(),
            token: global.token.clone().map(Secret),
            token_file: global.token_file.clone(),
            data_dir: global.data_dir.clone(),
            tool: global.tool.clone(),
            output: global.output,
            ..Self::default()
        }
    }

    /// The same with `~` in front of a path as the home folder: a shell does that only to words it sees.
    pub(crate) fn with_home(self, home: &Path) -> Self {
        let whole = |path: Option<PathBuf>| {
            path.map(|path| path.strip_prefix("~").map_or_else(|_| path.clone(), |rest| home.join(rest)))
        };
        Self {
            token_file: whole(self.token_file),
            data_dir: whole(self.data_dir),
            tool: whole(self.tool),
            ..self
        }
    }

    fn parse(path: &Path, text: &str) -> anyhow::Result<Self> {
        let layer: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            let message = error.message().trim_end().replace('\n', " ");
            let fault = Fault::usage(format!("{}:{line}: {message}", path.display()));
            anyhow::Error::new(fault.hint("see every key with `alethia config`"))
        })?;
        if let Some(slots) = layer.slots {
            number(&format!("slots in {}", path.display()), &slots.to_string(), &SLOTS)?;
        }
        if let Some(lease) = layer.lease {
            number(&format!("lease in {}", path.display()), &lease.to_string(), &LEASE)?;
        }
        for (key, days) in [("keep_events", layer.keep_events), ("keep_audit", layer.keep_audit)] {
            if let Some(days) = days {
                number(&format!("{key} in {}", path.display()), &days.to_string(), &DAYS)?;
            }
        }
        Ok(layer)
    }
}

fn number<T>(name: &str, value: &str, range: &RangeInclusive<T>) -> anyhow::Result<T>
where
    T: FromStr + PartialOrd + fmt::Display,
{
    match value.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        Ok(_) | Err(_) => {
            let (first, last) = (range.start(), range.end());
            let message = format!("{name} is {value:?}, which is not a number from {first} to {last}");
            Err(Fault::usage(message).into())
        }
    }
}

fn format(name: &str, value: &str) -> anyhow::Result<Format> {
    let fault = |_| Fault::usage(format!("{name} is {value:?}, which is not table, json or yaml"));
    Format::from_str(value, false).map_err(fault).map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let error = Layer::parse(Path::new("config.toml"), "slots = 2\ntoken = 'x'\n").unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("config.toml:2: unknown field `token`"), "{text}");
    }

    #[test]
    fn a_number_out_of_range_is_refused() {
        let error = Layer::parse(Path::new("config.toml"), "slots = 100").unwrap_err().to_string();
        assert_eq!(error, "slots in config.toml is \"100\", which is not a number from 1 to 64");
        let error = Layer::parse(Path::new("config.toml"), "lease = 9").unwrap_err().to_string();
        assert_eq!(error, "lease in config.toml is \"9\", which is not a number from 10 to 600");
    }

    #[test]
    fn a_tilde_is_the_home_folder() {
        let layer = Layer::parse(Path::new("config.toml"), "data_dir = '~/data'\ntool = '/bin/~x'").unwrap();
        let layer = layer.with_home(Path::new("/ann"));
        assert_eq!(layer.data_dir, Some("/ann/data".into()));
        assert_eq!(layer.tool, Some("/bin/~x".into()));
    }

    #[test]
    fn a_variable_that_is_empty_says_nothing() {
        let variable = |name: &str| (name == "ALETHIA_SERVER").then(String::new);
        assert_eq!(Layer::from_environment(&variable).unwrap(), Layer::default());
    }

    #[test]
    fn a_variable_with_a_wrong_value_is_refused_by_name() {
        let variable = |name: &str| (name == "ALETHIA_SLOTS").then(|| "many".to_owned());
        let error = Layer::from_environment(&variable).unwrap_err().to_string();
        assert_eq!(error, "ALETHIA_SLOTS is \"many\", which is not a number from 1 to 64");
    }
}
