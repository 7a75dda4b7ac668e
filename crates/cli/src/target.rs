//! How the command line names a Spec: `ZONE/NAME`, `NAME` in the Zone `default`, or a file that names it.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use alethia_api::{problem::Code, specs::SpecDetail};
use alethia_domain::spec::Parsed;

use crate::{
    document,
    error::{Fault, OrHint},
    session::Session,
};

/// The Zone of a Spec that is named without one.
pub(crate) const DEFAULT_ZONE: &str = "default";

/// What names a Spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A Spec file.
    File(PathBuf),
    /// A Spec in a Zone.
    Named(SpecName),
}

/// A Spec in a Zone. Prints as `ZONE/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SpecName {
    /// The Zone.
    pub(crate) zone: String,
    /// The name.
    pub(crate) name: String,
}

impl Target {
    /// The name of the Spec; a file is read and checked for it.
    pub(crate) fn name(&self) -> anyhow::Result<SpecName> {
        match self {
            Self::Named(name) => Ok(name.clone()),
            Self::File(path) => {
                let parsed = document::read(path)?;
                Ok(SpecName { zone: parsed.document.zone, name: parsed.document.name })
            }
        }
    }

    /// The document of a file, read and checked.
    pub(crate) fn read(&self) -> anyhow::Result<Option<Parsed>> {
        match self {
            Self::File(path) => document::read(path).map(Some),
            Self::Named(_) => Ok(None),
        }
    }

    /// The Spec as the Console has it.
    pub(crate) async fn fetch(&self, session: &Session) -> anyhow::Result<SpecDetail> {
        let SpecName { zone, name } = self.name()?;
        match session.client().spec_by_name(&zone, &name).await {
            Err(error) if error.code() == Some(Code::NotFound) => {
                let missing = error.to_string();
                Err(error).or_hint(missing, self.elsewhere())
            }
            answer => Ok(answer?),
        }
    }

    /// Where a Spec may be that is not on the Console under this name.
    fn elsewhere(&self) -> String {
        let list = "see which Specs there are with `alethia spec list`";
        match self {
            Self::Named(_) => format!("{list}; a file would be named with its ending, such as shop.yaml"),
            Self::File(path) => {
                format!("{list}; the one of this file comes to be with `alethia apply {}`", path.display())
            }
        }
    }
}

impl FromStr for Target {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_document = [".yaml", ".yml", ".json"].iter().any(|suffix| text.ends_with(suffix));
        if text == "-" || is_document || Path::new(text).is_file() {
            return Ok(Self::File(text.into()));
        }
        let (zone, name) = text.split_once('/').unwrap_or((DEFAULT_ZONE, text));
        if ![zone, name].into_iter().all(is_name) {
            return Err(Fault::usage(format!(
                "neither a file that is there nor a Spec: write NAME, ZONE/NAME or a file such as shop.yaml; \
                 names are lower-case letters, digits and hyphens{}",
                if Path::new(text).is_dir() { ", and this is a folder" } else { "" }
            )));
        }
        Ok(Self::Named(SpecName { zone: zone.to_owned(), name: name.to_owned() }))
    }
}

/// Whether a Zone or Spec can have this name; how long it may be the Console knows.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
}

impl fmt::Display for SpecName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.zone, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(zone: &str, name: &str) -> Target {
        Target::Named(SpecName { zone: zone.into(), name: name.into() })
    }

    #[test]
    fn a_spec_is_named_with_or_without_its_zone_or_by_a_file() {
        let parse = |text: &str| text.parse::<Target>().unwrap();
        assert_eq!(parse("shop"), named("default", "shop"));
        assert_eq!(parse("web/shop"), named("web", "shop"));
        assert_eq!(parse("examples/shop.yaml"), Target::File("examples/shop.yaml".into()));
    }

    #[test]
    fn what_can_be_neither_a_spec_nor_a_file_is_refused() {
        for text in ["", "/", "web/", "/shop", "web/shop/1", "Shop", "../shop", "."] {
            let error = text.parse::<Target>().unwrap_err().to_string();
            assert!(error.contains("ZONE/NAME"), "{text}: {error}");
        }
    }
}
