//! A Terraform root of its own, in front of a cloud of its own.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use alethia_sandbox::cloud::Cloud;
use alethia_sandbox::mirror;
use serde_json::Value;

const APPLY: [&str; 3] = ["apply", "-auto-approve", "-input=false"];

pub(crate) struct Stack {
    folder: tempfile::TempDir,
    environment: BTreeMap<String, String>,
}

/// How a Terraform command ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) text: String,
}

impl Stack {
    /// A root with this configuration, initialised.
    pub(crate) fn new(configuration: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mirror = mirror::write(&folder.path().join("mirror")).unwrap();
        let environment = mirror.environment(&plugin(), &folder.path().join("cloud"));
        fs::create_dir(folder.path().join("root")).unwrap();
        let stack = Self { folder, environment };
        stack.configure(configuration);
        stack.run(&["init"]).succeeds();
        stack
    }

    /// Another root in front of the same cloud.
    pub(crate) fn configure(&self, configuration: &str) {
        let versions = include_str!("fixtures/versions.tf");
        fs::write(self.root().join("versions.tf"), versions).unwrap();
        fs::write(self.root().join("main.tf"), configuration).unwrap();
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().expect("terraform is on PATH"))
    }

    pub(crate) fn apply(&self) -> Ran {
        self.run(&APPLY)
    }

    /// Begins an apply, interrupts it as soon as the condition holds, and waits for its end.
    pub(crate) fn interrupt_apply(&self, condition: impl Fn() -> bool) -> Ran {
        let mut command = self.command(&APPLY);
        let apply =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("terraform is on PATH");
        let deadline = Instant::now() + Duration::from_secs(30);
        while !condition() {
            assert!(Instant::now() < deadline, "nothing happened that could be interrupted");
            thread::sleep(Duration::from_millis(20));
        }
        let interrupt = Command::new("kill").args(["-INT", &apply.id().to_string()]).status().unwrap();
        assert!(interrupt.success());
        Ran::of(apply.wait_with_output().unwrap())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("terraform");
        command.args(arguments).current_dir(self.root()).envs(&self.environment);
        command.env("TF_IN_AUTOMATION", "1").env("TF_CLI_ARGS", "-no-color").env_remove("AWS_REGION");
        command
    }

    /// The changes that a plan sees, as `action address`.
    pub(crate) fn planned(&self) -> Vec<String> {
        self.run(&["plan", "-input=false", "-out=plan.bin"]).succeeds();
        let plan = self.json(&["show", "-json", "plan.bin"]);
        let changes = plan["resource_changes"].as_array().into_iter().flatten();
        let changes =
            changes.filter(|change| change["mode"] == "managed" && change["change"]["actions"][0] != "no-op");
        changes
            .map(|change| format!("{} {}", actions(&change["change"]["actions"]), text(&change["address"])))
            .collect()
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(arguments).succeeds();
        serde_json::from_str(&ran.text).unwrap_or_else(|error| panic!("{error} in {}", ran.text))
    }

    pub(crate) fn outputs(&self) -> Value {
        self.json(&["output", "-json"])
    }

    pub(crate) fn cloud(&self) -> Cloud {
        Cloud::open(self.cloud_folder()).unwrap()
    }

    pub(crate) fn cloud_folder(&self) -> PathBuf {
        self.folder.path().join("cloud")
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Self { code: output.status.code().unwrap_or(-1), text: text.concat() }
    }

    pub(crate) fn succeeds(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.text);
        self
    }

    /// Fails, saying all of these in spite of line breaks.
    pub(crate) fn fails_with(self, sentences: &[&str]) -> Self {
        assert_ne!(self.code, 0, "{}", self.text);
        let words: Vec<&str> = self.text.split_whitespace().filter(|word| *word != "│").collect();
        let text = words.join(" ");
        for sentence in sentences {
            assert!(text.contains(sentence), "{sentence:?} is not in {text}");
        }
        self
    }
}

/// Every byte of every file in a folder.
pub(crate) fn all_bytes(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(all_bytes(&path));
        } else {
            bytes.extend(fs::read(&path).unwrap());
        }
    }
    bytes
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not text")).to_owned()
}

fn actions(value: &Value) -> String {
    value.as_array().unwrap().iter().map(text).collect::<Vec<_>>().join("-")
}

/// The program beside the test's own, which the packages of the mirror start.
fn plugin() -> PathBuf {
    let test = env::current_exe().unwrap();
    let plugin = test.ancestors().nth(2).unwrap().join("examples/plugin");
    assert!(plugin.exists(), "{} is built together with the tests", plugin.display());
    plugin
}
