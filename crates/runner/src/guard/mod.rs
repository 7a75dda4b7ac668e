//! The guard of a running Terraform: a process beside it that ends it in time when its Runner can't.
//!
//! A Runner that is killed, frozen or starved can't keep its promise that nothing of Terraform runs when the lease ends.
//! So each Terraform has a guard in its process group, told over a socket until when the lease lasts. When that is near and
//! no word came, or the socket closes since the Runner is gone, Terraform is interrupted, and later the group is killed. All
//! interrupts go through the guard: Terraform takes a second one for an order to drop everything, its state included.
//!
//! Here is the guard itself, which `alethia runner guard` is; [`post`] is the Runner's side, [`front`] what the guard is to
//! Terraform: the way to its state. Its standard input is the socket with the orders. Its standard output and error are, on
//! purpose, the ends of Terraform's outputs that are read: while they are open Terraform never writes into nothing, and when
//! nobody else reads them any more, the guard does. A Runner that is only frozen reads them later, so then the guard takes no
//! more than it must: lines are not lost to a log that has room for them.

mod front;
mod order;
mod post;

use std::{
    io::{self, IoSliceMut},
    mem::MaybeUninit,
    net::TcpListener,
    os::fd::{AsFd, BorrowedFd},
    process::ExitCode,
};

use rustix::{
    cmsg_space,
    event::{PollFd, PollFlags, Timespec, poll},
    io::{Errno, ioctl_fionread, read},
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg},
    process::{Pid, Signal, getpgid, getpgrp, kill_current_process_group, kill_process, test_kill_process},
};

pub(crate) use front::Backend;
pub(crate) use order::{Limits, Moment};
pub(crate) use post::{Outputs, Post};

use front::Front;
use order::Order;

/// Longest sleep, in milliseconds: the clock may jump when the machine sleeps, and a sleep does not notice.
const LONGEST_SLEEP: u64 = 1000;
/// The same while it is seen whether Terraform has ended.
const WATCHFUL_SLEEP: u64 = 100;
/// How many bytes may wait for a Runner that is frozen; a pipe has room for 64 KiB.
const MOST_WAITING: u64 = 32 * 1024;

/// What the guard knows.
#[derive(Default)]
struct Guard {
    watched: Option<Pid>,
    limits: Option<Limits>,
    /// Where the front is to stand.
    door: Option<TcpListener>,
    front: Option<Front>,
    /// Orders that came in part.
    partial: Vec<u8>,
    /// The Runner is gone.
    is_alone: bool,
    is_interrupted: bool,
    /// The Runner did not come in time: perhaps nobody reads what Terraform says.
    is_late: bool,
    out_ended: bool,
    err_ended: bool,
}

/// What may be read.
#[derive(Clone, Copy)]
enum End {
    Orders,
    Out,
    Err,
}

/// Stands guard until Terraform has ended. This is all that the process is for.
pub fn stand() -> ExitCode {
    match Guard::default().stand() {
        Ok(()) => ExitCode::SUCCESS,
        // Without its orders it guards nothing; better no Terraform than one that nobody ends.
        Err(_) => {
            kill_group();
            ExitCode::FAILURE
        }
    }
}

impl Guard {
    fn stand(mut self) -> io::Result<()> {
        loop {
            self.wait()?;
            let now = Moment::now();
            if self.limits.is_some_and(|limits| now >= limits.kill_at) || self.has_nothing_left() {
                kill_group();
                return Ok(());
            }
            if self.is_alone || self.limits.is_some_and(|limits| now >= limits.interrupt_at) {
                self.is_late = true;
                self.interrupt();
            }
        }
    }

