//! Calls into the server beside a bare hyper server that replies the same bytes.
//!
//! Owns the comparison: both servers get the same load one after the other, several times, and the middle ratio counts.

mod cases;
mod many;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use crate::Error;
use crate::load::{self, Load};
use crate::process::{self, Process};
use crate::table::{Target, median};
use cases::Case;

const CONNECTIONS: [usize; 4] = [1, 32, 256, 2000];
const ROUNDS: usize = 5;
/// How each server is called for a profile: often enough for what is rare to be told from what is usual.
const TRAINING_CONNECTIONS: usize = 32;
const TRAINING: Duration = Duration::from_secs(2);
const TRAINING_LISTS: usize = 20;

pub(crate) fn run(seconds: f64) -> Result<(), Error> {
    tokio::runtime::Runtime::new()?.block_on(measure(Duration::from_secs_f64(seconds)))
}

/// Has both servers take calls of every kind.
pub(crate) fn train() -> Result<(), Error> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let servers = Servers::start().await?;
        for case in &servers.cases {
            for server in [&servers.bare, &servers.own] {
                load::run(server.address, &case.request, TRAINING_CONNECTIONS, TRAINING).await?;
            }
        }
        cases::read_lists(servers.own.address, &data_dir(&servers.folder), TRAINING_LISTS).await
    })
}

/// The bare server and this one, and what they are asked.
struct Servers {
    bare: Process,
    own: Process,
    cases: Vec<Case>,
    folder: TempDir,
}

impl Servers {
    async fn start() -> Result<Self, Error> {
        let folder = tempfile::tempdir()?;
        let data_dir = data_dir(&folder);
        let own = Process::start(&mut process::own(&["serve", &data_dir.to_string_lossy()])?)?;
        cases::configure(own.address, &data_dir).await?;
        let cases = cases::cases()?;
        let replies = folder.path().join("replies.json");
        fs::write(&replies, serde_json::to_vec(&cases::sample_replies(own.address, &cases).await?)?)?;
        let bare = Process::start(&mut process::own(&["bare", &replies.to_string_lossy()])?)?;
        Ok(Self { bare, own, cases, folder })
    }
}

fn data_dir(folder: &TempDir) -> PathBuf {
    folder.path().join("data")
}

async fn measure(duration: Duration) -> Result<(), Error> {
    let Servers { bare, own: server, cases, folder } = Servers::start().await?;
    println!("inbound calls: the bare server, then this one");
    for case in &cases {
        for connections in CONNECTIONS {
            let compared = compare(case, connections, duration, [&bare, &server]).await?;
            println!("{}, {connections} connections", case.name);
            compared.print(Target::AtLeast(case.target));
        }
    }
    drop((bare, server));
    many::measure(&cases, &data_dir(&folder), duration).await?;
    println!("(us: time until the reply, and CPU time of the server per call; the load shares the cores)\n");
    Ok(())
}

/// What two servers did under the same load, round by round.
#[derive(Default)]
struct Compared {
    rounds: Vec<[Round; 2]>,
}

/// What one server did in one round.
struct Round {
    load: Load,
    /// CPU time of the server per call, in microseconds.
    cpu: f64,
}

async fn compare(
    case: &Case,
    connections: usize,
    duration: Duration,
    servers: [&Process; 2],
) -> Result<Compared, Error> {
    let mut compared = Compared::default();
    for _ in 0..ROUNDS {
        let [first, second] = servers;
        compared.rounds.push([
            round(case, connections, duration, first).await?,
            round(case, connections, duration, second).await?,
        ]);
    }
    Ok(compared)
}

async fn round(
    case: &Case,
    connections: usize,
    duration: Duration,
    server: &Process,
) -> Result<Round, Error> {
    let before = server.cpu_time()?;
    let load = load::run(server.address, &case.request, connections, duration).await?;
    let cpu = (server.cpu_time()? - before).as_secs_f64() * 1e6 / load.replies().max(1) as f64;
    Ok(Round { load, cpu })
}

impl Compared {
    fn print(&self, target: Target) {
        let ratio = |ratio: fn(&Round, &Round) -> f64| {
            median(&mut self.rounds.iter().map(|[first, second]| ratio(first, second)).collect::<Vec<_>>())
        };
        println!("{:>12}{:>10}{:>10}{:>10}{:>10}", "calls/s", "p50 us", "p99 us", "p99.9 us", "CPU us");
        for server in 0..2 {
            let middle = |pick: fn(&Round) -> f64| {
                median(&mut self.rounds.iter().map(|pair| pick(&pair[server])).collect::<Vec<_>>())
            };
            println!(
                "{:>12.0}{:>10.0}{:>10.0}{:>10.0}{:>10.1}",
                middle(|round| round.load.per_second()),
                middle(|round| round.load.percentile(0.5)),
                middle(|round| round.load.percentile(0.99)),
                middle(|round| round.load.percentile(0.999)),
                middle(|round| round.cpu),
            );
        }
        let throughput = ratio(|first, second| second.load.per_second() / first.load.per_second());
        println!("    throughput {}", target.show(throughput));
        println!("    CPU        {}", target.show(ratio(|first, second| first.cpu / second.cpu)));
    }
}
