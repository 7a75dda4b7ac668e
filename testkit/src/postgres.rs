//! A throw-away PostgreSQL: a server of its own for each test process, a database of its own for each test.
//!
//! The server listens on a Unix socket alone and is not durable, unless it is asked to be. A shell holds a pipe from the
//! test process and stops the server when the pipe closes, so that a killed test leaves nothing behind. PostgreSQL
//! refuses to run as root; as root it runs as the user `postgres` that its package makes.

use std::{
    env, fs,
    io::Write,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

/// A running server.
pub struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
    account: Option<Account>,
    keeper: Mutex<Child>,
    databases: AtomicU32,
}

/// How a server ends that is to start again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Connections are ended, what they did is kept in order.
    Fast,
    /// As after a crash: the next start recovers.
    Immediate,
}

/// Whom the server runs as, where that is not who runs the test.
#[derive(Clone, Copy)]
struct Account {
    user: u32,
    group: u32,
}

const KEEPER: &str = r#"
programs=$1
folder=$2
shift 2
trap '' HUP INT TERM
start() {
  "$programs/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= "$@" >>"$folder/log" 2>&1 </dev/null &
  server=$!
}
start "$@"
while read -r order; do
  case "$order" in
    start) start "$@" ;;
    *) kill -s "$order" "$server"; wait "$server" ;;
  esac
done
kill -QUIT "$server"
wait "$server"
rm -rf "$folder"
"#;
/// Nothing of it has to outlive a power cut.
const THROW_AWAY: &[&str] = &[
    "-F",
    "-c",
    "synchronous_commit=off",
    "-c",
    "full_page_writes=off",
    "-c",
    "shared_buffers=32MB",
    "-c",
    "max_connections=60",
];
const PATIENCE: Duration = Duration::from_secs(60);

