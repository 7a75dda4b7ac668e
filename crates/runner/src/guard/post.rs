//! The Runner's side of a guard: starts it, and tells it what to do.

use std::{
    collections::BTreeMap,
    io::{self, IoSlice, PipeReader, Write},
    mem::MaybeUninit,
    net::TcpListener,
    os::{
        fd::{AsFd, OwnedFd},
        unix::{net::UnixStream, process::CommandExt},
    },
    process::{Child, Command, Stdio},
};

use rustix::{
    cmsg_space,
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
    process::{Pid, Signal, kill_process, kill_process_group},
};

use super::{
    front::Backend,
    order::{Limits, Order},
};
use crate::{config::GuardProgram, credentials::network};

/// A guard at its post. Dropping it kills the whole group, the guard included.
pub(crate) struct Post {
    guard: Child,
    group: Pid,
    orders: UnixStream,
    watched: Option<Pid>,
}

/// The ends of a program's outputs that are read. Absent where an output goes elsewhere.
pub(crate) struct Outputs {
    /// Standard output.
    pub out: Option<PipeReader>,
    /// Standard error.
    pub err: Option<PipeReader>,
}

impl Post {
    /// Starts a guard, in a process group that is its own so far. It gets to know those of the variables that say how to
    /// reach the Console.
    ///
    /// # Errors
    /// When it can't be started.
    pub(crate) fn take(
        program: &GuardProgram,
        environment: &BTreeMap<String, String>,
        outputs: Outputs,
        limits: Limits,
    ) -> io::Result<Self> {
        let (orders_to_read, orders) = UnixStream::pair()?;
        orders.set_nonblocking(true)?;
        let or_nothing = |output: Option<PipeReader>| output.map_or_else(Stdio::null, Stdio::from);
        let guard = Command::new(&program.path)
            .args(&program.arguments)
            .env_clear()
            .envs(network(environment))
            // Not in the folder of the job: who looks for Terraform looks there.
            .current_dir("/")
            .stdin(OwnedFd::from(orders_to_read))
            .stdout(or_nothing(outputs.out))
            .stderr(or_nothing(outputs.err))
            .process_group(0)
            .spawn()?;
        let group = Pid::from_child(&guard);
        let mut post = Self { guard, group, orders, watched: None };
        post.tell(Order::Until(limits))?;
        Ok(post)
    }

    /// The group that what is guarded must be in.
    pub(crate) fn group(&self) -> i32 {
        self.group.as_raw_nonzero().get()
    }

    /// Lets it open the front of a state behind a door that is its own from now on.
    ///
    /// # Errors
    /// When the guard is gone.
    pub(crate) fn serve(&mut self, door: TcpListener, backend: &Backend) -> io::Result<()> {
        let order = Order::Serve(backend.clone()).to_string();
        let mut room = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
        let (mut beside, doors) = (SendAncillaryBuffer::new(&mut room), [door.as_fd()]);
        beside.push(SendAncillaryMessage::ScmRights(&doors));
        let sent = sendmsg(&self.orders, &[IoSlice::new(order.as_bytes())], &mut beside, SendFlags::empty())?;
        self.orders.write_all(&order.as_bytes()[sent..])
    }

    /// This process of the group is the one to be guarded.
    ///
    /// # Errors
    /// When the guard is gone.
    pub(crate) fn watch(&mut self, program: Pid) -> io::Result<()> {
        self.watched = Some(program);
        self.tell(Order::Watch(program))
    }

    /// The lease was renewed. A guard that is gone is noticed when it is needed.
    pub(crate) fn renew(&mut self, limits: Limits) {
        if let Err(error) = self.tell(Order::Until(limits)) {
            tracing::warn!(%error, "the guard of a Terraform can't be told that the lease goes on");
        }
    }

    /// Asks the program to end; nothing happens when it was asked before.
    pub(crate) fn interrupt(&mut self) {
        self.tell_or_signal(Order::Interrupt);
    }

    /// Asks it once more, and more urgently.
    pub(crate) fn insist(&mut self) {
        self.tell_or_signal(Order::Insist);
    }

    /// Kills the whole group, the guard included.
    pub(crate) fn kill(&self) {
        // Usually nothing but the guard is left of it.
        let _ = kill_process_group(self.group, Signal::KILL);
    }

    /// Closes the socket, as the end of this process does.
    #[cfg(test)]
    pub(crate) fn hang_up(&mut self) {
        self.orders = UnixStream::pair().unwrap().0;
    }

    fn tell_or_signal(&mut self, order: Order) {
        if self.tell(order).is_err()
            && let Some(watched) = self.watched
        {
            // It may have ended in this moment; the wait that follows sees that.
            let _ = kill_process(watched, Signal::INT);
        }
    }

    /// An order is shorter than what a socket takes in one piece.
    fn tell(&mut self, order: Order) -> io::Result<()> {
        self.orders.write_all(order.to_string().as_bytes())
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.kill();
        // It was just killed, so this does not wait for anything else.
        let _ = self.guard.wait();
    }
}
