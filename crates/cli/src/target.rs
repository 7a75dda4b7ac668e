//! How the command line names a Spec: `ZONE/NAME`, `NAME` in the Zone `default`, or a file that names it.

use std::{
    convert::Infallible,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use alethia_api::specs::SpecDetail;
use alethia_domain::spec::Parsed;

use crate::{document, session::Session};

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
        Ok(session.client().spec_by_name(&zone, &name).await?)
    }
}

impl FromStr for Target {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_document = [".yaml", ".yml", ".json"].iter().any(|suffix| text.ends_with(suffix));
        if text == "-" || is_document || Path::new(text).is_file() {
            return Ok(Self::File(text.into()));
        }
        let (zone, name) = text.split_once('/').unwrap_or((DEFAULT_ZONE, text));
        Ok(Self::Named(SpecName { zone: zone.to_owned(), name: name.to_owned() }))
    }
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
        assert_eq!("shop".parse(), Ok(named("default", "shop")));
        assert_eq!("web/shop".parse(), Ok(named("web", "shop")));
        assert_eq!("examples/shop.yaml".parse(), Ok(Target::File("examples/shop.yaml".into())));
    }
}
