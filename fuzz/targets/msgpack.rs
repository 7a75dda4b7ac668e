//! Any bytes as a value that Terraform sends to the sandbox: no value, or one that is written as it was read.
//!
//! The same value then is the configuration of some resources, of plain and of nested schemas, which are validated and
//! planned. Answers may be refusals; they come, and nothing panics.

#![no_main]

use std::sync::LazyLock;

use alethia_sandbox::fuzzing::{Plugin, reencode};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

const TYPES: [&str; 5] = [
    "aws_sqs_queue",
    "aws_dynamodb_table",
    "aws_eks_cluster",
    "aws_security_group",
    "aws_secretsmanager_secret_version",
];

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().build().expect("a runtime needs no system"));

static PLUGIN: LazyLock<Plugin> = LazyLock::new(|| {
    let cloud = std::env::temp_dir().join(format!("alethia-fuzz-{}", std::process::id()));
    Plugin::open(cloud).expect("the temporary folder can be written")
});

fuzz_target!(|bytes: &[u8]| {
    let Some(again) = reencode(bytes) else {
        assert_eq!(RUNTIME.block_on(PLUGIN.try_out(TYPES[0], bytes)), 0, "what is no value is refused");
        return;
    };
    assert_eq!(reencode(&again).as_ref(), Some(&again), "a value stays as it is");
    for kind in TYPES {
        RUNTIME.block_on(PLUGIN.try_out(kind, bytes));
    }
});
