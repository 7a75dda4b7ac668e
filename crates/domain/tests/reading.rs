//! What counts as the same document: line ends, marks and spellings of JSON and YAML.

use alethia_domain::spec;

const HEAD: &str = "apiVersion: alethia/v1\nkind: Spec\nname: a\nstage: staging\n\
                    cloud: { provider: aws, region: eu-west-1, identity: sandbox }\n";

fn secret_description(text: &str) -> Option<String> {
    let parsed = spec::parse("a.yaml", text).unwrap_or_else(|problems| panic!("{text}\n{problems:#?}"));
    parsed.document.secrets[0].description.clone()
}

#[test]
fn line_ends_and_byte_order_marks_do_not_matter() {
    let text = format!("{HEAD}secrets:\n  - name: a\n    description: text\n");
    for text in [text.replace('\n', "\r\n"), format!("\u{feff}{text}"), format!("---\n{text}...\n"), text] {
        assert_eq!(secret_description(&text).as_deref(), Some("text"));
    }
}

#[test]
fn json_is_read_with_tabs_and_escapes() {
    let text = "{\n\t\"apiVersion\": \"alethia\\/v1\", \"kind\": \"Spec\", \"name\": \"a\", \"stage\": \"staging\",\n\
        \t\"cloud\": {\"provider\": \"aws\", \"region\": \"eu-west-1\", \"identity\": \"sandbox\"},\n\
        \t\"secrets\": [{\"name\": \"a\", \"description\": \"\\ud83d\\ude00\\u00e9\\n\"}]\n}";
    assert_eq!(secret_description(text).as_deref(), Some("😀é\n"));
}

#[test]
fn anchors_may_be_used_where_they_save_words() {
    let text = format!(
        "{HEAD}queues:\n  - name: a\n    dead_letter: &dead {{ max_receives: 3 }}\n  - name: b\n    dead_letter: *dead\n"
    );
    let document = spec::parse("a.yaml", &text).unwrap().document;
    assert_eq!(document.queues[0].dead_letter, document.queues[1].dead_letter);
}

#[test]
fn numbers_may_be_written_with_a_fraction_of_zero() {
    let text = format!("{HEAD}network: {{ availability_zones: 2.0 }}\n");
    assert_eq!(spec::parse("a.yaml", &text).unwrap().document.network.unwrap().availability_zones, 2);
}

#[test]
fn a_document_that_is_too_large_is_not_read() {
    let text = format!("{HEAD}#{}", "x".repeat(spec::MAX_DOCUMENT_BYTES));
    let problems = spec::parse("a.yaml", &text).unwrap_err();
    assert_eq!(problems[0].to_string(), "a.yaml:1:1: the document has 1048697 bytes; allowed: at most 1 MiB");
}

#[test]
fn a_problem_of_json_has_a_path_and_no_line() {
    let problems = spec::resolve(&serde_json::json!({ "name": "A" })).unwrap_err();
    let problem = problems.iter().find(|problem| problem.path == "name").unwrap();
    assert!(problem.line.is_none() && problem.file.is_none());
    assert!(problem.to_string().starts_with("name: \"A\" is not valid; allowed: 1 to 40 lower-case letters"));
}

#[test]
fn passwords_in_addresses_are_not_repeated() {
    let text =
        format!("{HEAD}repositories:\n  applications:\n    url: https://me:secret@example.com/a.git\n");
    let problems = format!("{:?}", spec::parse("a.yaml", &text).unwrap_err());
    assert!(problems.contains("https://***@example.com/a.git") && !problems.contains("secret"), "{problems}");
}
