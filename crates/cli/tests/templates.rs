//! The Terraform root of every example, at every stage, under real Terraform and the real providers' schemas.
//!
//! The sandbox stands in for the providers, so this runs offline: `init` completes the shipped lock file, `validate` checks
//! every argument, and an apply has to leave nothing that a second plan would change.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use alethia_domain::{
    access::CloudAccess,
    ids::SpecId,
    spec::{self, Document},
    stage::Stage,
};
use alethia_terraform::{export, plan_json, render};
use serde_json::Value;
use tempfile::TempDir;

/// A rendered root with a sandbox cloud of its own.
struct Root {
    home: TempDir,
    document: Document,
}

impl Root {
    fn of(document: Document) -> Self {
        let root =
            Self { home: tempfile::tempdir().expect("there is a folder for temporary files"), document };
        let files = export::export(&root.document, SpecId::generate(), &CloudAccess::Sandbox);
        files.write(&root.folder()).expect("the folder is ours");
        root.ok(&["init", "-input=false"]);
        root
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("root")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mirror =
            alethia_sandbox::mirror::write(&self.home.path().join("mirror")).expect("the folder is ours");
        Command::new("terraform")
            .args(arguments)
            .current_dir(self.folder())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("TF_IN_AUTOMATION", "1")
            .env("TF_CLI_ARGS", "-no-color")
            .env("TF_CLI_CONFIG_FILE", mirror.cli_config)
            .env("ALETHIA_SANDBOX_EXE", env!("CARGO_BIN_EXE_alethia"))
            .env("ALETHIA_SANDBOX_CLOUD", self.home.path().join("cloud"))
            .output()
            .expect("terraform is on the PATH")
    }

    fn ok(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.run(arguments);
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "terraform {arguments:?}\n{stdout}\n{stderr}");
        output.stdout
    }

    fn change_variables(&self, change: impl FnOnce(&mut Value)) {
        let path = self.folder().join(render::VARIABLES_FILE);
        let text = fs::read_to_string(&path).expect("it was exported");
        let mut variables = serde_json::from_str(&text).expect("variables are JSON");
        change(&mut variables);
        fs::write(&path, variables.to_string()).expect("the folder is ours");
    }

    /// Plans, and says by component what would change.
    fn plan(&self) -> BTreeMap<String, &'static str> {
        self.ok(&["plan", "-input=false", "-out=plan.bin"]);
        let json = self.ok(&["show", "-json", "plan.bin"]);
        let summary = plan_json::summarize(&json, &self.document).expect("terraform wrote a plan");
        summary.components.iter().map(|plan| (plan.component.to_string(), plan.change.as_str())).collect()
    }

    /// Plans and applies; a second plan then has nothing to do.
    fn settles(&self) {
        let made = self.plan();
        assert_eq!(made.len(), self.document.components().len());
        assert!(made.values().all(|change| *change == "create"), "{made:?}");
        self.ok(&["apply", "-input=false", "plan.bin"]);
        let second = self.run(&["plan", "-input=false", "-detailed-exitcode"]);
        assert_eq!(second.status.code(), Some(0), "{}", String::from_utf8_lossy(&second.stdout));
        self.outputs_every_component();
        self.keeps_no_secret();
    }

    /// Generated values were written to the cloud, and are not in the state.
    fn keeps_no_secret(&self) {
        let state = fs::read_to_string(self.folder().join("terraform.tfstate")).expect("the state is there");
        let state: Value = serde_json::from_str(&state).expect("the state is JSON");
        let of_type = |wanted: &'static str| {
            let resources = state["resources"].as_array().expect("the state lists resources").iter();
            resources
                .filter(move |resource| resource["type"] == wanted)
                .flat_map(|it| it["instances"].as_array())
                .flatten()
        };
        assert_eq!(of_type("random_password").count(), 0);
        let generated = self.document.secrets.iter().filter(|secret| secret.generate.is_some()).count();
        assert_eq!(of_type("aws_secretsmanager_secret_version").count(), generated);
        for version in of_type("aws_secretsmanager_secret_version") {
            for attribute in ["secret_string", "secret_string_wo", "secret_binary"] {
                let value = &version["attributes"][attribute];
                assert!(value.is_null() || value == "", "{attribute}");
            }
        }
    }

    fn outputs_every_component(&self) {
        let outputs: Value =
            serde_json::from_slice(&self.ok(&["output", "-json"])).expect("terraform writes JSON");
        let outputs = alethia_terraform::outputs::by_component(&outputs["components"]["value"]);
        let mut components = self.document.components();
        components.sort();
        assert_eq!(outputs.into_keys().collect::<Vec<_>>(), components);
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// An example, as it is or at another stage.
fn example(name: &str, stage: Option<Stage>) -> Document {
    let text = fs::read_to_string(repository().join("examples").join(name)).expect("the example is there");
    let parsed =
        |text: &str| spec::parse(name, text).unwrap_or_else(|problems| panic!("{problems:?}")).document;
    let own = parsed(&text);
    match stage {
        Some(stage) => parsed(&text.replace(&format!("stage: {}", own.stage), &format!("stage: {stage}"))),
        None => own,
    }
}

fn is_valid_at_every_stage(name: &str) {
    for stage in Stage::ALL {
        let root = Root::of(example(name, Some(stage)));
        root.ok(&["validate"]);
        let planned = root.plan();
        assert_eq!(planned.len(), root.document.components().len(), "{name} in {stage}");
    }
}

#[test]
fn no_example_goes_untested() {
    let folder = fs::read_dir(repository().join("examples")).expect("there are examples");
    let names =
        folder.map(|entry| entry.expect("the folder can be read").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".yaml")).collect();
    names.sort();
    assert_eq!(names, ["development.yaml", "minimal.yaml", "shop.yaml", "staging.yaml"]);
}

