use std::fs;

use alethia_domain::{component::ComponentKind, spec};

use super::*;

fn id() -> SpecId {
    "00000000-0000-7000-8000-000000000007".parse().unwrap()
}

fn examples() -> Vec<(String, Document)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let yaml = paths.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    yaml.map(|path| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let parsed = spec::parse(&name, &fs::read_to_string(&path).unwrap());
        (name, parsed.unwrap_or_else(|problems| panic!("{problems:?}")).document)
    })
    .collect()
}

#[test]
fn the_variables_of_every_example_are_as_reviewed() {
    let examples = examples();
    assert!(examples.iter().any(|(name, _)| name == "shop"));
    for (name, document) in examples {
        insta::assert_json_snapshot!(name, variables(&document, id(), &CloudAccess::Sandbox));
    }
}

#[test]
fn each_component_of_the_shop_has_a_module_of_its_own() {
    let (_, document) = examples().into_iter().find(|(name, _)| name == "shop").unwrap();
    let root = render(&document, id(), &CloudAccess::Sandbox);
    let text = String::from_utf8(root.files[Path::new(COMPONENTS_FILE)].clone()).unwrap();
    insta::assert_snapshot!("shop-components", text);
}

#[test]
fn a_removal_works_from_the_same_root_without_protection() {
    let (_, document) = examples().into_iter().find(|(name, _)| name == "shop").unwrap();
    let access = CloudAccess::Sandbox;
    let (kept, mut removal) =
        (render(&document, id(), &access), render_for_removal(&document, id(), &access));
    let path = Path::new(VARIABLES_FILE);
    let text = String::from_utf8(removal.files[path].clone()).unwrap();
    assert!(!text.contains("\"deletion_protection\": true"));
    removal.files.insert(path.into(), kept.files[path].clone());
    assert_eq!(removal, kept);
}

#[test]
fn a_disabled_section_is_the_same_as_an_absent_one() {
    let (_, mut document) = examples().into_iter().find(|(name, _)| name == "shop").unwrap();
    document.dns.as_mut().unwrap().enabled = false;
    let disabled = variables(&document, id(), &CloudAccess::Sandbox);
    document.dns = None;
    assert_eq!(disabled, variables(&document, id(), &CloudAccess::Sandbox));
    assert!(disabled[ComponentKind::Dns.section()].is_null());
}

#[test]
fn a_role_is_taken_on_only_where_one_is_named() {
    let (_, document) = examples().remove(0);
    let role = |role_arn: Option<&str>| {
        let role_arn = role_arn.map(str::to_owned);
        let access = CloudAccess::Aws { role_arn, external_id: Some("x".to_owned()) };
        variables(&document, id(), &access)["assume_role"].clone()
    };
    assert!(role(None).is_null());
    assert_eq!(role(Some("arn"))["external_id"], "x");
}

#[test]
fn the_role_that_makes_the_cluster_gets_no_second_entry() {
    let (_, document) = examples().into_iter().find(|(name, _)| name == "shop").unwrap();
    let admins = document.cluster.as_ref().unwrap().admins.clone();
    let role_arn = Some(admins[0].principal.clone());
    let access = CloudAccess::Aws { role_arn, external_id: None };
    let entries = variables(&document, id(), &access)["cluster"]["access"].clone();
    assert_eq!(entries.as_object().unwrap().len(), admins.len() - 1);
    assert!(entries.get(&admins[0].principal).is_none());
}

#[test]
fn rendering_twice_gives_the_same_bytes_and_only_the_platform_has_a_backend() {
    let (_, document) = examples().remove(0);
    let root = render(&document, id(), &CloudAccess::Sandbox);
    assert_eq!(root, render(&document, id(), &CloudAccess::Sandbox));
    assert!(root.files.contains_key(Path::new(bundle::BACKEND_FILE)));
    let exported = crate::export::export(&document, id(), &CloudAccess::Sandbox);
    assert!(!exported.files.contains_key(Path::new(bundle::BACKEND_FILE)));
    for file in ["README.md", bundle::CHECKS_FILE, bundle::LOCK_FILE, VARIABLES_FILE, "modules/queue/main.tf"]
    {
        assert!(exported.files.contains_key(Path::new(file)), "{file}");
    }
}

#[test]
fn what_is_written_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let (_, document) = examples().remove(0);
    render(&document, id(), &CloudAccess::Sandbox).write(&root).unwrap();
    let mode = |path: &str| fs::metadata(root.join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(VARIABLES_FILE), mode("modules")), (0o600, 0o700));
}
