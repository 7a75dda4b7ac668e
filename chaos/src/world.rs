//! The platform of a run: PostgreSQL, Consoles, Runners, the sandbox cloud and the gates between them.
//!
//! Everything lives in the run's folder, but the database, whose dump is put there at the end. Runners share the cloud
//! and the cache of providers, as Runners of one machine do; each has a gate of its own, and people have one.

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use alethia_api::{client::Client, runners::NewRunner, zones::NewZone};
use alethia_sandbox::{
    cloud::Cloud,
    faults::{self, Rule},
};
use alethia_testkit::postgres::Postgres;
use anyhow::{Context, Result, bail};

use crate::{
    chronicle::Chronicle,
    clock,
    disk::SmallDisk,
    journal::{JOURNAL, Journal, REAL},
    people::ZONES,
    process::{Process, Recipe},
    proxy::{Gate, Traffic},
    settings::Settings,
};

/// A secret in the environment of every Runner. It must not show up anywhere.
pub(crate) const PLANTED: &str = "chaos-planted-0f4ac1e27b3d5968";
const RUNNERS: [&str; 6] = ["north", "east", "south", "west", "upper", "lower"];
const CONSOLES: [&str; 3] = ["first", "second", "third"];
/// How long a Console may take to be there.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything that runs.
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) chronicle: Chronicle,
    pub(crate) postgres: Postgres,
    pub(crate) database: String,
    pub(crate) consoles: Vec<Node>,
    pub(crate) runners: Vec<Node>,
    /// The disk that can be filled, and which Runner works on it.
    pub(crate) disk: Option<(usize, SmallDisk)>,
    pub(crate) people: Gate,
    pub(crate) token: String,
    pub(crate) cloud: Cloud,
    pub(crate) journal: Journal,
}

/// A process that is started again when it is gone, and where its children work.
pub(crate) struct Node {
    pub(crate) name: &'static str,
    pub(crate) recipe: Recipe,
    pub(crate) works_in: PathBuf,
    /// The way to the Consoles, for a Runner.
    pub(crate) gate: Option<Gate>,
    process: Mutex<Option<Process>>,
    /// Held while a fault has it.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

impl World {
    /// Starts everything.
    ///
    /// # Errors
    /// When something does not start.
    pub(crate) async fn start(settings: Settings) -> Result<Self> {
        let folder = settings.folder.clone();
        for inner in ["consoles", "runners", "tools", "cache"] {
            fs::create_dir_all(folder.join(inner))?;
        }
        let chronicle = Chronicle::begin(&folder.join("chronicle.log"), settings.is_loud)?;
        let journal = Journal::create(&folder.join("journal"))?;
        let cloud = Cloud::open(folder.join("cloud"))?;
        slow_down(&cloud)?;
        let postgres = Postgres::durable(in_memory())?;
        let database = postgres.create_database()?;
        let consoles = start_consoles(&settings, &database)?;
        let addresses = consoles.iter().map(|console| address(console).map(|(_, address)| address));
        let addresses = addresses.collect::<Result<Vec<SocketAddr>>>()?;
        let token = fs::read_to_string(folder.join("consoles/first/owner-token"))?.trim().to_owned();
        let people = Gate::open(addresses.clone(), settings.seed).await?;
        let client = Client::new(&format!("http://{}", people.address), &token)?;
        make_zones(&client).await?;
        let (mut runners, mut disk) = (Vec::new(), None);
        for (number, name) in RUNNERS.into_iter().take(settings.runners).enumerate() {
            let gate = Gate::open(addresses.clone(), settings.seed.wrapping_add(1 + number as u64)).await?;
            let node =
                make_runner(&settings, &client, name, gate, clock::of_runner(number, settings.runners))
                    .await?;
            if number == 1 {
                disk = SmallDisk::mount(&node.works_in)?.map(|disk| (number, disk));
            }
            node.start()?;
            runners.push(node);
        }
        Ok(Self {
            settings,
            chronicle,
            postgres,
            database,
            consoles,
            runners,
            disk,
            people,
            token,
            cloud,
            journal,
        })
    }