#[test]
fn the_development_example_is_valid_at_every_stage() {
    is_valid_at_every_stage("development.yaml");
}

#[test]
fn the_minimal_example_is_valid_at_every_stage() {
    is_valid_at_every_stage("minimal.yaml");
}

#[test]
fn the_shop_example_is_valid_at_every_stage() {
    is_valid_at_every_stage("shop.yaml");
}

#[test]
fn the_staging_example_is_valid_at_every_stage() {
    is_valid_at_every_stage("staging.yaml");
}

#[test]
fn a_second_plan_of_the_development_example_is_empty() {
    Root::of(example("development.yaml", None)).settles();
}

#[test]
fn a_second_plan_of_the_minimal_example_is_empty() {
    Root::of(example("minimal.yaml", None)).settles();
}

#[test]
fn a_second_plan_of_the_shop_example_is_empty() {
    Root::of(example("shop.yaml", None)).settles();
}

#[test]
fn a_second_plan_of_the_staging_example_is_empty() {
    Root::of(example("staging.yaml", None)).settles();
}

#[test]
fn ranges_stay_and_a_wish_for_others_is_refused_before_anything_changes() {
    let root = Root::of(example("development.yaml", None));
    root.plan();
    root.ok(&["apply", "-input=false", "plan.bin"]);
    for path in ["/cluster/service_cidr", "/network/cidr"] {
        let mut range = Value::Null;
        root.change_variables(|variables| {
            let field = variables.pointer_mut(path).expect("it is told");
            range = field.clone();
            *field = "10.99.0.0/16".into();
        });
        let refused = root.run(&["plan", "-input=false"]);
        let reason = String::from_utf8_lossy(&refused.stderr).replace('│', "");
        let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        let expected = format!("range {}.", range.as_str().expect("ranges are text"));
        assert!(!refused.status.success() && reason.contains(&expected), "{reason}");
    }
    root.ok(&["destroy", "-input=false", "-auto-approve"]);
}

#[test]
fn a_table_that_stops_to_expire_items_is_told_by_which_attribute_it_did() {
    let tables = example("shop.yaml", None).nosql_tables;
    let table = tables.into_iter().find(|table| table.expiry_attribute.is_some()).expect("one expires items");
    let mut document = example("minimal.yaml", None);
    document.nosql_tables = vec![table.clone()];
    let root = Root::of(document);
    root.plan();
    root.ok(&["apply", "-input=false", "plan.bin"]);
    let expiry = format!("/nosql_tables/{}/expiry_attribute", table.name);
    root.change_variables(|variables| *variables.pointer_mut(&expiry).expect("it is told") = Value::Null);
    root.plan();
    let plan: Value =
        serde_json::from_slice(&root.ok(&["show", "-json", "plan.bin"])).expect("terraform writes JSON");
    let changes = plan["resource_changes"].as_array().expect("it lists changes");
    let changed = changes.iter().find(|change| change["change"]["actions"][0] == "update");
    let after = &changed.expect("the table changes")["change"]["after"]["ttl"][0];
    assert_eq!(after["enabled"], false);
    assert_eq!(after["attribute_name"].as_str(), table.expiry_attribute.as_deref());
}

#[test]
fn a_spec_that_uses_every_field_settles_too() {
    let path = repository().join("crates/terraform/tests/maximal.json");
    let text = fs::read_to_string(path).expect("the document is there");
    Root::of(serde_json::from_str(&text).expect("the document is resolved")).settles();
}
