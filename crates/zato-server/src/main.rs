//! The binary `zato-server`: the server with its own services only.

use std::error::Error;
use std::process::ExitCode;

use zato_server::{Config, Server};

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
    Ok(runtime.block_on(Server::new(config).run())?)
}
