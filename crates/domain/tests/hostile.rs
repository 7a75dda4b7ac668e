//! Documents made to do harm: each is refused in words of ours, soon, and without much memory.

use std::time::{Duration, Instant};

use alethia_domain::spec::{self, Problem};
use serde_json::{Value, json};

const HEAD: &str = "apiVersion: alethia/v1\nkind: Spec\nname: a\nstage: staging\n\
                    cloud: { provider: aws, region: eu-west-1, identity: sandbox }\n";

/// Generous: the slowest takes a tenth of it in a debug build. What multiplies takes minutes, or all memory.
const MOST_TIME: Duration = Duration::from_secs(20);
const MOST_PROBLEM_BYTES: usize = 64 << 10;
const MOST_MEMORY_KIB: u64 = 1 << 20;

/// As much of a text as a document may have.
fn full(text: &str) -> String {
    text.repeat((spec::MAX_DOCUMENT_BYTES - 300) / text.len())
}

fn refused(text: &str) -> Vec<Problem> {
    let problems = within_bounds(|| spec::parse("a.yaml", text)).expect_err("it is no Spec");
    assert_told(&problems);
    problems
}

fn refused_json(written: &Value) -> Vec<Problem> {
    let problems = within_bounds(|| spec::resolve(written)).expect_err("it is no Spec");
    assert_told(&problems);
    problems
}

fn assert_told(problems: &[Problem]) {
    assert!(!problems.is_empty() && problems.len() <= 501, "{} problems", problems.len());
    let longest = problems.iter().map(|problem| problem.to_string().len()).max().unwrap_or(0);
    assert!(longest <= MOST_PROBLEM_BYTES, "a problem of {longest} bytes");
}

fn within_bounds<T>(read: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let answer = read();
    let (time, memory) = (start.elapsed(), peak_memory_kib());
    assert!(time < MOST_TIME, "it took {time:?}");
    assert!(memory < MOST_MEMORY_KIB, "it took {memory} KiB");
    answer
}

/// The most memory that this process ever had; nothing where the system does not tell.
fn peak_memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[test]
fn one_mark_over_and_over_is_refused() {
    for mark in [
        "[", "{", "- ", "? ", ": ", "&a ", "*a", "!a ", "'", "\"", "|\n", ">", "a: ", "a:\n", "#", "%", "\t",
        "\r", "---\n", "\\", "[]", "{}", "- - ", "[a,", "{a: ", "?\n", "-\n", "://", "é", "\u{0}", "<<: ",
        ",", "}", "]", "\n ", "a\n",
    ] {
        let text = full(mark);
        refused(&text);
        refused(&format!("{HEAD}queues: {text}"));
    }
}

#[test]
fn a_list_in_place_of_everything_is_refused() {
    let ones = format!("[{}1]", "1,".repeat(90_000));
    for section in ["databases", "topics", "cloud", "name", "unknown"] {
        refused(&format!("{HEAD}{section}: {ones}"));
        let mut written = json!({ "apiVersion": "alethia/v1", "kind": "Spec" });
        written[section] = vec![1; 90_000].into();
        refused_json(&written);
    }
}

#[test]
fn very_many_components_are_refused() {
    for item in ["{name: a},", "{name: a, x: 1},", "{},"] {
        let items = item.repeat(30_000);
        for section in ["queues", "topics"] {
            let problems = refused(&format!("{HEAD}{section}: [{items}]"));
            assert!(problems.iter().any(|problem| problem.message == "the list is too long"), "{section}");
        }
    }
}

#[test]
fn more_problems_than_anybody_reads_are_summed_up() {
    let keys: String = (0..20_000).map(|key| format!("k{key}: 1\n")).collect();
    let problems = refused(&format!("{HEAD}{keys}"));
    assert_eq!(problems.len(), 501);
    assert_eq!(problems[500].to_string(), "a.yaml: more is wrong than these 500 problems");
}

