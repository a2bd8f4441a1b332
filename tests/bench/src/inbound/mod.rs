//! Calls into the server beside a bare hyper server that replies the same bytes.
//!
//! Owns the comparison: both servers get the same load one after the other, several times, and the middle ratio counts.

mod cases;
mod many;

use std::fs;
use std::time::Duration;

use crate::Error;
use crate::load::{self, Load};
use crate::process::{self, Process};
use crate::table::{Target, median};
use cases::Case;

const CONNECTIONS: [usize; 4] = [1, 32, 256, 2000];
const ROUNDS: usize = 5;

pub(crate) fn run(seconds: f64) -> Result<(), Error> {
    tokio::runtime::Runtime::new()?.block_on(measure(Duration::from_secs_f64(seconds)))
}

async fn measure(duration: Duration) -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let data_dir = folder.path().join("data");
    let server = Process::start(&mut process::own(&["serve", &data_dir.to_string_lossy()])?)?;
    cases::configure(server.address, &data_dir).await?;
    let cases = cases::cases()?;
    let replies = folder.path().join("replies.json");
    fs::write(&replies, serde_json::to_vec(&cases::sample_replies(server.address, &cases).await?)?)?;
    let bare = Process::start(&mut process::own(&["bare", &replies.to_string_lossy()])?)?;

    println!("inbound calls: the bare server, then this one");
    for case in &cases {
        for connections in CONNECTIONS {
            let compared = compare(case, connections, duration, [&bare, &server]).await?;
            println!("{}, {connections} connections", case.name);
            compared.print(Target::AtLeast(case.target));
        }
    }
    drop((bare, server));
    many::measure(&cases, &data_dir, duration).await?;
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
