//! What a Console is told at its start. The command line fills it; every field has a default that works on one machine.
//!
//! Absent on purpose: reading files and the environment, which is the command line's business.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::app::claims::LONGEST_WAIT;

/// Settings of a Console.
#[derive(Clone)]
pub struct Config {
    /// Where it listens; port 0 takes a free one. Loopback by default.
    pub listen: SocketAddr,
    /// Folder for what is kept on this machine: keys, the owner's token, and by default database and blobs.
    pub data_dir: PathBuf,
    /// `sqlite://PATH` or `postgres://…`; may hold a password.
    pub database: String,
    /// Where states, plans and finished logs are: `file:///PATH`, `s3://BUCKET/PREFIX`, `gs://…` or `az://…`.
    pub blobs: String,
    /// How long an attempt is valid without a heartbeat.
    pub lease: Duration,
    /// How long is kept what nobody needs any more.
    pub keep: Keep,
    /// How long the database is waited for at the start.
    pub database_wait: Duration,
    /// How long it goes on once it is told to end, while `/readyz` says so already: until whoever spreads requests over
    /// several Consoles has noticed.
    pub drain: Duration,
    /// Whether a proxy stands in front, whose `X-Forwarded-For` is to be believed.
    pub behind_proxy: bool,
    /// Limits on what clients may send and keep open.
    pub limits: Limits,
}

/// How long is kept what nobody needs any more, in days; 0 is for ever.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// Events. Those of a job that is not over stay.
    pub events: u32,
    /// Entries of the audit log.
    pub audit: u32,
}

/// Limits on what clients may send and keep open.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest body of an ordinary request, in bytes.
    pub body: usize,
    /// Largest batch of log chunks, in bytes.
    pub logs: usize,
    /// Largest plan file, in bytes.
    pub plan_file: usize,
    /// Largest Terraform state, in bytes.
    pub state: usize,
    /// How long an ordinary request may take.
    pub request_time: Duration,
    /// How long an upload or a download may take.
    pub transfer_time: Duration,
    /// How long a connection may be idle, and how long the head of a request may take.
    pub idle_time: Duration,
    /// How long a stream lasts. Its client opens another where it was, if its token is still good.
    pub stream_time: Duration,
    /// How many connections are served at once.
    pub connections: usize,
    /// How many event streams are open at once.
    pub streams: usize,
    /// How many claims wait at once.
    pub claims: usize,
    /// How often in a minute an address may come without a valid token.
    pub failures: u32,
}

const MEBIBYTE: usize = 1024 * 1024;

impl Config {
    /// A Console that keeps everything in one folder and listens on a free port of the loopback interface.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        let data_dir = data_dir.into();
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            database: sqlite_url(&data_dir.join("alethia.db")),
            blobs: format!("file://{}", data_dir.join("blobs").display()),
            lease: Duration::from_secs(30),
            keep: Keep::default(),
            database_wait: Duration::from_secs(60),
            drain: Duration::ZERO,
            behind_proxy: false,
            limits: Limits::default(),
            data_dir,
        }
    }

    /// File with the token of the owner.
    pub fn owner_token_file(&self) -> PathBuf {
        owner_token_file(&self.data_dir)
    }

    /// File with the key that states and plans are sealed with.
    pub fn master_key_file(&self) -> PathBuf {
        self.data_dir.join("master-key")
    }
}

/// File with the token of the owner of the Console that keeps its data in `data_dir`.
pub fn owner_token_file(data_dir: &Path) -> PathBuf {
    data_dir.join("owner-token")
}

impl Limits {
    /// How long a request may take that waits for something to happen.
    pub(crate) fn waiting_time(&self) -> Duration {
        self.request_time + Duration::from_secs(LONGEST_WAIT.into())
    }
}

impl Default for Keep {
    fn default() -> Self {
        Self { events: 30, audit: 365 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: MEBIBYTE,
            logs: 4 * MEBIBYTE,
            plan_file: 64 * MEBIBYTE,
            state: 64 * MEBIBYTE,
            request_time: Duration::from_secs(30),
            transfer_time: Duration::from_secs(600),
            // Longer than clients keep idle connections (90 s in reqwest): who closes first must not be the one who is
            // about to be asked.
            idle_time: Duration::from_secs(100),
            stream_time: Duration::from_secs(15 * 60),
            connections: 4096,
            streams: 2048,
            claims: 1024,
            failures: 30,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("listen", &self.listen)
            .field("data_dir", &self.data_dir)
            .field("database", &without_password(&self.database))
            .field("blobs", &self.blobs)
            .field("lease", &self.lease)
            .field("keep", &self.keep)
            .field("database_wait", &self.database_wait)
            .field("drain", &self.drain)
            .field("behind_proxy", &self.behind_proxy)
            .field("limits", &self.limits)
            .finish()
    }
}

/// A path may hold what means something in a URL.
fn sqlite_url(path: &Path) -> String {
    format!("sqlite://{}", path.display().to_string().replace('%', "%25").replace('?', "%3F"))
}

/// The address of a database as it may be shown.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "***".to_owned() };
    let (place, query) = match rest.split_once('?') {
        Some((place, _)) => (place, "?***"),
        None => (rest, ""),
    };
    match rest.rsplit_once('@') {
        // A password may hold a question mark.
        Some((_, host)) => {
            let host = host.split_once('?').map_or(host, |(host, _)| host);
            format!("{scheme}://***@{host}{query}")
        }
        None => format!("{scheme}://{place}{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_never_prints_the_database_password() {
        let mut config = Config::new("/var/lib/alethia");
        config.database = "postgres://alethia:planted-secret@db:5432/alethia".to_owned();
        let text = format!("{config:?}");
        assert!(!text.contains("planted-secret"), "{text}");
        assert!(text.contains("postgres://***@db:5432/alethia"), "{text}");
        config.database = "postgres://db/alethia?user=a&password=planted-secret".to_owned();
        let text = format!("{config:?}");
        assert!(!text.contains("planted-secret"), "{text}");
        assert!(text.contains("postgres://db/alethia?***"), "{text}");
    }
}
