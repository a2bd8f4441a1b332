//! Measures this project against bare baselines, in one run and on one machine.
//!
//! Owns what is measured and the targets. Every figure is a ratio of two measurements that alternate, because the
//! machine's speed changes from second to second.

mod bare;
mod cid;
mod inbound;
mod load;
mod outgoing;
mod peer;
mod process;
mod table;

use clap::{Parser, Subcommand};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Anything that keeps a measurement from being made.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
#[command(about = "Measures the server, outgoing calls and correlation ids against bare baselines")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Calls into the server, beside a bare hyper server that replies the same bytes
    Inbound {
        /// Seconds that each measurement takes
        #[arg(long, default_value_t = 1.0)]
        seconds: f64,
    },
    /// Calls to another system, beside other clients
    Outgoing {
        /// Calls of each client at each number of concurrent calls
        #[arg(long, default_value_t = 150_000)]
        calls: u32,
    },
    /// Correlation ids, beside version 4 UUIDs as text
    Cid,
    /// The server's start and its idle memory
    Start,
    /// Everything above
    All,
    /// Calls of every kind without measuring them, for the profile of the build that is guided by one
    #[command(hide = true)]
    Train,
    /// A server with the service that the measurements call, started by them
    #[command(hide = true)]
    Serve {
        /// Where the server keeps its files
        data_dir: std::path::PathBuf,
    },
    /// A server that replies fixed bytes, started by the measurements
    #[command(hide = true)]
    Bare {
        /// A JSON object from paths to replies
        replies: std::path::PathBuf,
        /// Look for requests without end instead of sleeping until one comes
        #[arg(long)]
        awake: bool,
    },
}

fn main() -> Result<(), Error> {
    // Thousands of connections are more than the usual limit of open files.
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    match Arguments::parse().command {
        Command::Inbound { seconds } => inbound::run(seconds),
        Command::Outgoing { calls } => outgoing::run(calls),
        Command::Cid => cid::run(),
        Command::Start => process::measure_start(),
        Command::All => {
            cid::run()?;
            process::measure_start()?;
            outgoing::run(150_000)?;
            inbound::run(1.0)
        }
        Command::Train => {
            outgoing::train()?;
            inbound::train()
        }
        Command::Serve { data_dir } => peer::serve(data_dir),
        Command::Bare { replies, awake } => bare::serve(&replies, awake),
    }
}
