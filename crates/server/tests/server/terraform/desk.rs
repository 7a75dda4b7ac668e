//! A DEPLOY under way and a folder in which real Terraform runs against its state backend, as a Runner would run it.
//!
//! The root has resources of `terraform_data` alone, which is built in: nothing is downloaded.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use alethia_domain::{ids::SpecId, lifecycle::JobType};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io,
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    sync::watch,
    task::JoinSet,
};

use crate::support::{Console, Taken, document, take_and_start};

/// Longest run of one command, on a machine that has a lot to do.
const PATIENCE: Duration = Duration::from_secs(120);

/// A resource whose making waits for a file, so that a test can look on in the middle of an apply.
const WAITS: &str = "resource \"terraform_data\" \"waits\" {\n  provisioner \"local-exec\" {\n    \
    command = \"touch reached; while [ ! -e go ]; do sleep 0.05; done\"\n  }\n}\n";
const ONE: &str = "resource \"terraform_data\" \"one\" {\n  input = \"a\"\n}\n";

/// A DEPLOY under way, and a folder in which Terraform runs as its Runner would run it.
pub(super) struct Desk {
    pub(super) console: Console,
    pub(super) taken: Taken,
    pub(super) spec: SpecId,
    folder: TempDir,
    line: Line,
}

/// The line between Terraform and the Console, which can be cut.
struct Line {
    address: SocketAddr,
    is_open: watch::Sender<bool>,
    _relay: JoinSet<()>,
}

/// How a command ended, and what it said.
pub(super) struct Ran {
    pub(super) code: i32,
    pub(super) said: String,
}

impl Desk {
    pub(super) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut alethia_server::Config)) -> Self {
        let console = Console::with(|config| {
            config.lease = Duration::from_secs(600);
            change(config);
        });
        let console = console.await;
        let spec = console.put(document(&["orders"])).await.spec.id;
        let runner = console.runner().await;
        console.create_job(spec, JobType::Deploy).await;
        let taken = take_and_start(&runner).await;
        let line = Line::to(console.server.address()).await;
        let desk = Self { console, taken, spec, folder: tempfile::tempdir().unwrap(), line };
        desk.root(ONE);
        desk.init().await;
        desk
    }

    /// Writes the root anew.
    pub(super) fn root(&self, resources: &str) {
        let text = format!("terraform {{\n  backend \"http\" {{}}\n}}\n{resources}");
        std::fs::write(self.path("main.tf"), text).unwrap();
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn state_address(&self) -> String {
        format!("http://{}/api/v1/state/{}", self.line.address, self.spec)
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let (state, token) = (self.state_address(), self.taken.claim.job_token.as_str());
        let mut command = Command::new("terraform");
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_IN_AUTOMATION", "1")
            .env("TF_CLI_ARGS", "-no-color")
            .env("TF_HTTP_ADDRESS", &state)
            .env("TF_HTTP_LOCK_ADDRESS", &state)
            .env("TF_HTTP_LOCK_METHOD", "LOCK")
            .env("TF_HTTP_UNLOCK_ADDRESS", &state)
            .env("TF_HTTP_UNLOCK_METHOD", "UNLOCK")
            .env("TF_HTTP_USERNAME", "job")
            .env("TF_HTTP_PASSWORD", token)
            .env("TF_HTTP_RETRY_MAX", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    pub(super) async fn run(&self, arguments: &[&str]) -> Ran {
        ended(self.command(arguments).spawn().unwrap()).await
    }

    /// Runs a command that must end well; what it said.
    pub(super) async fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments).await;
        assert_eq!(ran.code, 0, "terraform {arguments:?}\n{}", ran.said);
        ran.said
    }

    /// Runs a command that must fail; what it said, in one line.
    pub(super) async fn fails(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments).await;
        assert_eq!(ran.code, 1, "terraform {arguments:?}\n{}", ran.said);
        in_one_line(&ran.said)
    }

    async fn init(&self) {
        self.ok(&["init", "-input=false"]).await;
    }

    pub(super) async fn apply(&self) -> String {
        self.ok(&["apply", "-auto-approve", "-input=false"]).await
    }

    /// Begins an apply and comes back when it is in the middle.
    pub(super) async fn begin_to_apply(&self) -> Child {
        self.root(WAITS);
        let child = self.command(&["apply", "-auto-approve", "-input=false"]).spawn().unwrap();
        when_there(&self.path("reached")).await;
        child
    }

    /// Lets an apply go on that waits in the middle.
    pub(super) fn go_on(&self) {
        std::fs::write(self.path("go"), "").unwrap();
    }

    /// Cuts the line between Terraform and the Console, or mends it.
    pub(super) fn set_line(&self, is_open: bool) {
        self.line.is_open.send_replace(is_open);
    }

    /// A call of the backend beside Terraform.
    pub(super) async fn call(&self, method: &str, body: &Value) -> StatusCode {
        let path = format!("/api/v1/state/{}", self.spec);
        let request = self.console.open_request(Method::from_bytes(method.as_bytes()).unwrap(), &path);
        let request = request.basic_auth("job", Some(&self.taken.claim.job_token)).json(body);
        request.send().await.unwrap().status()
    }

    /// Id of the lock that is held, if one is.
    pub(super) async fn lock_id(&self) -> Option<String> {
        self.console.client.state(self.spec).await.unwrap().lock.map(|lock| lock.id)
    }

    /// Serials of all versions, the newest first.
    pub(super) async fn serials(&self) -> Vec<u64> {
        let versions = self.console.client.state_versions(self.spec, &Default::default()).await.unwrap();
        versions.items.iter().map(|version| version.serial).collect()
    }

    /// The newest state as Terraform pulls it.
    pub(super) async fn pull(&self) -> Value {
        serde_json::from_str(&self.ok(&["state", "pull"]).await).unwrap()
    }

    /// Writes a state into the folder and pushes it.
    pub(super) async fn push(&self, state: &Value, more: &[&str]) -> Ran {
        std::fs::write(self.path("pushed.tfstate"), state.to_string()).unwrap();
        self.run(&[&["state", "push"], more, &["pushed.tfstate"]].concat()).await
    }
}

impl Line {
    async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (is_open, opened) = watch::channel(true);
        let (address, mut relay) = (listener.local_addr().unwrap(), JoinSet::new());
        relay.spawn(pass_on(listener, server, opened));
        Self { address, is_open, _relay: relay }
    }
}

/// Passes connections on. While the line is cut, each ends at once.
async fn pass_on(listener: TcpListener, server: SocketAddr, opened: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut opened = opened.clone();
        connections.spawn(async move {
            let pass = async {
                let mut server = TcpStream::connect(server).await?;
                io::copy_bidirectional(&mut client, &mut server).await
            };
            tokio::select! {
                biased;
                _ = opened.wait_for(|is_open| !is_open) => {}
                _ = pass => {}
            }
        });
    }
}

pub(super) async fn ended(child: Child) -> Ran {
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("it ends in time");
    let output = output.unwrap();
    let said = [output.stdout, output.stderr].concat();
    Ran { code: output.status.code().unwrap_or(-1), said: String::from_utf8(said).unwrap() }
}

/// Terraform breaks its sentences where the line ends.
fn in_one_line(said: &str) -> String {
    said.split(|symbol: char| symbol.is_whitespace() || "│╷╵".contains(symbol))
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

async fn when_there(path: &Path) {
    let waiting = async {
        while !path.exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it gets there in time");
}
