//! One run of a program as a child process, from its start until nothing of it is left.
//!
//! The child leads a process group of its own. When the job is to stop it gets SIGINT, a grace, SIGINT again, and then the
//! whole group gets SIGKILL; a lost lease goes straight to SIGKILL. Whatever happens, also a panic here, the child is
//! reaped and its group is gone afterwards. Lines go to a `Sink` one at a time: while the sink is busy nothing is read,
//! so a flood of output waits in the pipe instead of in memory.
//!
//! A guard stays beside the child, in its group: should this process be killed, the child is interrupted at once and can
//! end in an orderly way while the lease still counts, and it is killed after a grace that ends before the lease does. The
//! guard also keeps the child's outputs open, since Terraform dies where nobody listens and takes its state with it.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, ChildStdin, Command},
};
use tokio_util::sync::CancellationToken;

use crate::stop::{Stop, StopSignal};

/// The shell becomes the program, whose files are then for its owner alone, and leaves the guard behind as its child. The
/// guard waits on the standard input until this process is gone. Terraform takes a second interrupt for an order to drop
/// everything, so there is only one.
const BECOME: &str = r#"
umask 077
grace=$1
shift
exec 3<&0 </dev/null
(
  exec 4</proc/self/fd/1 5</proc/self/fd/2 >/dev/null 2>&1
  read -r _ <&3
  kill -INT $$
  cat <&4 &
  cat <&5 &
  while [ "$grace" -gt 0 ] && kill -0 $$; do
    sleep 1
    grace=$((grace - 1))
  done
  kill -KILL 0
) &
exec 3<&-
exec "$0" "$@"
"#;
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
    /// All of its environment.
    pub environment: &'a BTreeMap<String, String>,
    /// File that takes its standard output; the sink does when absent.
    pub output: Option<File>,
    /// How long it has to end, in whole seconds, when this process is gone.
    pub orphan_grace: Duration,
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
    let mut child = spawn(program)?;
    let group = Group::of(&mut child)?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let exited = CancellationToken::new();
    let supervision = async {
        let ended = supervise(&mut child, &group, stop, grace).await;
        group.kill();
        exited.cancel();
        ended
    };
    let reading = read(out.map(Lines::of), err.map(Lines::of), &exited, sink);
    let (ended, ()) = tokio::join!(supervision, reading);
    ended
}

fn spawn(program: Program<'_>) -> io::Result<Child> {
    let output = program.output.map_or_else(Stdio::piped, Stdio::from);
    Command::new("/bin/sh")
        .args(["-c", BECOME])
        .arg(program.path)
        .arg(program.orphan_grace.as_secs().to_string())
        .args(program.arguments)
        .current_dir(program.folder)
        .env_clear()
        .envs(program.environment)
        .stdin(Stdio::piped())
        .stdout(output)
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

async fn supervise(
    child: &mut Child,
    group: &Group,
    stop: &StopSignal,
    grace: Duration,
) -> io::Result<Ended> {
    let reason = tokio::select! {
        biased;
        status = child.wait() => return Ok(Ended { status: status?, interrupted: None }),
        reason = stop.at_least(Stop::Cancel) => reason,
    };
    let interrupted = |status| Ended { status, interrupted: Some(stop.reason().unwrap_or(reason)) };
    for patience in [grace, grace.min(LAST_GRACE)] {
        if stop.reason() >= Some(Stop::Kill) {
            break;
        }
        group.interrupt_leader();
        tokio::select! {
            biased;
            status = child.wait() => return status.map(interrupted),
            _ = stop.at_least(Stop::Kill) => {}
            () = tokio::time::sleep(patience) => {}
        }
    }
    group.kill();
    child.wait().await.map(interrupted)
}

/// The process group of a child; killed when this is dropped, whatever the way.
struct Group {
    leader: Pid,
    /// Closed when this process is gone, which the guard sees.
    _lifeline: Option<ChildStdin>,
}

impl Group {
    fn of(child: &mut Child) -> io::Result<Self> {
        let leader = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let lifeline = child.stdin.take();
        leader
            .map(|leader| Self { leader, _lifeline: lifeline })
            .ok_or_else(|| io::Error::other("the program has no process id"))
    }

    /// Only the leader: Terraform tells its plugins itself.
    fn interrupt_leader(&self) {
        // It may have ended in this moment; the wait that follows sees that.
        let _ = kill_process(self.leader, Signal::INT);
    }

    fn kill(&self) {
        // Usually nothing is left of it.
        let _ = kill_process_group(self.leader, Signal::KILL);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
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
