//! No secret is at rest: not in states, plans, logs, the database, blobs or what commands print.
//!
//! Secrets that are known are planted. The one that the cloud makes is known to nobody; the sandbox keeps a salted mark of
//! it, and every run of characters that it could be is checked against that.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::common::{Ran, User, example};

const PLANTED_KEY: &str = "planted/of+the/runners/environment/0123456";
/// Length of the generated secret `session-key`, which has letters and digits alone.
const GENERATED_LENGTH: usize = 64;

/// Something in which no secret may be.
struct Haystack {
    name: String,
    bytes: Vec<u8>,
}

#[test]
fn no_secret_is_at_rest_or_told() {
    let user = User::embedded();
    let file = user.spec_file(&example("shop.yaml"));
    let leak = format!("denied to {PLANTED_KEY}");
    user.ok(&[
        "sandbox",
        "faults",
        "add",
        "aws_sqs_queue.*thumbnails*",
        "--operation",
        "create",
        "--fail",
        &leak,
    ]);
    let failed = with_key(&user, &["apply", "-y", &file]);
    assert_eq!(failed.code, 1, "{}", failed.stderr);
    assert!(failed.stderr.contains("denied to"), "{}", failed.stderr);
    user.ok(&["sandbox", "faults", "clear"]);
    let applied = with_key(&user, &["apply", "-y", &file, "--output", "json"]);
    assert_eq!(applied.code, 0, "{}", applied.stderr);

    let mut haystacks = files_of(&user);
    haystacks.extend(states(&user));
    haystacks.extend(logs(&user));
    for (name, ran) in [("failed apply", failed), ("apply", applied)] {
        haystacks.push(Haystack { name: format!("{name} stdout"), bytes: ran.stdout.into() });
        haystacks.push(Haystack { name: format!("{name} stderr"), bytes: ran.stderr.into() });
    }
    let owner_token = fs::read_to_string(user.data().join("owner-token")).unwrap();
    let mark = mark_of_the_generated_secret(&user);
    for haystack in &haystacks {
        assert!(!holds(haystack, PLANTED_KEY), "the Runner's key is in {}", haystack.name);
        assert!(!holds(haystack, owner_token.trim()), "the owner's token is in {}", haystack.name);
        assert!(!holds_marked(&haystack.bytes, &mark), "the generated secret is in {}", haystack.name);
    }
}

/// The search itself finds what it searches for.
#[test]
fn a_marked_secret_is_found_wherever_it_stands() {
    let secret = "s3cret".repeat(11)[..GENERATED_LENGTH].to_owned();
    let salt = [7; 16];
    let mark = (salt.to_vec(), hash(&salt, secret.as_bytes()));
    assert!(holds_marked(format!("abc{secret}def, x").as_bytes(), &mark));
    assert!(!holds_marked(format!("abc{}x{}", &secret[..40], &secret[40..]).as_bytes(), &mark));
}

fn with_key(user: &User, arguments: &[&str]) -> Ran {
    user.command(arguments).env("AWS_SECRET_ACCESS_KEY", PLANTED_KEY).output().unwrap().into()
}

/// Every file of the platform but the owner's token itself. The sandbox cloud is not the platform's.
fn files_of(user: &User) -> Vec<Haystack> {
    let mut files = Vec::new();
    collect(&user.data(), &mut files);
    let (token, cloud) = (user.data().join("owner-token"), user.data().join("sandbox"));
    files
        .into_iter()
        .filter(|path| *path != token && !path.starts_with(&cloud))
        .map(|path| Haystack { bytes: fs::read(&path).unwrap(), name: path.display().to_string() })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), files);
        } else if entry.file_type().unwrap().is_file() {
            files.push(entry.path());
        }
    }
}

/// Every version of the state, in clear.
fn states(user: &User) -> Vec<Haystack> {
    let versions = user.json(&["state", "versions", "shop"]);
    let versions = versions.as_array().unwrap();
    assert!(!versions.is_empty());
    let content = |version: &Value| {
        let serial = version["serial"].to_string();
        let state = user.ok(&["state", "show", "shop", "--content", "--serial", &serial]).stdout;
        assert!(state.contains("aws_rds_cluster") || state.contains("\"resources\""), "{state}");
        Haystack { name: format!("state {serial}"), bytes: state.into() }
    };
    versions.iter().map(content).collect()
}

fn logs(user: &User) -> Vec<Haystack> {
    let jobs = user.json(&["jobs", "list"]);
    let log = |job: &Value| {
        let id = job["id"].as_str().unwrap();
        let log = user.ok(&["jobs", "logs", id]).stdout;
        assert!(log.contains("== prepare =="), "{log}");
        Haystack { name: format!("log of {}", job["type"]), bytes: log.into() }
    };
    jobs.as_array().unwrap().iter().map(log).collect()
}

fn holds(haystack: &Haystack, needle: &str) -> bool {
    haystack.bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// Salt and hash of the value that only the cloud knows.
fn mark_of_the_generated_secret(user: &User) -> (Vec<u8>, Vec<u8>) {
    let folder = user.data().join("sandbox/cloud/aws_secretsmanager_secret_version");
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "only session-key has a generated value");
    let version: Value = serde_json::from_slice(&fs::read(&files[0]).unwrap()).unwrap();
    let mark = version["secrets"]["secret_string_wo"].as_str().unwrap().to_owned();
    let parts: Vec<&str> = mark.split(':').collect();
    (from_hex(parts[1]), from_hex(parts[2]))
}

fn holds_marked(bytes: &[u8], (salt, expected): &(Vec<u8>, Vec<u8>)) -> bool {
    bytes
        .split(|byte| !byte.is_ascii_alphanumeric())
        .flat_map(|run| run.windows(GENERATED_LENGTH))
        .any(|candidate| hash(salt, candidate) == *expected)
}

/// The mark that the sandbox keeps: SHA-256 of the salt and of the text as msgpack.
fn hash(salt: &[u8], text: &[u8]) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    Sha256::new().chain_update(salt).chain_update([0xd9, length]).chain_update(text).finalize().to_vec()
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
