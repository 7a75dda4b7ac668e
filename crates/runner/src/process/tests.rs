use std::time::Instant;

use alethia_testkit::fake_terraform::{FakeTerraform, Installed, Mode};
use rustix::process::test_kill_process;

use super::*;

#[derive(Default)]
struct Kept {
    lines: Vec<(Source, String)>,
}

impl Sink for Kept {
    async fn line(&mut self, source: Source, line: String) {
        self.lines.push((source, line));
    }
}

fn environment() -> BTreeMap<String, String> {
    BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned()), ("ONLY".to_owned(), "this".to_owned())])
}

async fn run_shell(script: &str, stop: &StopSignal) -> (Ended, Kept) {
    let (environment, mut kept) = (environment(), Kept::default());
    let program = Program {
        path: Path::new("/bin/sh"),
        arguments: &["-c", script],
        folder: Path::new("/"),
        environment: &environment,
        output: None,
        orphan_grace: Duration::from_secs(1),
    };
    let ended = run(program, stop, Duration::from_millis(200), &mut kept).await.unwrap();
    (ended, kept)
}

/// Runs a fake `apply` that hangs and stops it once it does.
async fn stop_hanging(mode: Mode, grace: Duration, reason: Stop) -> (Ended, Installed) {
    let fake = FakeTerraform::new().apply(mode).install().unwrap();
    let (stop, environment, mut kept) = (StopSignal::new(), environment(), Kept::default());
    let path = fake.path();
    let program = Program {
        path: &path,
        arguments: &["apply"],
        folder: Path::new("/"),
        environment: &environment,
        output: None,
        orphan_grace: Duration::from_secs(1),
    };
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
    let (stop, environment, mut kept, path) =
        (StopSignal::new(), environment(), Kept::default(), fake.path());
    let program = Program {
        path: &path,
        arguments: &["apply"],
        folder: Path::new("/"),
        environment: &environment,
        output: None,
        orphan_grace: Duration::from_secs(1),
    };
    tokio::select! {
        _ = run(program, &stop, Duration::from_secs(9), &mut kept) => panic!("it hangs"),
        () = until(|| !fake.hanging().is_empty()) => {}
    }
    until(|| fake.hanging().iter().all(is_gone)).await;
}

/// Starts a fake `apply` and takes away what keeps its guard quiet, as when this process is killed.
async fn orphan(mode: Mode, orphan_grace: Duration) -> (Child, Installed) {
    let fake = FakeTerraform::new().apply(mode).install().unwrap();
    let (path, environment) = (fake.path(), environment());
    let mut child = spawn(Program {
        path: &path,
        arguments: &["apply"],
        folder: Path::new("/"),
        environment: &environment,
        output: None,
        orphan_grace,
    })
    .unwrap();
    until(|| !fake.hanging().is_empty()).await;
    drop((child.stdin.take(), child.stdout.take(), child.stderr.take()));
    (child, fake)
}

#[tokio::test]
async fn a_program_whose_runner_is_gone_is_interrupted_and_may_still_speak() {
    // After the interrupt it says far more than a pipe holds, and only then ends.
    let (mut child, fake) = orphan(Mode::HangThenFlood(5_000), Duration::from_secs(15)).await;
    let status = tokio::time::timeout(Duration::from_secs(20), child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(1), "{status}");
    assert!(fake.path().with_file_name("last-word").exists());
    until(|| fake.hanging().iter().all(is_gone)).await;
}

#[tokio::test]
async fn a_program_whose_runner_is_gone_and_that_ignores_the_interrupt_is_killed() {
    let (mut child, fake) = orphan(Mode::IgnoreInterrupt, Duration::from_secs(1)).await;
    let status = tokio::time::timeout(Duration::from_secs(20), child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), None, "{status}");
    until(|| fake.hanging().iter().all(is_gone)).await;
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