    /// A person's client, through the weather.
    pub(crate) fn client(&self) -> Result<Client> {
        Ok(Client::new(&format!("http://{}", self.people.address), &self.token)?)
    }

    /// Whoever ended by itself is started again, as a service manager does; says who.
    pub(crate) fn look_after(&self) -> Result<Vec<&'static str>> {
        let mut gone = Vec::new();
        for node in self.consoles.iter().chain(&self.runners) {
            if node.process().as_mut().is_some_and(Process::is_gone) {
                gone.push(node.name);
                node.start()?;
            }
        }
        Ok(gone)
    }

    /// Faults that this machine does not allow.
    pub(crate) fn left_out(&self) -> Vec<String> {
        let disk = self
            .disk
            .is_none()
            .then_some("no disk was full: it takes one of its own, which may not be mounted here");
        let clock = clock::library().is_none().then_some("no clock was wrong: faketime is not installed");
        disk.into_iter().chain(clock).map(str::to_owned).collect()
    }

    /// What happened to requests on their way.
    pub(crate) fn traffic(&self) -> String {
        let gates = self.runners.iter().filter_map(|runner| runner.gate.as_ref()).chain([&self.people]);
        gates.fold(Traffic::default(), |sum, gate| sum + gate.traffic()).to_string()
    }

    /// Ends everything in an orderly way: Runners first.
    pub(crate) fn end(&self) -> Result<()> {
        for node in self.runners.iter().chain(&self.consoles) {
            if let Some(mut process) = node.process().take() {
                process.end()?;
            }
        }
        self.people.close();
        self.runners.iter().filter_map(|runner| runner.gate.as_ref()).for_each(Gate::close);
        Ok(())
    }
}

impl Node {
    pub(crate) fn start(&self) -> Result<()> {
        let process = self.recipe.start()?;
        *self.process() = Some(process);
        Ok(())
    }

    /// What runs, to be hurt.
    pub(crate) fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What runs, to be ended.
    pub(crate) fn take(&self) -> Option<Process> {
        let mut process = self.process().take()?;
        (!process.is_gone()).then_some(process)
    }

    /// Whether nothing runs.
    pub(crate) fn is_gone(&self) -> bool {
        self.process().as_mut().is_none_or(Process::is_gone)
    }

    pub(crate) fn freeze(&self) {
        if let Some(process) = self.process().as_ref() {
            process.freeze();
        }
    }

    pub(crate) fn thaw(&self) {
        if let Some(process) = self.process().as_ref() {
            process.thaw();
        }
    }

    fn new(name: &'static str, recipe: Recipe, works_in: PathBuf, gate: Option<Gate>) -> Self {
        Self { name, recipe, works_in, gate, process: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }
}

/// Commits must outlive a crash of the server, not one of the machine.
fn in_memory() -> &'static Path {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory } else { Path::new("/tmp") }
}

/// Applies take as long as in a cloud that is quick.
fn slow_down(cloud: &Cloud) -> Result<()> {
    let rule = Rule { target: "aws_*".to_owned(), latency_ms: Some(600), ..Rule::default() };
    Ok(faults::add(cloud.root(), rule)?)
}

async fn make_zones(client: &Client) -> Result<()> {
    for name in ZONES.into_iter().filter(|name| *name != "default") {
        client.create_zone(&NewZone { name: name.to_owned(), description: None, max_jobs: Some(2) }).await?;
    }
    Ok(())
}

fn start_consoles(settings: &Settings, database: &str) -> Result<Vec<Node>> {
    let mut consoles: Vec<Node> = Vec::new();
    for name in CONSOLES.into_iter().take(settings.consoles) {
        let folder = settings.folder.join("consoles").join(name);
        fs::create_dir_all(&folder)?;
        if let Some(first) = consoles.first() {
            for file in ["master-key", "owner-token"] {
                fs::copy(first.works_in.join(file), folder.join(file))?;
            }
        }
        let mut node = Node::new(name, console(settings, database, name, &folder), folder, None);
        node.start()?;
        let (text, _) = address(&node)?;
        // It is found at the same place when it starts again.
        node.recipe.arguments.extend(["--listen".to_owned(), text]);
        consoles.push(node);
    }
    Ok(consoles)
}

