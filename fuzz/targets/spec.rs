//! Any text as a Spec: problems that a person can read, or a document that prints as it was read.
//!
//! What prints, explains or travels as JSON must mean the same document; a refusal must stay short, whatever was sent.

#![no_main]

use alethia_domain::spec::{self, Document, Problem};
use libfuzzer_sys::fuzz_target;

/// Longest line that a problem may print: a key, a value cut short, and what is allowed.
const MAX_PROBLEM_BYTES: usize = 64 << 10;

fuzz_target!(|text: &str| {
    match spec::parse("any.yaml", text) {
        Ok(parsed) => {
            reads_as(&spec::print(&parsed.document), &parsed.document);
            reads_as(&spec::explain(&parsed), &parsed.document);
            reads_as(&parsed.written.to_string(), &parsed.document);
            reads_as(&spec::print_value(&parsed.written), &parsed.document);
            assert_eq!(spec::resolve(&parsed.written).as_ref(), Ok(&parsed.document));
            assert_eq!(spec::diff(&parsed.written, &parsed.written), []);
        }
        Err(problems) => is_readable(&problems),
    }
    if let Ok(value) = serde_json::from_str(text)
        && let Err(problems) = spec::resolve(&value)
    {
        is_readable(&problems);
    }
});

fn reads_as(text: &str, document: &Document) {
    match spec::parse("printed.yaml", text) {
        Ok(parsed) => assert_eq!(&parsed.document, document, "{text}"),
        Err(problems) => panic!("{text}\n{problems:#?}"),
    }
}

fn is_readable(problems: &[Problem]) {
    assert!(!problems.is_empty(), "a refusal says why");
    for problem in problems {
        assert!(!problem.message.is_empty() && problem.to_string().len() <= MAX_PROBLEM_BYTES, "{problem:?}");
    }
}
