//! Runs the real binary against folders of its own, as a user would.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use alethia_testkit::processes;
use serde_json::Value;
use tempfile::TempDir;

/// One user with a data folder, a sandbox cloud and Spec files of their own.
pub(crate) struct User {
    home: TempDir,
    /// Console to speak to and the token for it; embedded mode when there is none.
    console: Option<(String, String)>,
}

/// How a command ended.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl User {
    /// A user of embedded mode.
    pub(crate) fn embedded() -> Self {
        Self { home: tempfile::tempdir().unwrap(), console: None }
    }

    /// A user of a Console that runs elsewhere.
    pub(crate) fn of(address: &str, token: &str) -> Self {
        Self { console: Some((address.to_owned(), token.to_owned())), ..Self::embedded() }
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.home().join("data")
    }

    /// Writes a Spec file from a document and says where.
    pub(crate) fn spec_file(&self, document: &Value) -> String {
        let path = self.home().join("spec.json");
        fs::write(&path, serde_json::to_vec_pretty(document).unwrap()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }

    /// Runs a command that must end well.
    pub(crate) fn ok(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "alethia {arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
        ran
    }

    /// Runs a command that must end well and print one JSON document.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--output", "json"]).collect();
        self.ok(&arguments).json()
    }

    /// From now on the sandbox cloud of a data folder takes its time to create such resources.
    pub(crate) fn slow_creation(&self, resources: &str, milliseconds: u32, data: &str) {
        let latency = milliseconds.to_string();
        let slow = [resources, "--operation", "create", "--latency-ms", &latency, "--data-dir", data];
        self.ok(&[&["sandbox", "faults", "add"][..], &slow].concat());
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = binary(self.home());
        command.args(arguments).env("ALETHIA_DATA_DIR", self.data());
        if let Some((address, token)) = &self.console {
            command.env("ALETHIA_SERVER", address).env("ALETHIA_TOKEN", token);
        }
        command
    }
}

impl Ran {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in\n{}\n{}", self.stdout, self.stderr))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The binary with an environment that holds nothing of the person who runs the tests.
pub(crate) fn binary(home: &Path) -> Command {
    processes::command(env!("CARGO_BIN_EXE_alethia"), home)
}

/// Every resource of the sandbox cloud of a data folder, with the time of its making.
pub(crate) fn cloud(user: &User, data: &str) -> BTreeMap<String, String> {
    let resources = user.json(&["sandbox", "list", "--data-dir", data]);
    let resources = resources.as_array().unwrap().iter();
    resources
        .map(|resource| (format!("{} {}", resource["type"], resource["id"]), resource["created"].to_string()))
        .collect()
}

/// A document of `examples/`, as JSON.
pub(crate) fn example(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    let text = fs::read_to_string(&path).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

/// Status of every component of a Spec, as `kind.name` or `kind`.
pub(crate) fn statuses(spec: &Value) -> BTreeMap<String, String> {
    spec["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|component| {
            let (kind, name) = (component["kind"].as_str().unwrap(), component["name"].as_str().unwrap());
            let key = if kind == name { kind.to_owned() } else { format!("{kind}.{name}") };
            (key, component["status"].as_str().unwrap().to_owned())
        })
        .collect()
}
