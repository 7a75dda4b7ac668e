use std::time::Instant;

use alethia_domain::lifecycle::JobType;
use alethia_testkit::fake_terraform::{FakeTerraform, Installed, Mode};
use rustix::process::test_kill_process;

use super::*;
use crate::{
    guard::tests::{self as guard, Way},
    test_console::{TestConsole, claim_of},
};

/// Limits that nobody comes to.
fn far() -> watch::Receiver<Limits> {
    watch::channel(guard::far()).1
}

/// Limits that come so soon, one after the other.
fn soon(interrupt_in: Duration, kill_in: Duration) -> watch::Receiver<Limits> {
    let now = Moment::now();
    watch::channel(Limits { interrupt_at: now + interrupt_in, kill_at: now + kill_in }).1
}

#[derive(Default)]
struct Kept {
    lines: Vec<(Source, String)>,
}

impl Sink for Kept {
    async fn line(&mut self, source: Source, line: String) {
        self.lines.push((source, line));
    }
}

/// What the programs of these tests stand on.
struct Ground {
    environment: BTreeMap<String, String>,
    guard: GuardProgram,
    backend: Backend,
}

impl Ground {
    fn new() -> Self {
        let only = [("PATH", "/usr/bin:/bin"), ("ONLY", "this")];
        let environment = only.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let backend = Backend::of(&claim_of(JobType::Deploy), "http://127.0.0.1:9");
        Self { environment, guard: guard::program(), backend }
    }

