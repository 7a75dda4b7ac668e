//! A document becomes a Terraform root: the templates, and one file of variables.
//!
//! The templates are the same for every Spec; what differs is which modules are called, in `components.tf`, and with
//! what, in `alethia.auto.tfvars.json`. The same document, id and access always give the same bytes. Names come from `domain::naming`, sizes from its catalog: nothing is computed
//! in the templates that could be computed here.

mod aws;

use std::{
    collections::BTreeMap,
    fs::{DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use alethia_domain::{
    access::CloudAccess,
    ids::SpecId,
    spec::{Document, Provider},
};
use serde_json::Value;

use crate::{bundle, protection};

/// Name of the file that calls a module for each component.
pub const COMPONENTS_FILE: &str = "components.tf";

/// Name of the file with a Spec's variables.
pub const VARIABLES_FILE: &str = "alethia.auto.tfvars.json";

/// A Terraform root, ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedRoot {
    /// Every file by its path in the root.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
}

/// The root that the platform runs for a Spec: its state is behind the `http` backend.
pub fn render(document: &Document, spec: SpecId, access: &CloudAccess) -> RenderedRoot {
    let mut root = standalone(document, spec, access);
    root.files.remove(Path::new(bundle::CHECKS_FILE));
    root
}

/// The same root with nothing in it that refuses to be deleted: what a confirmed removal works from.
pub fn render_for_removal(document: &Document, spec: SpecId, access: &CloudAccess) -> RenderedRoot {
    let mut root = render(document, spec, access);
    let variables = protection::lifted(variables(document, spec, access));
    root.files.insert(VARIABLES_FILE.into(), file(&variables));
    root
}

/// The variables of a Spec, as the templates declare them.
pub fn variables(document: &Document, spec: SpecId, access: &CloudAccess) -> Value {
    match document.cloud.provider {
        Provider::Aws => aws::variables(document, spec, access),
    }
}

/// Templates and variables, with everything that any root may have.
pub(crate) fn standalone(document: &Document, spec: SpecId, access: &CloudAccess) -> RenderedRoot {
    let (templates, components) = match document.cloud.provider {
        Provider::Aws => (bundle::aws(), aws::components::text(document)),
    };
    let mut files: BTreeMap<PathBuf, Vec<u8>> =
        templates.into_iter().map(|(path, bytes)| (path, bytes.to_vec())).collect();
    let variables = variables(document, spec, access);
    files.insert(VARIABLES_FILE.into(), file(&variables));
    files.insert(COMPONENTS_FILE.into(), components.into_bytes());
    RenderedRoot { files }
}

fn file(variables: &Value) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(variables).expect("JSON values always serialize");
    text.push(b'\n');
    text
}

impl RenderedRoot {
    /// Writes every file below a folder, which is made where it is missing: folders 0700, files 0600.
    ///
    /// # Errors
    /// When the disk refuses. Files that are there already are replaced.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        for (path, bytes) in &self.files {
            let path = folder.join(path);
            if let Some(parent) = path.parent() {
                DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
            }
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
            file.write_all(bytes)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
