//! What a command works with: from flags, then `ALETHIA_*`, then the configuration file, then defaults.
//!
//! Each value remembers where it came from, so that `alethia config --effective` can say it. Unknown keys of the file
//! are refused. There is no key for a token itself, on purpose: a file that is copied around holds no secret.

mod file;

use std::{fmt, path::PathBuf, time::Duration};

use anyhow::Context;
use etcetera::{AppStrategy, AppStrategyArgs, app_strategy::Xdg};
use serde::Serialize;

use crate::{args::Global, error::Fault, output::Format, typed::Typed};

pub(crate) use file::{DEFAULT_FILE, Layer};

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    /// The command line.
    Flag,
    /// A variable `ALETHIA_*`.
    Environment,
    /// The configuration file.
    File,
    /// Nobody said anything.
    Default,
}

/// A value and where it came from.
#[derive(Clone, Debug)]
pub(crate) struct Setting<T> {
    /// The value.
    pub(crate) value: T,
    /// Where it came from.
    pub(crate) origin: Origin,
}

/// A value that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

/// Everything a command works with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Where the configuration file is or would be.
    pub(crate) config_file: PathBuf,
    /// Address of the Console; without one the platform runs in this process.
    pub(crate) server: Setting<Option<String>>,
    /// Token to speak to the Console with.
    pub(crate) token: Setting<Option<Secret>>,
    /// File that holds the token.
    pub(crate) token_file: Setting<Option<PathBuf>>,
    /// Folder for everything that this machine keeps.
    pub(crate) data_dir: Setting<PathBuf>,
    /// Database; a SQLite file in the data folder when absent.
    pub(crate) database: Setting<Option<Secret>>,
    /// Place for states, plans and logs; a folder in the data folder when absent.
    pub(crate) blobs: Setting<Option<String>>,
    /// Address that `up` and `serve` listen on.
    pub(crate) listen: Setting<String>,
    /// How many seconds an attempt at a job is valid without a word of its Runner.
    pub(crate) lease: Setting<u16>,
    /// How many days events are kept; 0 for ever.
    pub(crate) keep_events: Setting<u32>,
    /// How many days entries of the audit log are kept; 0 for ever.
    pub(crate) keep_audit: Setting<u32>,
    /// How a Console is served that is not alone; flags of `serve` only.
    pub(crate) serving: Serving,
    /// Terraform or OpenTofu; found on PATH when absent.
    pub(crate) tool: Setting<Option<PathBuf>>,
    /// How many jobs a Runner of this machine does at a time.
    pub(crate) slots: Setting<usize>,
    /// How data is printed.
    pub(crate) output: Setting<Format>,
    /// The flags that the next command needs too.
    pub(crate) typed: Typed,
}

/// How a Console is served that is not alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Serving {
    /// How long it goes on once it is told to end.
    pub(crate) drain: Duration,
    /// How long it waits at the start for its database.
    pub(crate) database_wait: Duration,
    /// Whether a proxy stands in front of it.
    pub(crate) behind_proxy: bool,
}

/// One line of the effective settings.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    /// Its key in the file.
    pub(crate) key: &'static str,
    /// Its value; `***` for a secret.
    pub(crate) value: Option<String>,
    /// Where it came from.
    pub(crate) origin: Origin,
}

impl Default for Serving {
    fn default() -> Self {
        Self { drain: Duration::ZERO, database_wait: Duration::from_secs(60), behind_proxy: false }
    }
}

impl Secret {
    /// The value, for the one who needs it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Settings {
    /// Reads flags, environment and file.
    ///
    /// # Errors
    /// When the file is named but not there, has an unknown key, or a value is not what it should be.
    pub(crate) fn load(global: &Global) -> anyhow::Result<Self> {
        let environment = Layer::from_environment(&|name| std::env::var(name).ok())?;
        let xdg = folders()?;
        let named = global.config.clone().or_else(|| std::env::var_os("ALETHIA_CONFIG").map(PathBuf::from));
        let (config_file, file) = match named {
            Some(path) => (path.clone(), Layer::from_file(&path, true)?),
            None => {
                let path = xdg.config_dir().join("config.toml");
                (path.clone(), Layer::from_file(&path, false)?)
            }
        };
        let layers = [Layer::from_flags(global), environment, file];
        let [flags, environment, file] = layers.map(|layer| layer.with_home(xdg.home_dir()));
        let layers = Layers { flags, environment, file };
        let settings = Self::from_layers(config_file, xdg.data_dir(), layers);
        Ok(Self { typed: Typed::new(global), ..settings })
    }

    fn from_layers(config_file: PathBuf, data_dir: PathBuf, layers: Layers) -> Self {
        let Setting { value, origin } = layers.optional(|layer| layer.data_dir.clone());
        Self {
            config_file,
            server: layers.optional(|layer| layer.server.clone()),
            token: layers.optional(|layer| layer.token.clone()),
            token_file: layers.optional(|layer| layer.token_file.clone()),
            data_dir: Setting { value: value.unwrap_or(data_dir), origin },
            database: layers.optional(|layer| layer.database.clone().map(Secret)),
            blobs: layers.optional(|layer| layer.blobs.clone()),
            listen: layers.or("127.0.0.1:4646".to_owned(), |layer| layer.listen.clone()),
            lease: layers.or(30, |layer| layer.lease),
            keep_events: layers.or(30, |layer| layer.keep_events),
            keep_audit: layers.or(365, |layer| layer.keep_audit),
            serving: Serving::default(),
            tool: layers.optional(|layer| layer.tool.clone()),
            slots: layers.or(2, |layer| layer.slots),
            output: layers.or(Format::Table, |layer| layer.output),
            typed: Typed::default(),
        }
    }

