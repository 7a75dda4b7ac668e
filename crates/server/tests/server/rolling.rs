//! A rolling restart: two Consoles behind something that spreads connections, ended and started again one after the
//! other. Nobody sees a failed request, and no stream has a gap.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use alethia_api::{
    client::{Client, ClientError, JobClient, RunnerClient, StreamItem},
    logs::LogChunk,
    runner::AppendLogs,
    runners::NewRunner,
    specs::PutSpec,
};
use alethia_domain::{
    ids::SpecId,
    lifecycle::{JobStatus, JobType},
};
use alethia_server::{Config, Server};
use alethia_testkit::postgres::Postgres;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::support::{claim_request, document, key, new_job, success};

/// Spreads connections over the Consoles that say that they are ready.
#[derive(Clone, Default)]
struct Spreader {
    consoles: Arc<Mutex<Vec<SocketAddr>>>,
    turn: Arc<AtomicUsize>,
}

impl Spreader {
    async fn run(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let spreader = self.clone();
            connections.spawn(async move {
                if let Some(mut console) = spreader.connect().await {
                    let _broken_off = copy_bidirectional(&mut client, &mut console).await;
                }
            });
        }
    }

    async fn connect(&self) -> Option<TcpStream> {
        let known = self.consoles.lock().unwrap().clone();
        for _ in &known {
            let address = known[self.turn.fetch_add(1, Ordering::Relaxed) % known.len()];
            if is_ready(address).await
                && let Ok(stream) = TcpStream::connect(address).await
            {
                return Some(stream);
            }
        }
        None
    }

    fn set(&self, consoles: &[&Server]) {
        *self.consoles.lock().unwrap() = consoles.iter().map(|console| console.address()).collect();
    }
}

async fn is_ready(address: SocketAddr) -> bool {
    let answer = reqwest::get(format!("http://{address}/readyz")).await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

fn config(folder: &Path, shared: &Path, database: &str) -> Config {
    let mut config = Config::new(folder);
    config.database = database.to_owned();
    config.blobs = Config::new(shared).blobs;
    config.drain = Duration::from_millis(300);
    config
}

/// Writes, reads, makes jobs and calls them off, until it is told to end; tells how often.
async fn work(client: Client, name: String, stop: CancellationToken) -> u64 {
    let mut rounds = 0;
    while !stop.is_cancelled() {
        let mut written = document(&["orders", &format!("mails-{}", rounds % 2)]);
        written["name"] = name.as_str().into();
        let put = PutSpec { document: written, message: None };
        let spec = client.put_spec("default", &name, &put, None).await.unwrap().spec;
        assert_eq!(client.spec(spec.id).await.unwrap().spec.name, name);
        client.specs(&Default::default()).await.unwrap();
        // For a Runner that is not there.
        let job =
            alethia_api::jobs::NewJob { required_labels: vec!["none".to_owned()], ..new_job(JobType::Plan) };
        let job = client.create_job(spec.id, &job, &key()).await.unwrap();
        assert_eq!(client.cancel_job(job.id).await.unwrap().status, JobStatus::Cancelled);
        rounds += 1;
    }
    rounds
}

/// As a Runner does: what has no answer is said again.
async fn persist<T, F>(mut call: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, ClientError>>,
{
    loop {
        match call().await {
            Ok(answer) => return answer,
            Err(error) if error.is_transient() => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// Takes the job and writes lines until it is told to end; tells how many.
async fn run(runner: RunnerClient, written: Arc<AtomicU64>, stop: CancellationToken) {
    let request = claim_request(5);
    let claim = persist(|| runner.claim(&request)).await.expect("a job waits");
    let job: JobClient = runner.job(&claim);
    persist(|| job.start()).await;
    while !stop.is_cancelled() {
        let sequence = written.fetch_add(1, Ordering::Relaxed) + 1;
        let (at, text) = (chrono::Utc::now(), format!("line {sequence}\n"));
        let logs = AppendLogs { chunks: vec![LogChunk { attempt: 1, sequence, at, text }] };
        persist(|| job.append_logs(&logs)).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let finish = success();
    persist(|| job.finish(&finish)).await;
}

/// Follows the job to its end; tells the numbers of its lines.
async fn follow(client: Client, job: alethia_domain::ids::JobId) -> Vec<u64> {
    let (mut stream, mut lines) = (client.follow_job(job, None), Vec::new());
    while let Some(item) = stream.next().await.unwrap() {
        if let StreamItem::Log(chunk) = item {
            lines.push(chunk.sequence);
        }
    }
    lines
}

async fn a_spec(client: &Client, name: &str) -> SpecId {
    let mut written = document(&["orders"]);
    written["name"] = name.into();
    let put = PutSpec { document: written, message: None };
    client.put_spec("default", name, &put, None).await.unwrap().spec.id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_notices_a_rolling_restart() {
    let database = Postgres::shared().unwrap().create_database().unwrap();
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let settings = |folder: &Path| config(folder, first.path(), &database);
    let one = Server::start(settings(first.path())).await.unwrap();
    std::fs::copy(settings(first.path()).master_key_file(), settings(second.path()).master_key_file())
        .unwrap();
    let other = Server::start(settings(second.path())).await.unwrap();
    let spreader = Spreader::default();
    spreader.set(&[&one, &other]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let spreading = tokio::spawn(spreader.clone().run(listener));

    let client = Client::new(&url, one.owner_token()).unwrap();
    let registered =
        client.register_runner(&NewRunner { name: "runner".to_owned(), labels: Vec::new() }).await.unwrap();
    let runner = RunnerClient::new(&url, &registered.token).unwrap();
    let spec = a_spec(&client, "shop").await;
    let job = client.create_job(spec, &new_job(JobType::Deploy), &key()).await.unwrap();
    let (stop, written) = (CancellationToken::new(), Arc::new(AtomicU64::new(0)));
    let running = tokio::spawn(run(runner, written.clone(), stop.clone()));
    let following: Vec<_> = (0..3).map(|_| tokio::spawn(follow(client.clone(), job.id))).collect();
    let mut workers = JoinSet::new();
    for name in ["blog", "mail"] {
        workers.spawn(work(client.clone(), name.to_owned(), stop.clone()));
    }
    let lines = async |more: u64| {
        let until = written.load(Ordering::Relaxed) + more;
        while written.load(Ordering::Relaxed) < until {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };

    lines(10).await;
    one.shutdown().await;
    let one = Server::start(settings(first.path())).await.unwrap();
    spreader.set(&[&one, &other]);
    lines(10).await;
    other.shutdown().await;
    let other = Server::start(settings(second.path())).await.unwrap();
    spreader.set(&[&one, &other]);
    lines(10).await;

    stop.cancel();
    while let Some(rounds) = workers.join_next().await {
        assert!(rounds.unwrap() > 0);
    }
    running.await.unwrap();
    let all: Vec<u64> = (1..=written.load(Ordering::Relaxed)).collect();
    for followed in following {
        assert_eq!(followed.await.unwrap(), all, "no gap and no double");
    }
    spreading.abort();
    one.shutdown().await;
    other.shutdown().await;
}
