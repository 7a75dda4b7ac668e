//! The harness must notice a planted bug, and nothing where there is none: the same story against a Console that does not
//! look at fences, and against the real one.
//!
//! The real binaries are those of the build that the tests are part of: `cargo build --workspace --all-targets`.
#![expect(clippy::unwrap_used, reason = "a test that can't go on says so by panicking")]

use std::{path::PathBuf, time::Duration};

use alethia_chaos::{Report, Settings, find_terraform, frozen_runner};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_that_does_not_look_at_fences_is_found_out() {
    let report = story(Some(env!("CARGO_BIN_EXE_console-without-fences").into())).await;
    let found = report.violations.iter().any(|violation| violation.contains("had no attempt then"));
    assert!(found, "the planted bug was not noticed:\n{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_console_refuses_what_comes_too_late() {
    let report = story(None).await;
    assert_eq!(report.violations, Vec::<String>::new(), "{report}");
    assert_eq!(report.jobs.get("DEPLOY FAILED RunnerLost"), Some(&1), "{report}");
}

async fn story(console: Option<PathBuf>) -> Report {
    let folder = tempfile::Builder::new().prefix("alethia-chaos-").tempdir().unwrap();
    let stand_in = PathBuf::from(env!("CARGO_BIN_EXE_chaos-terraform"));
    let alethia = stand_in.with_file_name("alethia");
    assert!(alethia.is_file(), "{} is missing: cargo build -p alethia", alethia.display());
    let settings = Settings {
        seed: 1,
        length: Duration::ZERO,
        alethia,
        console,
        stand_in,
        terraform: find_terraform().unwrap(),
        folder: folder.path().to_owned(),
        consoles: 1,
        runners: 1,
        specs: 0,
        lease: 10,
        is_loud: false,
    };
    frozen_runner(settings).await.unwrap()
}
