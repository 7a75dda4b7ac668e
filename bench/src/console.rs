//! A Console as a process of its own: the release binary, as people run it. What it costs is read from the system.

use std::{
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::{
    fs,
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::{
    ground::{Scene, target},
    wire::Wire,
};

/// How long a Console may take to be there, and to be gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// A Console that runs. It is killed with the value.
pub(crate) struct Console {
    child: Child,
    pid: Pid,
    /// `HOST:PORT`.
    pub(crate) address: String,
    /// The owner's.
    pub(crate) token: String,
}

/// A job that the bench has as its Runner.
pub(crate) struct Held {
    /// `/runner/jobs/ID`.
    pub(crate) path: String,
    pub(crate) id: String,
    /// Speaks with the token of the attempt.
    pub(crate) wire: Wire,
}

impl Console {
    /// Starts one on a scene, with a lease that no measurement outlasts.
    pub(crate) async fn start(scene: &Scene) -> Result<Self> {
        let data = data(scene).await?;
        let mut command = alethia()?;
        command.args(["serve", "--listen", "127.0.0.1:0", "--lease", "600", "--database", &scene.database]);
        command.arg("--data-dir").arg(&data).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(std::fs::File::create(scene.folder.join("console.log"))?);
        let child = command.spawn().context("failed to start a Console")?;
        let pid = pid(&child)?;
        let told: Value = serde_json::from_str(&appearing(&data.join("console.json")).await?)?;
        let address = told["address"].as_str().context("the Console said no address")?;
        let address = address.trim_start_matches("http://").to_owned();
        let token = fs::read_to_string(data.join("owner-token")).await?.trim().to_owned();
        Ok(Self { child, pid, address, token })
    }

    /// A connection that speaks as the owner.
    pub(crate) async fn wire(&self) -> Result<Wire> {
        Wire::connect(&self.address, &self.token).await
    }

    /// A connection that speaks as a new Runner of this name.
    pub(crate) async fn runner(&self, name: &str) -> Result<Wire> {
        let mut wire = self.wire().await?;
        wire.speak_as(&self.register(name).await?);
        Ok(wire)
    }

    /// The token of a new Runner.
    pub(crate) async fn register(&self, name: &str) -> Result<String> {
        let runner = self.wire().await?.json("POST", "/runners", &json!({ "name": name })).await?;
        Ok(runner["token"].as_str().context("the Runner has no token")?.to_owned())
    }

    /// Claims and starts so many of the jobs that wait.
    pub(crate) async fn hold(&self, jobs: usize) -> Result<Vec<Held>> {
        let mut runner = self.runner(&format!("holder-{}", std::process::id())).await?;
        let mut held = Vec::new();
        for _ in 0..jobs {
            let claim = runner.json("POST", "/runner/claim", &claim_request(0)).await?;
            let (id, token) = (claim["job_id"].as_str(), claim["job_token"].as_str());
            let (id, token) = (id.context("there is no job")?, token.context("there is no token")?);
            let mut wire = Wire::connect(&self.address, token).await?;
            let path = format!("/runner/jobs/{id}");
            wire.json("POST", &format!("{path}/start"), &Value::Null).await?;
            held.push(Held { path, id: id.to_owned(), wire });
        }
        Ok(held)
    }

    /// Processor time that it used so far.
    pub(crate) fn used(&self) -> Result<Duration> {
        let stat = self.read("stat")?;
        // The second field is a name in parentheses, which may hold anything.
        let (_, rest) = stat.rsplit_once(')').context("the system tells no processor time")?;
        let ticks: u64 =
            rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Ok(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
    }

    /// Memory that it holds, in mebibytes.
    pub(crate) fn memory(&self) -> Result<f64> {
        let status = self.read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        Ok(kibibytes.context("the system tells no memory")? / 1024.0)
    }

    /// Ends it as an administrator does.
    pub(crate) async fn stop(mut self) -> Result<()> {
        kill_process(self.pid, Signal::TERM)?;
        timeout(PATIENCE, self.child.wait()).await.context("the Console does not end")??;
        Ok(())
    }

    fn read(&self, what: &str) -> Result<String> {
        let path = format!("/proc/{}/{what}", self.pid.as_raw_nonzero());
        std::fs::read_to_string(path).context("the Console has ended")
    }
}

/// The release binary, which lies beside this program, with an environment of its own.
pub(crate) fn alethia() -> Result<Command> {
    let program = target()?.join("release").join("alethia");
    ensure!(program.is_file(), "{} is not there; `cargo xtask bench` builds it", program.display());
    let mut command = Command::new(program);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).kill_on_drop(true);
    Ok(command)
}

/// What a Runner asks with.
pub(crate) fn claim_request(wait_seconds: u16) -> Value {
    json!({
        "contract": alethia_api::CONTRACT_VERSION, "version": env!("CARGO_PKG_VERSION"), "tool": "bench",
        "wait_seconds": wait_seconds,
    })
}

/// The data folder of a scene's Console, with the key that the scene was sealed with.
pub(crate) async fn data(scene: &Scene) -> Result<PathBuf> {
    let data = scene.folder.join("console");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&data).await?;
    if scene.key.is_file() {
        fs::copy(&scene.key, data.join("master-key")).await?;
    }
    Ok(data)
}

pub(crate) fn pid(child: &Child) -> Result<Pid> {
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    id.context("a process ended as soon as it began")
}

async fn appearing(path: &PathBuf) -> Result<String> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        match fs::read_to_string(path).await {
            Ok(text) if !text.is_empty() => return Ok(text),
            Ok(_) | Err(_) => sleep(Duration::from_millis(5)).await,
        }
    }
    bail!("the Console did not start; see console.log in its folder")
}