    /// A program whose lease goes on.
    fn program<'a>(&'a self, path: &'a Path, arguments: &'a [&'a str]) -> Program<'a> {
        Program {
            path,
            arguments,
            folder: Path::new("/"),
            environment: &self.environment,
            backend: &self.backend,
            output: None,
            guard: &self.guard,
            limits: far(),
        }
    }
}

async fn run_shell(script: &str, stop: &StopSignal) -> (Ended, Kept) {
    let (ground, mut kept) = (Ground::new(), Kept::default());
    let arguments = ["-c", script];
    let program = ground.program(Path::new("/bin/sh"), &arguments);
    let ended = run(program, stop, Duration::from_millis(200), &mut kept).await.unwrap();
    (ended, kept)
}

/// Runs a fake `apply` that hangs and stops it once it does.
async fn stop_hanging(mode: Mode, grace: Duration, reason: Stop) -> (Ended, Installed) {
    let fake = FakeTerraform::new().apply(mode).install().unwrap();
    let (ground, stop, mut kept) = (Ground::new(), StopSignal::new(), Kept::default());
    let path = fake.path();
    let program = ground.program(&path, &["apply"]);
    let raise = async {
        until(|| !fake.hanging().is_empty()).await;
        stop.raise(reason);
    };
    let (ended, ()) = tokio::join!(run(program, &stop, grace, &mut kept), raise);
    (ended.unwrap(), fake)
}

async fn until(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
}

/// Also when it has ended and the machine's first process has not yet noticed.
fn is_gone(id: &i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    test_kill_process(Pid::from_raw(*id).unwrap()).is_err() || stat.contains(") Z ")
}

#[tokio::test]
async fn both_outputs_arrive_line_by_line_and_the_environment_is_only_what_was_given() {
    let script = "printf 'a\\n\\nb'; echo c >&2; env";
    let (ended, kept) = run_shell(script, &StopSignal::new()).await;
    assert!(ended.status.success());
    let of = |wanted| {
        kept.lines.iter().filter(move |(source, _)| *source == wanted).map(|(_, line)| line.as_str())
    };
    let out: Vec<&str> = of(Source::Out).collect();
    assert_eq!(&out[..2], ["a", ""]);
    assert_eq!(of(Source::Err).collect::<Vec<_>>(), ["c"]);
    assert!(out.contains(&"ONLY=this") && !out.iter().any(|line| line.starts_with("HOME=")), "{out:?}");
}

#[tokio::test]
async fn what_a_program_writes_is_private() {
    let (_, kept) = run_shell("umask", &StopSignal::new()).await;
    assert_eq!(kept.lines, [(Source::Out, "0077".to_owned())]);
}

#[tokio::test]
async fn an_interrupt_is_enough_for_a_program_that_heeds_it() {
    let (ended, fake) = stop_hanging(Mode::Hang, Duration::from_secs(20), Stop::Cancel).await;
    assert_eq!(ended.interrupted, Some(Stop::Cancel));
    assert_eq!(ended.status.code(), Some(1));
    until(|| fake.hanging().iter().all(is_gone)).await;
}

#[tokio::test]
async fn a_program_that_ignores_interrupts_is_killed_with_its_children() {
    let (ended, fake) = stop_hanging(Mode::IgnoreInterrupt, Duration::from_millis(50), Stop::Cancel).await;
    assert_eq!(ended.interrupted, Some(Stop::Cancel));
    assert!(!ended.status.success());
    assert_eq!(fake.hanging().len(), 2);
    until(|| fake.hanging().iter().all(is_gone)).await;
}

#[tokio::test]
async fn a_lost_lease_kills_without_any_grace() {
    let begun = Instant::now();
    let (ended, fake) = stop_hanging(Mode::IgnoreInterrupt, Duration::from_secs(3600), Stop::LeaseLost).await;
    assert_eq!(ended.interrupted, Some(Stop::LeaseLost));
    assert!(begun.elapsed() < Duration::from_secs(20));
    until(|| fake.hanging().iter().all(is_gone)).await;
}

#[tokio::test]
async fn dropping_the_run_leaves_no_process_behind() {
    let fake = FakeTerraform::new().apply(Mode::IgnoreInterrupt).install().unwrap();
    let (ground, stop, mut kept, path) = (Ground::new(), StopSignal::new(), Kept::default(), fake.path());
    let program = ground.program(&path, &["apply"]);
    tokio::select! {
        _ = run(program, &stop, Duration::from_secs(9), &mut kept) => panic!("it hangs"),
        () = until(|| !fake.hanging().is_empty()) => {}
    }
    until(|| fake.hanging().iter().all(is_gone)).await;
}

/// Starts a fake `apply` that nobody here looks after.
async fn unattended(mode: Mode, limits: watch::Receiver<Limits>) -> (Running, Installed) {
    let fake = FakeTerraform::new().apply(mode).install().unwrap();
    let (ground, path) = (Ground::new(), fake.path());
    let running = spawn(Program { limits, ..ground.program(&path, &["apply"]) }).unwrap();
    until(|| !fake.hanging().is_empty()).await;
    (running, fake)
}

/// Takes away what a process that is killed takes with it: the way to its guard and all that it reads.
async fn orphan(running: Running) -> ExitStatus {
    let Running { mut child, mut post, out, err } = running;
    post.hang_up();
    drop((out, err));
    tokio::time::timeout(Duration::from_secs(20), child.wait()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_program_whose_runner_is_gone_is_interrupted_and_may_still_speak() {
    // After the interrupt it says far more than a pipe holds, and only then ends.
    let (running, fake) = unattended(Mode::HangThenFlood(5_000), far()).await;
    let status = orphan(running).await;
    assert_eq!(status.code(), Some(1), "{status}");
    assert!(fake.path().with_file_name("last-word").exists());
    until(|| fake.hanging().iter().all(is_gone)).await;
}

#[tokio::test]
async fn a_program_whose_runner_is_gone_still_has_a_way_to_its_state() {
    let console = TestConsole::start().await;
    let backend = Backend::of(&claim_of(JobType::Deploy), &console.address);
    let script = "trap '' INT; echo $TF_HTTP_ADDRESS $TF_HTTP_USERNAME $TF_HTTP_PASSWORD; sleep 3600";
    let (ground, arguments) = (Ground::new(), ["-c", script]);
    let program = ground.program(Path::new("/bin/sh"), &arguments);
    let mut running = spawn(Program { backend: &backend, ..program }).unwrap();
    let said = Lines::of(running.out.as_mut().unwrap()).next().await.unwrap();
    let [address, user, password] = said.split(' ').collect::<Vec<_>>()[..] else { panic!("{said}") };
    let way = Way { address: address.to_owned(), user: user.to_owned(), password: password.to_owned() };
    running.post.hang_up();
    assert_eq!(way.call("LOCK", "", r#"{"ID":"one"}"#).await.0, 204);
    assert_eq!(way.call("POST", "?ID=one", "{}").await.0, 204);
    assert_eq!(console.received().states.len(), 1);
}

#[tokio::test]
async fn a_program_whose_runner_is_gone_and_that_ignores_the_interrupt_is_killed_before_the_lease_ends() {
    let limits = soon(Duration::from_secs(3600), Duration::from_secs(3));
    let (running, fake) = unattended(Mode::IgnoreInterrupt, limits).await;
    let status = orphan(running).await;
    assert_eq!(status.code(), None, "{status}");
    until(|| fake.hanging().iter().all(is_gone)).await;
}

#[tokio::test]
async fn a_program_whose_runner_stands_still_is_interrupted_in_time_and_may_still_speak() {
    let limits = soon(Duration::from_secs(2), Duration::from_secs(3600));
    let (mut running, fake) = unattended(Mode::HangThenFlood(5_000), limits).await;
    // Nothing here is read and nobody is told anything until it has ended.
    let status = tokio::time::timeout(Duration::from_secs(20), running.child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(1), "{status}");
    assert!(fake.path().with_file_name("last-word").exists());
}

#[tokio::test]
async fn what_a_program_says_while_its_runner_stands_still_is_there_when_that_goes_on() {
    let limits = soon(Duration::from_secs(1), Duration::from_secs(3600));
    let (mut running, _fake) = unattended(Mode::HangThenFlood(50), limits).await;
    tokio::time::timeout(Duration::from_secs(20), running.child.wait()).await.unwrap().unwrap();
    let (mut lines, mut said) = (Lines::of(running.out.take().unwrap()), 0);
    while lines.next().await.is_some() {
        said += 1;
    }
    assert!(said >= 50, "{said} lines are left");
}

#[tokio::test]
async fn a_program_whose_runner_stands_still_and_that_ignores_the_interrupt_is_killed() {
    let limits = soon(Duration::from_secs(1), Duration::from_secs(2));
    let (mut running, fake) = unattended(Mode::IgnoreInterrupt, limits).await;
    let status = tokio::time::timeout(Duration::from_secs(20), running.child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), None, "{status}");
    until(|| fake.hanging().iter().all(is_gone)).await;
}

#[tokio::test]
async fn a_renewal_reaches_the_guard_while_the_program_runs() {
    let fake = FakeTerraform::new().apply(Mode::Hang).install().unwrap();
    let (ground, path, stop) = (Ground::new(), fake.path(), StopSignal::new());
    let brief = Duration::from_secs(2);
    let (renewals, limits) = watch::channel(*soon(brief, brief).borrow());
    let program = Program { limits, ..ground.program(&path, &["apply"]) };
    let renew = async {
        until(|| !fake.hanging().is_empty()).await;
        renewals.send_replace(guard::far());
        tokio::time::sleep(brief * 2).await;
        assert!(!fake.hanging().iter().any(is_gone), "it was ended though its lease went on");
        stop.raise(Stop::Cancel);
    };
    let mut kept = Kept::default();
    let (ended, ()) = tokio::join!(run(program, &stop, Duration::from_secs(20), &mut kept), renew);
    let ended = ended.unwrap();
    assert_eq!((ended.interrupted, ended.by_guard), (Some(Stop::Cancel), false));
}

#[tokio::test]
async fn a_program_that_its_guard_ended_is_told_from_one_that_failed() {
    let fake = FakeTerraform::new().apply(Mode::Hang).install().unwrap();
    let (ground, path, stop) = (Ground::new(), fake.path(), StopSignal::new());
    let program = Program {
        limits: soon(Duration::from_secs(1), Duration::from_secs(3600)),
        ..ground.program(&path, &["apply"])
    };
    let ended = run(program, &stop, Duration::from_secs(20), &mut Kept::default()).await.unwrap();
    assert_eq!((ended.interrupted, ended.by_guard), (Some(Stop::LeaseEnding), true));
    assert_eq!(stop.reason(), Some(Stop::LeaseEnding));
}

#[tokio::test]
async fn a_program_that_is_asked_twice_is_interrupted_once_by_either_side() {
    // It goes on for long enough for a second interrupt, if there is one.
    let folder = tempfile::tempdir().unwrap();
    let script = "n=0; trap 'n=$((n+1)); echo caught $n' INT; echo > ready; i=0; \
        while [ $i -lt 40 ]; do sleep 0.1; i=$((i+1)); done";
    let arguments = ["-c", script];
    let (ground, stop) = (Ground::new(), StopSignal::new());
    let now = Moment::now();
    let limits =
        Limits { interrupt_at: now + Duration::from_secs(2), kill_at: now + Duration::from_secs(60) };
    let program = Program {
        folder: folder.path(),
        limits: watch::channel(limits).1,
        ..ground.program(Path::new("/bin/sh"), &arguments)
    };
    let raise = async {
        until(|| folder.path().join("ready").exists()).await;
        stop.raise(Stop::Cancel);
    };
    let mut kept = Kept::default();
    let (ended, ()) = tokio::join!(run(program, &stop, Duration::from_secs(20), &mut kept), raise);
    assert_eq!(ended.unwrap().interrupted, Some(Stop::Cancel));
    let said: Vec<&str> = kept.lines.iter().map(|(_, line)| line.as_str()).collect();
    assert_eq!(said.iter().filter(|line| line.starts_with("caught")).count(), 1, "{said:?}");
}

#[tokio::test]
async fn a_child_that_keeps_the_output_open_does_not_keep_the_job() {
    // The child leaves the group, as a daemon does, and holds on to the pipe.
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready");
    let script = format!(
        "echo before; setsid sh -c 'echo > {0}; exec sleep 4' & until [ -e {0} ]; do :; done; exit 3",
        ready.display()
    );
    let (ended, kept) = run_shell(&script, &StopSignal::new()).await;
    assert_eq!(ended.status.code(), Some(3));
    assert_eq!(kept.lines, [(Source::Out, "before".to_owned())]);
}

#[tokio::test]
async fn no_line_of_a_flood_is_lost_and_a_slow_reader_slows_the_program() {
    const LINES: usize = 20_000;
    let script = format!("i=0; while [ $i -lt {LINES} ]; do i=$((i+1)); echo $i; done");
    let (_, kept) = run_shell(&script, &StopSignal::new()).await;
    let expected = (1..=LINES).map(|number| number.to_string());
    assert!(kept.lines.iter().map(|(_, line)| line.clone()).eq(expected));
}

#[tokio::test]
async fn a_line_without_an_end_is_cut() {
    let bytes = vec![b'x'; LONGEST_LINE + 10];
    let mut lines = Lines::of(&bytes[..]);
    assert_eq!(lines.next().await.unwrap().len(), LONGEST_LINE);
    assert_eq!(lines.next().await.unwrap().len(), 10);
    assert_eq!(lines.next().await, None);
}
