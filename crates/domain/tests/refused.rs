//! What is refused, and in which words: one snapshot for each file in `tests/refused/`.

use std::{fs, path::PathBuf};

use alethia_domain::spec;

#[test]
fn every_mistake_is_told_with_its_place_and_what_would_be_right() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/refused");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let problems = spec::parse(&name, &fs::read_to_string(&file).unwrap()).expect_err(&name);
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(name.trim_end_matches(".yaml").to_owned(), lines.join("\n"));
    }
}