impl Postgres {
    /// The server of this test process.
    ///
    /// # Errors
    /// When there is no PostgreSQL on the machine or it does not start; the error says what to install.
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<std::result::Result<Postgres, String>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| Self::start().map_err(|error| format!("{error:#}")));
        shared.as_ref().map_err(|error| anyhow::anyhow!("{error}"))
    }

    /// Starts a server.
    ///
    /// # Errors
    /// When there is no PostgreSQL on the machine or it does not start; the error says what to install.
    pub fn start() -> Result<Self> {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { env::temp_dir() };
        Self::start_in(&parent, THROW_AWAY)
    }

    /// Starts a server with the settings that PostgreSQL ships with, on the disk that holds `parent`: each commit is
    /// there after a power cut. Not for tests, which need no such thing, but for whoever measures.
    ///
    /// # Errors
    /// When there is no PostgreSQL on the machine or it does not start; the error says what to install.
    pub fn durable(parent: &Path) -> Result<Self> {
        Self::start_in(parent, &[])
    }

    fn start_in(parent: &Path, settings: &[&str]) -> Result<Self> {
        let programs = programs()?;
        let account = account()?;
        let folder = folder(parent, account)?;
        initialize(&programs, &folder, account)?;
        let keeper = keep(&programs, &folder, account, settings)?;
        let keeper = Mutex::new(keeper);
        let server = Self { folder, programs, account, keeper, databases: AtomicU32::new(0) };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// Makes an empty database and tells its URL.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn create_database(&self) -> Result<String> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut command = run_as(&self.programs.join("createdb"), self.account);
        command.arg("--host").arg(&self.folder).args(["--username", "postgres", "--template", "template0"]);
        finish(command.arg(&name)).with_context(|| format!("failed to make the database {name}"))?;
        Ok(format!("postgres://postgres@localhost/{name}?host={}", self.folder.display()))
    }

    /// Ends all connections to the server's databases, as a restart or a broken network would.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn drop_connections(&self) -> Result<()> {
        let mut command = run_as(&self.programs.join("psql"), self.account);
        command.arg("--host").arg(&self.folder).args(["--username", "postgres", "--dbname", "postgres"]);
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() \
            AND backend_type = 'client backend'";
        finish(command.args(["--command", sql])).context("failed to end the connections").map(|_| ())
    }

    /// Stops the server until [`Postgres::start_again`].
    ///
    /// # Errors
    /// When it does not stop.
    pub fn stop(&self, how: Shutdown) -> Result<()> {
        let order = match how {
            Shutdown::Fast => "INT",
            Shutdown::Immediate => "QUIT",
        };
        self.order(order)?;
        let deadline = Instant::now() + PATIENCE;
        while self.pid_file().exists() {
            ensure!(Instant::now() < deadline, "PostgreSQL did not stop within {PATIENCE:?}");
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Starts a server that was stopped.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&self) -> Result<()> {
        self.order("start")?;
        self.wait_until_ready()
    }

    /// What a query gives, as one JSON array of objects.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn rows(&self, database: &str, query: &str) -> Result<String> {
        let mut command = run_as(&self.programs.join("psql"), self.account);
        command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", database]);
        let sql = format!("SELECT COALESCE(json_agg(rows), '[]') FROM ({query}) rows");
        let output = finish(command.args(["--command", &sql]))?;
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Runs statements, such as those of a dump, of any length: all of them or none.
    ///
    /// # Errors
    /// When the server refuses one.
    pub fn run(&self, database: &str, statements: &str) -> Result<()> {
        let mut command = run_as(&self.programs.join("psql"), self.account);
        command.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--single-transaction"]);
        command.args(["--dbname", database, "--file", "-"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut psql = command.spawn().context("failed to run psql")?;
        let mut pipe = psql.stdin.take().context("psql has its pipe")?;
        let written = pipe.write_all(statements.as_bytes());
        drop(pipe);
        // One that stops at a statement reads no more; it says why.
        let output = psql.wait_with_output()?;
        ensure!(output.status.success(), "psql failed: {}", String::from_utf8_lossy(&output.stderr));
        written.context("psql did not read all statements")
    }

    /// Everything that is in a database, as text.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn dump(&self, database: &str) -> Result<Vec<u8>> {
        let mut command = run_as(&self.programs.join("pg_dump"), self.account);
        Ok(finish(command.arg("--inserts").arg(database))?.stdout)
    }

    fn order(&self, order: &str) -> Result<()> {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let pipe = keeper.stdin.as_mut().context("the keeper has its pipe until the end")?;
        writeln!(pipe, "{order}").context("the keeper of the throw-away PostgreSQL is gone")
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.join("data/postmaster.pid")
    }

    /// The last line of `postmaster.pid` says when connections are accepted.
    fn wait_until_ready(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let pid_file = self.pid_file();
        while Instant::now() < deadline {
            let status = fs::read_to_string(&pid_file).unwrap_or_default();
            if status.trim_end().ends_with("ready") {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(5));
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        bail!("PostgreSQL did not start within {PATIENCE:?}; it said:\n{log}")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let keeper = self.keeper.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(keeper.stdin.take());
        if let Err(error) = keeper.wait() {
            eprintln!("the throw-away PostgreSQL was not stopped: {error}");
        }
    }
}

/// The folder with `initdb` and `postgres`, of the latest version there is.
fn programs() -> Result<PathBuf> {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = installed
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    let packaged = versions.into_iter().rev().map(|(_, folder)| folder);
    let path = env::var_os("PATH").unwrap_or_default();
    packaged
        .chain(env::split_paths(&path).collect::<Vec<_>>())
        .find(|folder| ["initdb", "postgres", "createdb"].iter().all(|name| folder.join(name).is_file()))
        .context("PostgreSQL is missing: these tests need it; on Debian and Ubuntu run `apt-get install postgresql`")
}

/// The user `postgres` when the test runs as root.
fn account() -> Result<Option<Account>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").context("failed to read /etc/passwd")?;
    let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let postgres = fields.into_iter().find(|fields| fields.first() == Some(&"postgres") && fields.len() > 3);
    let postgres = postgres.context("PostgreSQL does not run as root, and there is no user `postgres`")?;
    Ok(Some(Account { user: postgres[2].parse()?, group: postgres[3].parse()? }))
}

/// A new private folder.
fn folder(parent: &Path, account: Option<Account>) -> Result<PathBuf> {
    let folder = tempfile::Builder::new().prefix("alethia-pg-").tempdir_in(parent)?.keep();
    if let Some(Account { user, group }) = account {
        chown(&folder, Some(user), Some(group)).context("failed to give the folder to the user postgres")?;
    }
    Ok(folder)
}

/// Copies a data folder that an earlier test made, or makes it.
fn initialize(programs: &Path, folder: &Path, account: Option<Account>) -> Result<()> {
    let data = folder.join("data");
    let template = template(programs)?;
    if !template.is_dir() {
        make_data_folder(programs, &data, account)?;
        return offer(&data, &template);
    }
    finish(Command::new("cp").arg("-a").arg(&template).arg(&data)).map(|_| ())
}

/// In the folder of the test's own program, so that it goes with the build.
fn template(programs: &Path) -> Result<PathBuf> {
    let program = env::current_exe().context("failed to find the test's own program")?;
    let build = program.parent().context("the test's own program is in no folder")?;
    Ok(build.join(format!("postgres{}", programs.display().to_string().replace('/', "-"))))
}

/// Copies the fresh data folder to where later tests look for it. Another test may be first; then that one stays.
fn offer(data: &Path, template: &Path) -> Result<()> {
    let copy = template.with_extension(std::process::id().to_string());
    finish(Command::new("cp").arg("-a").arg(data).arg(&copy))?;
    if fs::rename(&copy, template).is_err() {
        fs::remove_dir_all(&copy).context("failed to remove a data folder that is not needed")?;
    }
    Ok(())
}

fn make_data_folder(programs: &Path, data: &Path, account: Option<Account>) -> Result<()> {
    let mut command = run_as(&programs.join("initdb"), account);
    command.arg("--pgdata").arg(data).args([
        "--auth=trust",
        "--no-sync",
        "--no-instructions",
        "--username=postgres",
        "--encoding=UTF8",
        "--locale=C",
    ]);
    finish(&mut command).context("failed to initialize PostgreSQL").map(|_| ())
}

fn keep(programs: &Path, folder: &Path, account: Option<Account>, settings: &[&str]) -> Result<Child> {
    let mut command = run_as(Path::new("/bin/sh"), account);
    command.args(["-c", KEEPER, "sh"]).arg(programs).arg(folder).args(settings);
    command.current_dir(folder).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().context("failed to start PostgreSQL")
}

fn run_as(program: &Path, account: Option<Account>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/");
    if let Some(Account { user, group }) = account {
        command.uid(user).gid(group);
    }
    command
}

fn finish(command: &mut Command) -> Result<Output> {
    let output = command.output().with_context(|| format!("failed to run {:?}", command.get_program()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{:?} failed: {said}", command.get_program());
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::{Postgres, Shutdown};

    #[test]
    fn a_dropped_server_leaves_nothing() {
        let server = Postgres::start().unwrap();
        let folder = server.folder.clone();
        assert!(server.create_database().unwrap().contains(&*folder.to_string_lossy()));
        drop(server);
        assert!(!folder.exists());
    }

    #[test]
    fn statements_of_any_length_run_until_one_fails() {
        let server = Postgres::start().unwrap();
        let database = server.create_database().unwrap();
        // More than a single argument of a program may have.
        let long = "x".repeat(256 * 1024);
        server.run(&database, &format!("CREATE TABLE t AS SELECT '{long}' AS text;")).unwrap();
        assert!(server.run(&database, "DELETE FROM t; SELECT 1 / 0;").is_err());
        let rows = server.rows(&database, "SELECT length(text) AS length FROM t").unwrap();
        assert_eq!(rows.trim(), r#"[{"length":262144}]"#);
    }

    #[test]
    fn a_server_that_was_stopped_starts_again_with_what_it_had() {
        let server = Postgres::start().unwrap();
        let database = server.create_database().unwrap();
        for how in [Shutdown::Fast, Shutdown::Immediate] {
            server.stop(how).unwrap();
            assert!(server.rows(&database, "SELECT 1 AS one").is_err());
            server.start_again().unwrap();
            assert_eq!(server.rows(&database, "SELECT 1 AS one").unwrap().trim(), r#"[{"one":1}]"#);
        }
    }
}
