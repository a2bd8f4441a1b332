//! The binary `zato-server`: the server with its own services only.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use zato_server::{Config, Server};

/// How long what nobody waits for any more, such as the lookup of a host name, may take at the end.
const LEAVE: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("zato-server: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  because: {cause}");
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let config = Config::from_arguments()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let ended = runtime.block_on(Server::new(config).run());
    // A name server that does not answer must not keep the process, and with it the data directory.
    runtime.shutdown_timeout(LEAVE);
    Ok(ended?)
}
