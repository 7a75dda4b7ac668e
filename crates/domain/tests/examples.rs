//! Every example is a document that people copy: it is valid, at every stage, and prints as it was read.

use std::{fs, path::PathBuf};

use alethia_domain::{
    component::ComponentKind,
    spec::{self, Parsed, Problem},
    stage::Stage,
};

fn examples() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let files = fs::read_dir(folder).expect("the examples are beside the crates");
    let paths = files.map(|file| file.expect("the folder can be read").path());
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (name, fs::read_to_string(path).expect("an example is text"))
    };
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yaml");
    let mut examples: Vec<(String, String)> = paths.filter(is_yaml).map(read).collect();
    examples.sort();
    examples
}

fn parse(name: &str, text: &str) -> Parsed {
    let lines =
        |problems: Vec<Problem>| problems.iter().map(|problem| format!("{problem}\n")).collect::<String>();
    spec::parse(name, text).unwrap_or_else(|problems| panic!("\n{}", lines(problems)))
}

#[test]
fn every_example_is_valid_at_every_stage() {
    for (name, text) in examples() {
        let own = parse(&name, &text).document.stage;
        for stage in Stage::ALL {
            parse(&name, &text.replace(&format!("stage: {own}"), &format!("stage: {stage}")));
        }
    }
}

#[test]
fn every_example_prints_as_it_was_read() {
    for (name, text) in examples() {
        let parsed = parse(&name, &text);
        let printed = spec::print(&parsed.document);
        assert_eq!(parse(&name, &printed).document, parsed.document, "{printed}");
        assert_eq!(spec::resolve(&parsed.written).unwrap(), parsed.document);
    }
}

#[test]
fn the_shop_uses_every_kind() {
    let shop = examples().into_iter().find(|(name, _)| name == "shop.yaml").unwrap();
    let components = parse("shop.yaml", &shop.1).document.components();
    for kind in ComponentKind::ALL {
        assert!(components.iter().any(|component| component.kind == kind), "{kind}");
    }
}

#[test]
fn explain_says_where_every_value_comes_from() {
    for (name, text) in examples() {
        insta::assert_snapshot!(
            format!("explain-{}", name.trim_end_matches(".yaml")),
            spec::explain(&parse(&name, &text))
        );
    }
}
