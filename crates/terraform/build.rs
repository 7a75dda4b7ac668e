//! Rebuilds the crate when a template is added or removed: `include_dir!` alone notices only changed files.

fn main() {
    println!("cargo::rerun-if-changed=templates");
}