    /// Waits for an order, for something to drain or for a limit, and takes in what came.
    fn wait(&mut self) -> io::Result<()> {
        let (orders, out, err) = (io::stdin(), io::stdout(), io::stderr());
        // An end that nobody waits for is left out: poll would tell that it has hung up, again and again.
        let ends = [
            (End::Orders, orders.as_fd(), !self.is_alone),
            (End::Out, out.as_fd(), self.is_alone && !self.out_ended),
            (End::Err, err.as_fd(), self.is_alone && !self.err_ended),
        ];
        let wanted: Vec<_> = ends.into_iter().filter(|(_, _, wanted)| *wanted).collect();
        let mut polled: Vec<PollFd<'_>> =
            wanted.iter().map(|(_, fd, _)| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
        match poll(&mut polled, Some(&self.sleep())) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for ((end, fd, _), _) in wanted.iter().zip(&polled).filter(|(_, polled)| !polled.revents().is_empty())
        {
            match end {
                End::Orders => self.take_orders(*fd)?,
                End::Out => self.out_ended = drain(*fd),
                End::Err => self.err_ended = drain(*fd),
            }
        }
        if self.is_late && !self.is_alone {
            [out.as_fd(), err.as_fd()].into_iter().for_each(make_room);
        }
        Ok(())
    }

    fn sleep(&self) -> Timespec {
        let now = Moment::now();
        let until = |moment: Moment| moment.since(now);
        let longest = if self.is_alone || self.is_late { WATCHFUL_SLEEP } else { LONGEST_SLEEP };
        let limits = self.limits.iter().flat_map(|limits| {
            [(!self.is_interrupted).then(|| until(limits.interrupt_at)), Some(until(limits.kill_at))]
        });
        let sleep = limits.flatten().fold(longest, u64::min);
        Timespec { tv_sec: (sleep / 1000).cast_signed(), tv_nsec: (sleep % 1000 * 1_000_000).cast_signed() }
    }

    fn take_orders(&mut self, socket: BorrowedFd<'_>) -> io::Result<()> {
        let mut bytes = [0; 1024];
        let mut room = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
        let mut beside = RecvAncillaryBuffer::new(&mut room);
        match recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut beside, RecvFlags::empty()) {
            Ok(received) if received.bytes == 0 => self.is_alone = true,
            Ok(received) => self.partial.extend_from_slice(&bytes[..received.bytes]),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
        for message in beside.drain() {
            if let RecvAncillaryMessage::ScmRights(doors) = message {
                self.door = doors.last().map(TcpListener::from);
            }
        }
        while let Some(end) = self.partial.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.partial.drain(..=end).collect();
            let order = Order::parse(&line).ok_or_else(|| io::Error::other("an order makes no sense"))?;
            self.obey(order)?;
        }
        Ok(())
    }

    fn obey(&mut self, order: Order) -> io::Result<()> {
        match order {
            Order::Serve(backend) => {
                let door = self.door.take().ok_or_else(|| io::Error::other("a front needs a door"))?;
                self.front = Some(Front::open(door, backend)?);
                self.catch_up();
            }
            Order::Watch(program) => {
                self.watched = Some(program);
                self.catch_up();
            }
            Order::Until(limits) => self.limits = Some(limits),
            Order::Interrupt => self.interrupt(),
            Order::Insist => self.signal(),
        }
        Ok(())
    }

    /// Once only.
    fn interrupt(&mut self) {
        if !std::mem::replace(&mut self.is_interrupted, true) {
            self.catch_up();
        }
    }

    /// Terraform, and the front before it, may come only after the interrupt that was meant for them.
    fn catch_up(&self) {
        if self.is_interrupted {
            self.front.iter().for_each(Front::hurry);
            self.signal();
        }
    }

    /// Interrupts only Terraform itself, which tells its plugins. Its number may be another's by now.
    fn signal(&self) {
        if let Some(watched) = self.watched.filter(|watched| getpgid(Some(*watched)) == Ok(getpgrp())) {
            // It may end in this moment.
            let _ = kill_process(watched, Signal::INT);
        }
    }

    /// Whether the Runner is gone and so is what it ran.
    fn has_nothing_left(&self) -> bool {
        self.is_alone && self.watched.is_none_or(|watched| test_kill_process(watched).is_err())
    }
}

/// Drops what is too much for the pipe: Terraform must not wait for a reader that is frozen.
fn make_room(output: BorrowedFd<'_>) {
    if ioctl_fionread(output).is_ok_and(|waiting| waiting > MOST_WAITING) {
        drain(output);
    }
}

/// Reads what is there and drops it; tells whether that was the end.
fn drain(output: BorrowedFd<'_>) -> bool {
    let mut bytes = [0; 64 * 1024];
    match read(output, &mut bytes) {
        Ok(0) => true,
        Ok(_) | Err(Errno::INTR | Errno::AGAIN) => false,
        Err(_) => true,
    }
}

/// The guard is in the group too.
fn kill_group() {
    // There is nothing more to be done where this fails.
    let _ = kill_current_process_group(Signal::KILL);
}

#[cfg(test)]
pub(crate) mod tests;