fn console(settings: &Settings, database: &str, name: &str, folder: &Path) -> Recipe {
    let blobs = format!("file://{}", settings.folder.join("blobs").display());
    let (lease, data) = (settings.lease.to_string(), folder.display().to_string());
    let mut arguments = vec!["serve", "--database", database, "--blobs", &blobs, "--lease", &lease];
    arguments.extend(["--data-dir", &data]);
    Recipe {
        name: name.to_owned(),
        program: settings.console.clone().unwrap_or_else(|| settings.alethia.clone()),
        arguments: arguments.into_iter().map(str::to_owned).collect(),
        environment: vec![
            ("ALETHIA_LOG".to_owned(), "info".to_owned()),
            ("ALETHIA_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
        ],
        home: folder.to_owned(),
        log: settings.folder.join(format!("{name}.log")),
    }
}

/// Where a Console says that it listens.
fn address(console: &Node) -> Result<(String, SocketAddr)> {
    let (file, deadline) = (console.works_in.join("console.json"), Instant::now() + PATIENCE);
    loop {
        let told =
            fs::read(&file).ok().and_then(|told| serde_json::from_slice::<serde_json::Value>(&told).ok());
        if let Some(address) = told.as_ref().and_then(|told| told["address"].as_str()) {
            let address = address.trim_start_matches("http://").to_owned();
            let socket = address.parse().with_context(|| format!("{address} is no address"))?;
            return Ok((address, socket));
        }
        if console.is_gone() || Instant::now() > deadline {
            let said = fs::read_to_string(&console.recipe.log).unwrap_or_default();
            let last = said.lines().rev().take(3).collect::<Vec<_>>();
            bail!("the Console {} did not start; it said, last line first: {last:#?}", console.name);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

async fn make_runner(
    settings: &Settings,
    client: &Client,
    name: &'static str,
    gate: Gate,
    clock: Vec<(String, String)>,
) -> Result<Node> {
    let folder = settings.folder.join("runners").join(name);
    let sandbox = folder.join("sandbox");
    let works_in = folder.join("runners").join(name);
    for inner in [&sandbox, &works_in] {
        fs::create_dir_all(inner)?;
    }
    symlink(settings.folder.join("cloud"), sandbox.join("cloud"))?;
    symlink(settings.folder.join("cache"), folder.join("cache"))?;
    let registered = client.register_runner(&NewRunner { name: name.to_owned(), labels: Vec::new() }).await?;
    let token_file = folder.join("token");
    fs::write(&token_file, &registered.token)?;
    let tool = tool(settings, name)?;
    let (server, data) = (format!("http://{}", gate.address), folder.display().to_string());
    let (token, tool) = (token_file.display().to_string(), tool.display().to_string());
    let mut arguments = vec!["runner", "start", "--server", &server, "--token-file", &token, "--name", name];
    arguments.extend(["--data-dir", &data, "--tool", &tool, "--drain", "5"]);
    let own = [("ALETHIA_LOG", "info"), ("AWS_SECRET_ACCESS_KEY", PLANTED)];
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let environment = own.into_iter().chain(clock).collect();
    let recipe = Recipe {
        name: name.to_owned(),
        program: settings.alethia.clone(),
        arguments: arguments.into_iter().map(str::to_owned).collect(),
        environment,
        home: folder.clone(),
        log: settings.folder.join(format!("{name}.log")),
    };
    Ok(Node::new(name, recipe, works_in, Some(gate)))
}

/// The links that the stand-in finds its way by.
fn tool(settings: &Settings, name: &str) -> Result<PathBuf> {
    let folder = settings.folder.join("tools").join(name);
    fs::create_dir_all(&folder)?;
    symlink(settings.folder.join("journal"), folder.join(JOURNAL))?;
    symlink(&settings.terraform, folder.join(REAL))?;
    let tool = folder.join("terraform");
    symlink(&settings.stand_in, &tool)?;
    Ok(tool)
}