#[test]
fn what_an_alias_stands_for_counts_each_time() {
    let long = "x".repeat(400_000);
    let text = format!("a: &a {long}\nb: [{}]\n", "*a,".repeat(90_000));
    assert_eq!(refused(&text)[0].message, "the document holds too much");
}

#[test]
fn long_keys_do_not_multiply() {
    let problems = refused(&format!("{}: [{}]\n", "k".repeat(1000), "1,".repeat(90_000)));
    assert_eq!(problems[0].message, "the document holds too much");
    let problems = refused(&format!("{HEAD}? {}\n: [1]\n", "k".repeat(100_000)));
    assert_eq!(problems[0].to_string(), "a.yaml:6:3: a key is too long; allowed: at most 1024 bytes");
    let problems = refused_json(&json!({ "k".repeat(1 << 20): vec![1; 100_000] }));
    assert_eq!(problems[0].to_string(), "a key is too long; allowed: at most 1024 bytes");
}

#[test]
fn nesting_of_json_is_bounded_as_that_of_yaml() {
    let deep = (0..120).fold(Value::Null, |inner, _| json!({ "labels": inner }));
    assert_eq!(refused_json(&deep)[0].message, "nested too deeply");
}

#[test]
fn ten_megabytes_in_a_label_or_a_name_are_refused_and_not_repeated() {
    let long = "x".repeat(10 << 20);
    for field in ["name", "stage", "kind", "zone"] {
        let mut written = json!({ "apiVersion": "alethia/v1", "kind": "Spec" });
        written[field] = long.clone().into();
        let told: usize = refused_json(&written).iter().map(|problem| problem.to_string().len()).sum();
        assert!(told < 5_000, "{field}: {told}");
    }
    let mut written = spec::parse("a.yaml", HEAD).unwrap().written;
    for part in ["region", "identity", "provider"] {
        written["cloud"][part] = "://x@".repeat(1 << 17).into();
        refused_json(&written);
        written["cloud"][part] = long.clone().into();
        refused_json(&written);
    }
}

#[test]
fn a_text_full_of_addresses_is_shown_without_their_passwords() {
    let text = format!("{HEAD}network: \"{}\"\n", "a://me:secret@".repeat(50_000));
    let told = format!("{:?}", refused(&text));
    assert!(told.contains("***@") && !told.contains("secret"));
}

#[test]
fn every_beginning_of_a_document_is_read_or_refused() {
    let shop = include_str!("../../../examples/shop.yaml");
    for (end, _) in shop.char_indices().step_by(13) {
        if let Err(problems) = spec::parse("shop.yaml", &shop[..end]) {
            assert_told(&problems);
        }
    }
}

#[test]
fn a_path_in_a_name_is_refused() {
    for name in ["../../etc/passwd", "..", "a/b", "a\\\\b", "/etc", "a\\0b", "a%2fb", ".", "C:"] {
        let head = HEAD.replace("name: a\n", &format!("name: \"{name}\"\n"));
        assert!(refused(&head).iter().all(|problem| problem.path == "name"), "{name}");
        let problems = refused(&format!("{HEAD}secrets: [{{ name: \"{name}\" }}]\n"));
        assert!(problems.iter().all(|problem| problem.path == "secrets[0].name"), "{name}");
    }
}

#[test]
fn the_second_of_two_equal_keys_is_pointed_at_wherever_they_are() {
    for (text, line) in [
        (format!("{HEAD}name: b\n"), 6),
        (format!("{HEAD}secrets:\n  - name: b\n    name: c\n"), 8),
        (format!("{HEAD}secrets: [{{ name: b, \"name\": c }}]\n"), 6),
    ] {
        let problems = refused(&text);
        let twice: Vec<_> =
            problems.iter().filter(|problem| problem.message == "the key is there twice").collect();
        assert_eq!(twice.len(), 1, "{problems:#?}");
        assert_eq!(twice[0].line, Some(line));
    }
}
