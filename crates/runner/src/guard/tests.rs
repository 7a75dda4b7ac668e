use std::os::unix::process::ExitStatusExt;

use alethia_domain::lifecycle::JobType;

use super::*;
use crate::{config::GuardProgram, test_console::claim_of};

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

#[test]
fn a_terraform_that_comes_after_the_interrupt_is_interrupted_all_the_same() {
    let mut terraform = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let mut guard = Guard::default();
    guard.obey(Order::Interrupt).unwrap();
    guard.obey(Order::Watch(Pid::from_child(&terraform))).unwrap();
    assert_eq!(terraform.wait().unwrap().signal(), Some(Signal::INT.as_raw()));
}

#[test]
fn a_front_that_comes_after_the_interrupt_waits_for_nobody() {
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut guard = Guard { door: Some(door), ..Guard::default() };
    guard.obey(Order::Interrupt).unwrap();
    guard.obey(Order::Serve(Backend::of(&claim_of(JobType::Deploy), "http://127.0.0.1:1"))).unwrap();
    assert!(guard.front.unwrap().is_in_a_hurry());
}

/// No test by itself: the others start it in a process of its own.
#[test]
fn stands_guard_where_it_is_told_to() {
    if std::env::var_os(MARK).is_some() {
        assert_eq!(stand(), ExitCode::SUCCESS);
    }
}
