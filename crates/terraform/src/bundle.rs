//! The templates that are built into the program: one root a cloud, one module a component kind.
//!
//! Whoever renders a root takes the files from here, and a plan is bound to their digest: the same digest means the same
//! templates, byte for byte.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use include_dir::{Dir, DirEntry, include_dir};
use sha2::{Digest, Sha256};

/// Name of the provider lock file in a root.
pub const LOCK_FILE: &str = ".terraform.lock.hcl";

/// Name of the file that says where the state is; only what the platform runs has it.
pub const BACKEND_FILE: &str = "backend.tf";

/// Name of the file with the exceptions from security checks; only exports have it.
pub const CHECKS_FILE: &str = ".checkov.yaml";

static AWS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/templates/aws");

static DIGEST: LazyLock<String> = LazyLock::new(|| {
    let mut digest = Sha256::new();
    for (path, bytes) in aws().iter().filter(|(path, _)| *path != Path::new(CHECKS_FILE)) {
        digest.update(path.to_string_lossy().as_bytes());
        digest.update([0]);
        digest.update(bytes.len().to_be_bytes());
        digest.update(bytes);
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
});

/// SHA-256 over every template file, its name included, as lowercase hexadecimal.
pub fn digest() -> &'static str {
    &DIGEST
}

/// The shipped provider lock file: exact versions; hashes are added at the first `init`.
pub fn lock_file() -> &'static [u8] {
    AWS.get_file(LOCK_FILE).expect("the lock file is part of the templates").contents()
}

/// Every file of the AWS root, by its path in the root.
pub(crate) fn aws() -> BTreeMap<PathBuf, &'static [u8]> {
    let mut files = BTreeMap::new();
    collect(&AWS, &mut files);
    files
}

fn collect(folder: &'static Dir<'static>, files: &mut BTreeMap<PathBuf, &'static [u8]>) {
    for entry in folder.entries() {
        match entry {
            DirEntry::Dir(folder) => collect(folder, files),
            DirEntry::File(file) => {
                files.insert(file.path().to_path_buf(), file.contents());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alethia_domain::component::ComponentKind;

    use super::*;

    #[test]
    fn the_root_has_a_module_for_every_kind() {
        for kind in ComponentKind::ALL {
            let module = format!("modules/{}/main.tf", kind.as_str());
            assert!(aws().contains_key(Path::new(&module)), "{module}");
        }
    }

    #[test]
    fn the_lock_file_names_both_providers_exactly() {
        let lock = std::str::from_utf8(lock_file()).unwrap();
        for line in ["hashicorp/aws", "6.66.0", "hashicorp/random", "3.9.1"] {
            assert!(lock.contains(line), "{line}");
        }
    }
}
