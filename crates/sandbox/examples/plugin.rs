//! The program that the mirror's packages start in tests: `plugin sandbox plugin PROVIDER`.

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["sandbox", "plugin", provider] => alethia_sandbox::plugin::run(provider),
        _ => {
            eprintln!("usage: plugin sandbox plugin PROVIDER");
            ExitCode::FAILURE
        }
    }
}