    /// The token to use: the given one, or the content of the token file.
    ///
    /// # Errors
    /// When the token file can't be read.
    pub(crate) fn token(&self) -> anyhow::Result<Option<String>> {
        let from_file_first =
            self.token.origin == Origin::Environment && self.token_file.origin == Origin::Flag;
        match (&self.token.value, &self.token_file.value) {
            (Some(token), _) if !from_file_first => Ok(Some(token.expose().to_owned())),
            (_, Some(file)) => read_token(file).map(Some),
            (Some(_), None) | (None, None) => Ok(None),
        }
    }

    /// All of it, one line a key.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let hidden = |secret: &Secret| mask(secret.expose());
        let path = |path: &PathBuf| path.display().to_string();
        vec![
            entry("server", &self.server, |value| value.clone()),
            entry("token", &self.token, |value| value.as_ref().map(|_| "***".to_owned())),
            entry("token_file", &self.token_file, |value| value.as_ref().map(path)),
            entry("data_dir", &self.data_dir, |value| Some(path(value))),
            entry("database", &self.database, |value| value.as_ref().map(hidden)),
            entry("blobs", &self.blobs, |value| value.clone()),
            entry("listen", &self.listen, |value| Some(value.clone())),
            entry("lease", &self.lease, |value| Some(value.to_string())),
            entry("keep_events", &self.keep_events, |value| Some(value.to_string())),
            entry("keep_audit", &self.keep_audit, |value| Some(value.to_string())),
            entry("tool", &self.tool, |value| value.as_ref().map(path)),
            entry("slots", &self.slots, |value| Some(value.to_string())),
            entry("output", &self.output, |value| Some(format!("{value:?}").to_lowercase())),
        ]
    }
}

struct Layers {
    flags: Layer,
    environment: Layer,
    file: Layer,
}

impl Layers {
    fn optional<T>(&self, pick: impl Fn(&Layer) -> Option<T>) -> Setting<Option<T>> {
        let layers = [
            (&self.flags, Origin::Flag),
            (&self.environment, Origin::Environment),
            (&self.file, Origin::File),
        ];
        let found = layers.into_iter().find_map(|(layer, origin)| pick(layer).map(|value| (value, origin)));
        match found {
            Some((value, origin)) => Setting { value: Some(value), origin },
            None => Setting { value: None, origin: Origin::Default },
        }
    }

    fn or<T>(&self, default: T, pick: impl Fn(&Layer) -> Option<T>) -> Setting<T> {
        let Setting { value, origin } = self.optional(pick);
        Setting { value: value.unwrap_or(default), origin }
    }
}

fn entry<T>(key: &'static str, setting: &Setting<T>, show: impl Fn(&T) -> Option<String>) -> Entry {
    Entry { key, value: show(&setting.value), origin: setting.origin }
}

/// An address without its password.
fn mask(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return "***".to_owned() };
    match rest.rsplit_once('@') {
        Some((credentials, place)) => {
            let user = credentials.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:***@{}", without_query(place))
        }
        None => format!("{scheme}://{}", without_query(rest)),
    }
}

/// Parameters of an address may hold a password too.
fn without_query(place: &str) -> String {
    match place.split_once('?') {
        Some((place, _)) => format!("{place}?***"),
        None => place.to_owned(),
    }
}

fn read_token(file: &PathBuf) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| {
        Fault::usage(format!("the token file {} can't be read", file.display()))
            .hint("name another one with `--token-file FILE`")
    })?;
    Ok(text.trim().to_owned())
}

fn folders() -> anyhow::Result<Xdg> {
    let names = AppStrategyArgs {
        top_level_domain: "dev".into(),
        author: "alethia".into(),
        app_name: "alethia".into(),
    };
    Xdg::new(names).map_err(|error| {
        let fault = Fault::usage("there is no home folder to keep data in");
        anyhow::Error::new(error).context(fault.hint("name a folder with `--data-dir DIR` and set HOME"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(text: &str) -> Layer {
        toml::from_str(text).unwrap()
    }

    fn settings(flags: &str, environment: &str, file: &str) -> Settings {
        let layers = Layers { flags: layer(flags), environment: layer(environment), file: layer(file) };
        Settings::from_layers("config.toml".into(), "/data".into(), layers)
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_that_over_the_file() {
        let all =
            settings("server = 'a'", "server = 'b'\nslots = 3", "server = 'c'\nslots = 4\nlisten = 'x:1'");
        assert_eq!((all.server.value.as_deref(), all.server.origin), (Some("a"), Origin::Flag));
        assert_eq!((all.slots.value, all.slots.origin), (3, Origin::Environment));
        assert_eq!((all.listen.value.as_str(), all.listen.origin), ("x:1", Origin::File));
        assert_eq!((all.data_dir.value, all.data_dir.origin), (PathBuf::from("/data"), Origin::Default));
    }

    #[test]
    fn secrets_are_masked() {
        let all = settings("", "", "database = 'postgres://alethia:hunter2@db/alethia?sslpassword=x'");
        let database = all.entries().into_iter().find(|entry| entry.key == "database").unwrap();
        assert_eq!(database.value.as_deref(), Some("postgres://alethia:***@db/alethia?***"));
        assert!(!format!("{all:?}").contains("hunter2"));
    }

    #[test]
    fn the_printed_default_file_says_only_what_is_default_anyway() {
        let lines = DEFAULT_FILE.lines().filter_map(|line| line.strip_prefix("# "));
        let values: Vec<&str> = lines.filter(|line| line.contains(" = ")).collect();
        let all = settings("", "", &values.join("\n"));
        assert_eq!(
            all.entries().iter().filter(|entry| entry.origin == Origin::Default).count(),
            1,
            "the token"
        );
        assert_eq!(toml::from_str::<Layer>(DEFAULT_FILE).unwrap(), Layer::default());
    }
}
