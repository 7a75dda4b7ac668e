//! One run of a program as a child process, from its start until nothing of it is left.
//!
//! The child leads a process group of its own. When the job is to stop it gets SIGINT, a grace, SIGINT again, and then the
//! whole group gets SIGKILL; a lost lease goes straight to SIGKILL. Whatever happens, also a panic here, the child is
//! reaped and its group is gone afterwards. Lines go to a `Sink` one at a time: while the sink is busy nothing is read,
//! so a flood of output waits in the pipe instead of in memory.
//!
//! A guard stays beside the child, in its group: it ends the child in time when this process is killed or stands still, and
//! is the child's way to its state.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, PipeReader, PipeWriter},
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::Pid;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    net::unix::pipe::Receiver,
    process::{Child, Command},
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::GuardProgram,
    guard::{Backend, Limits, Moment, Outputs, Post},
    stop::{Stop, StopSignal},
};

/// The shell becomes the program, whose files are then for its owner alone.
const BECOME: &str = r#"umask 077; exec "$0" "$@""#;
/// The longest line that is kept in one piece, in bytes; longer ones are cut.
const LONGEST_LINE: usize = 4 * 1024 * 1024;
/// How long the program has after the second interrupt, at most.
const LAST_GRACE: Duration = Duration::from_secs(10);
/// How long a pipe may stay open without a byte after the program ended.
const STRAGGLERS: Duration = Duration::from_secs(2);

/// What to run.
pub(crate) struct Program<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// Its arguments.
    pub arguments: &'a [&'a str],
    /// The folder it runs in.
    pub folder: &'a Path,
    /// All of its environment but the way to its state.
    pub environment: &'a BTreeMap<String, String>,
    /// Its state, to which the guard is the way.
    pub backend: &'a Backend,
    /// File that takes its standard output; the sink does when absent.
    pub output: Option<File>,
    /// What stands guard over it.
    pub guard: &'a GuardProgram,
    /// Until when it may run, as the lease goes on.
    pub limits: watch::Receiver<Limits>,
}

/// Which of its two outputs a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Who takes the lines.
pub(crate) trait Sink: Send {
    /// Takes one line, without its end.
    fn line(&mut self, source: Source, line: String) -> impl Future<Output = ()> + Send;
}

/// How it ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// Why it was interrupted or killed, if it was.
    pub interrupted: Option<Stop>,
    /// This process stood still for so long that the guard ended the program. Some of its last lines are lost then.
    pub by_guard: bool,
}

/// Runs a program until it ends.
///
/// # Errors
/// When it can't be started or waited for.
pub(crate) async fn run(
    program: Program<'_>,
    stop: &StopSignal,
    grace: Duration,
    sink: &mut impl Sink,
) -> io::Result<Ended> {
    let mut limits = program.limits.clone();
    let Running { mut child, mut post, out, err } = spawn(program)?;
    let exited = CancellationToken::new();
    let supervision = async {
        let ended = supervise(&mut child, &mut post, &mut limits, stop, grace).await;
        post.kill();
        exited.cancel();
        ended
    };
    let reading = read(out.map(Lines::of), Some(Lines::of(err)), &exited, sink);
    let (ended, ()) = tokio::join!(supervision, reading);
    ended
}

/// A child with its guard, and what it says.
struct Running {
    child: Child,
    post: Post,
    out: Option<Receiver>,
    err: Receiver,
}

fn spawn(program: Program<'_>) -> io::Result<Running> {
    let (err, err_end) = io::pipe()?;
    let (out, out_end) = match program.output {
        Some(file) => (None, Stdio::from(file)),
        None => io::pipe().map(|(out, end): (PipeReader, PipeWriter)| (Some(out), Stdio::from(end)))?,
    };
    let outputs =
        Outputs { out: out.as_ref().map(PipeReader::try_clone).transpose()?, err: Some(err.try_clone()?) };
    let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let way_to_state = program.backend.variables(door.local_addr()?);
    let mut post = Post::take(program.guard, program.environment, outputs, *program.limits.borrow())?;
    post.serve(door, program.backend)?;
    let child = Command::new("/bin/sh")
        .args(["-c", BECOME])
        .arg(program.path)
        .args(program.arguments)
        .current_dir(program.folder)
        .env_clear()
        .envs(program.environment)
        .envs(way_to_state)
        .stdin(Stdio::null())
        .stdout(out_end)
        .stderr(err_end)
        .process_group(post.group())
        .kill_on_drop(true)
        .spawn()?;
    let leader = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    post.watch(leader.ok_or_else(|| io::Error::other("the program has no process id"))?)?;
    let receiver = |end: PipeReader| Receiver::from_owned_fd(end.into());
    Ok(Running { child, post, out: out.map(receiver).transpose()?, err: receiver(err)? })
}

