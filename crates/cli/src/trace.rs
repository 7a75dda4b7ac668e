//! What the program says about itself while it runs: on stderr, and only when it is asked to.

use tracing_subscriber::EnvFilter;

/// Starts tracing when `-v` was given or ALETHIA_LOG is set; the latter decides what is told.
pub(crate) fn start(verbose: u8) {
    let variable = std::env::var("ALETHIA_LOG").ok().filter(|filter| !filter.is_empty());
    let filter = match (variable, verbose) {
        (Some(filter), _) => filter,
        (None, 0) => return,
        (None, 1) => "warn,alethia=info".to_owned(),
        (None, _) => "info,alethia=debug".to_owned(),
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
}
