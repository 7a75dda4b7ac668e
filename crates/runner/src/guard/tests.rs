use super::*;
use crate::config::GuardProgram;

pub(crate) use super::front::tests::Way;

/// Says to this test's own executable that it is to be a guard.
const MARK: &str = "ALETHIA_BE_THE_GUARD";

/// This test's own executable as a guard.
pub(crate) fn program() -> GuardProgram {
    let itself = std::env::current_exe().unwrap();
    let words = ["guard::tests::stands_guard_where_it_is_told_to", "--exact", "--nocapture"];
    let arguments = [&format!("{MARK}=1"), itself.to_str().unwrap()];
    GuardProgram {
        path: "/usr/bin/env".into(),
        arguments: arguments.into_iter().map(String::from).chain(words.map(str::to_owned)).collect(),
    }
}

/// Limits that no test comes to.
pub(crate) fn far() -> Limits {
    let hour = std::time::Duration::from_secs(3600);
    Limits { interrupt_at: Moment::now() + hour, kill_at: Moment::now() + hour }
}

/// No test by itself: the others start it in a process of its own.
#[test]
fn stands_guard_where_it_is_told_to() {
    if std::env::var_os(MARK).is_some() {
        assert_eq!(stand(), ExitCode::SUCCESS);
    }
}