async fn supervise(
    child: &mut Child,
    post: &mut Post,
    limits: &mut watch::Receiver<Limits>,
    stop: &StopSignal,
    grace: Duration,
) -> io::Result<Ended> {
    let reason = loop {
        tokio::select! {
            biased;
            status = child.wait() => return Ok(Ended::by_itself(status?, *limits.borrow(), stop)),
            reason = stop.at_least(Stop::Cancel) => break reason,
            () = next_limits(limits) => post.renew(*limits.borrow()),
        }
    };
    let interrupted = |status| {
        let interrupted = Some(stop.reason().unwrap_or(reason));
        Ended { status, interrupted, by_guard: false }
    };
    for (patience, ask) in [(grace, Post::interrupt as fn(&mut Post)), (grace.min(LAST_GRACE), Post::insist)]
    {
        if stop.reason() >= Some(Stop::Abort) {
            break;
        }
        ask(post);
        let deadline = Instant::now() + patience;
        let over = loop {
            tokio::select! {
                biased;
                status = child.wait() => break Some(status.map(interrupted)),
                _ = stop.at_least(Stop::Abort) => break None,
                () = sleep_until(deadline) => break None,
                () = next_limits(limits) => post.renew(*limits.borrow()),
            }
        };
        if let Some(ended) = over {
            return ended;
        }
    }
    post.kill();
    child.wait().await.map(interrupted)
}

/// Returns when the lease was renewed.
async fn next_limits(limits: &mut watch::Receiver<Limits>) {
    if limits.changed().await.is_err() {
        // Nobody renews it any more.
        std::future::pending::<()>().await;
    }
}

impl Ended {
    /// Nobody here asked it to end. If its time was over, the guard did.
    fn by_itself(status: ExitStatus, limits: Limits, stop: &StopSignal) -> Self {
        let by_guard = !status.success() && Moment::now() >= limits.interrupt_at;
        if by_guard {
            stop.raise(Stop::LeaseEnding);
        }
        Self { status, interrupted: by_guard.then_some(Stop::LeaseEnding), by_guard }
    }
}

async fn read<O, E>(
    mut out: Option<Lines<O>>,
    mut err: Option<Lines<E>>,
    exited: &CancellationToken,
    sink: &mut impl Sink,
) where
    O: AsyncRead + Unpin + Send,
    E: AsyncRead + Unpin + Send,
{
    while out.is_some() || err.is_some() {
        let silence = async {
            exited.cancelled().await;
            tokio::time::sleep(STRAGGLERS).await;
        };
        let (source, line) = tokio::select! {
            line = next(&mut out) => (Source::Out, line),
            line = next(&mut err) => (Source::Err, line),
            () = silence => return,
        };
        match (line, source) {
            (Some(line), source) => sink.line(source, line).await,
            (None, Source::Out) => out = None,
            (None, Source::Err) => err = None,
        }
    }
}

/// The next line; never one of an output that has ended.
async fn next<R: AsyncRead + Unpin>(lines: &mut Option<Lines<R>>) -> Option<String> {
    match lines {
        Some(lines) => lines.next().await,
        None => std::future::pending().await,
    }
}

/// Lines of bounded length. Dropping a `next` that waits loses nothing.
struct Lines<R> {
    reader: BufReader<R>,
    partial: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    fn of(reader: R) -> Self {
        Self { reader: BufReader::with_capacity(64 * 1024, reader), partial: Vec::new() }
    }

    async fn next(&mut self) -> Option<String> {
        loop {
            // An output that can't be read has ended as far as we are concerned.
            let available = self.reader.fill_buf().await.unwrap_or_default();
            if available.is_empty() {
                return (!self.partial.is_empty()).then(|| self.take());
            }
            let room = LONGEST_LINE - self.partial.len();
            let end = available.iter().take(room).position(|byte| *byte == b'\n');
            let length = end.unwrap_or(available.len().min(room));
            self.partial.extend_from_slice(&available[..length]);
            self.reader.consume(length + usize::from(end.is_some()));
            if end.is_some() || self.partial.len() == LONGEST_LINE {
                return Some(self.take());
            }
        }
    }

    fn take(&mut self) -> String {
        let bytes = std::mem::take(&mut self.partial);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(test)]
mod tests;
