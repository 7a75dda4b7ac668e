//! A Terraform root on the disk: for whoever wants to run it without the platform.

use std::path::Path;

use alethia_domain::{access::CloudAccess, ids::SpecId, plan::sha256_hex, spec::Document};
use anyhow::Context;

use crate::error::{Fault, OrHint};

/// Writes the standalone root of a document into a new or empty folder; says which files there are.
///
/// # Errors
/// When the folder holds something, or can't be written.
pub(crate) fn write(
    document: &Document,
    spec: SpecId,
    access: &CloudAccess,
    folder: &Path,
) -> anyhow::Result<Vec<String>> {
    refuse_occupied(folder)?;
    let root = alethia_terraform::export::export(document, spec, access);
    root.write(folder).with_context(|| format!("the folder {} can't be written", folder.display()))?;
    Ok(root.files.keys().map(|path| path.display().to_string()).collect())
}

/// The id that stands for a Spec which no Console knows; the same for the same Zone and name.
pub(crate) fn offline_id(document: &Document) -> SpecId {
    let hash = sha256_hex(format!("{}/{}", document.zone, document.name).as_bytes());
    let half = u128::from_str_radix(&hash[..32], 16).expect("half of a SHA-256 is 32 hexadecimal digits");
    SpecId(uuid::Builder::from_u128(half).with_version(uuid::Version::Custom).into_uuid())
}

/// The way into the cloud for whoever runs the root by himself: the simulated cloud is not theirs to take.
pub(crate) fn own_access() -> CloudAccess {
    CloudAccess::Aws { role_arn: None, external_id: None }
}

fn refuse_occupied(folder: &Path) -> anyhow::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let mut entries = std::fs::read_dir(folder)
        .or_hint(format!("{} is no folder", folder.display()), "name a new or an empty folder")?;
    match entries.next() {
        None => Ok(()),
        Some(_) => {
            let fault = Fault::usage(format!("the folder {} is not empty", folder.display()));
            Err(fault.hint("name a new or an empty folder").into())
        }
    }
}
