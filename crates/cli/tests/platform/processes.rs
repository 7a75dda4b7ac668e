//! The platform as it grows: PostgreSQL, one Console and two Runners, each a process of its own.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use alethia_testkit::{postgres::Postgres, processes::until};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::common::{User, binary};

const PATIENCE: Duration = Duration::from_secs(30);

/// Four processes and their folders; they end with the value.
pub(crate) struct Processes {
    address: String,
    token: String,
    database: String,
    lease: u16,
    runners: BTreeMap<String, Process>,
    console: Option<Process>,
    folder: TempDir,
}

/// A child that is asked to end, and waited for, when it is dropped.
struct Process(Child);

impl Processes {
    pub(crate) fn start() -> Self {
        Self::with_lease(30)
    }

    /// With leases of so many seconds.
    pub(crate) fn with_lease(seconds: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Postgres::shared().unwrap().create_database().unwrap();
        let console = start_console(folder.path(), "127.0.0.1:0", &database, seconds);
        let announced = read_when_there(&folder.path().join("console/console.json"));
        let announced: serde_json::Value = serde_json::from_str(&announced).unwrap();
        let address = announced["address"].as_str().unwrap().to_owned();
        let token = fs::read_to_string(folder.path().join("console/owner-token")).unwrap().trim().to_owned();
        let runners = BTreeMap::new();
        let lease = seconds;
        let mut processes = Self { address, token, database, lease, runners, console: Some(console), folder };
        for name in ["north", "south"] {
            processes.register_runner(name);
            processes.start_runner(name);
        }
        processes
    }

    /// A user who has nothing but the Console's address and a token.
    pub(crate) fn user(&self) -> User {
        User::of(&self.address, &self.token)
    }

    /// The data folder of the Runners, with the cloud that they share.
    pub(crate) fn runners_data(&self) -> PathBuf {
        self.folder.path().join("runners")
    }

    /// Ends a Runner as a power cut does.
    pub(crate) fn kill_runner(&mut self, name: &str) {
        let mut runner = self.runners.remove(name).unwrap();
        runner.0.kill().unwrap();
    }

    /// Ends a Runner as its operator does, and waits for it.
    pub(crate) fn stop_runner(&mut self, name: &str) {
        self.runners.remove(name).unwrap();
    }

    /// Sends a signal to a Runner, and to nothing that it started.
    pub(crate) fn signal_runner(&self, name: &str, signal: Signal) {
        kill_process(Pid::from_child(&self.runners[name].0), signal).unwrap();
    }

    /// Ends the Console as a power cut does.
    pub(crate) fn kill_console(&mut self) {
        self.console.take().unwrap().0.kill().unwrap();
    }

    /// Stands where the Console was and says that it is away, until it is asked for this.
    pub(crate) fn be_away_until(&self, asked: &str) {
        const AWAY: &[u8] =
            b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let (listener, begun) = (TcpListener::bind(self.listens_on()).unwrap(), Instant::now());
        let mut request = String::new();
        while !request.contains(asked) {
            assert!(begun.elapsed() < PATIENCE, "nobody asked for {asked}");
            let (stream, _) = listener.accept().unwrap();
            // A connection that a client keeps in store says nothing.
            stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
            request.clear();
            // Who asks may be killed, or not wait for the answer.
            let _ = BufReader::new(&stream).read_line(&mut request).and_then(|_| (&stream).write_all(AWAY));
        }
    }

    /// Starts it again where it was.
    pub(crate) fn start_console(&mut self) {
        let address = self.listens_on().to_owned();
        self.console = Some(start_console(self.folder.path(), &address, &self.database, self.lease));
    }

    pub(crate) fn start_runner(&mut self, name: &str) {
        let token_file = self.folder.path().join(name);
        let token_file = token_file.to_str().unwrap();
        let arguments = ["runner", "start", "--server", &self.address, "--token-file", token_file];
        let runner = start(self.folder.path(), "runners", &arguments);
        self.runners.insert(name.to_owned(), runner);
    }

    fn listens_on(&self) -> &str {
        self.address.trim_start_matches("http://")
    }

    fn register_runner(&self, name: &str) {
        let registered = self.user().json(&["runner", "register", name]);
        fs::write(self.folder.path().join(name), registered["token"].as_str().unwrap()).unwrap();
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.runners.clear();
        self.console.take();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let process = Pid::from_child(&self.0);
        // One that was stopped hears nothing.
        for signal in [Signal::TERM, Signal::CONT] {
            if let Err(error) = kill_process(process, signal) {
                eprintln!("a process was gone before it was told to end: {error}");
            }
        }
        self.0.wait().unwrap();
    }
}

fn start_console(home: &Path, address: &str, database: &str, lease: u16) -> Process {
    let lease = lease.to_string();
    start(home, "console", &["serve", "--listen", address, "--database", database, "--lease", &lease])
}

fn start(home: &Path, data: &str, arguments: &[&str]) -> Process {
    let mut command = binary(home);
    command.args(arguments).arg("--data-dir").arg(home.join(data)).stdout(Stdio::null());
    Process(command.spawn().unwrap())
}

fn read_when_there(path: &Path) -> String {
    let look = || fs::read_to_string(path).ok().filter(|text| !text.is_empty());
    until(&format!("{} is there", path.display()), PATIENCE, look)
}
