//! Calls to another system through the whole outgoing stack, beside other clients.
//!
//! Owns the rounds, what is compared with what, and the targets.
//!
//! All clients send the same request, the one of the stack, with all of its headers and their capitals; only what a correlation id or a
//! time costs is the stack's alone. Bare connections are measured with the few headers of a plain JSON POST in small letters, too.
//!
//! The peer has one core and never sleeps, and every client has another core, with a runtime of one thread. So neither the scheduler's
//! choice of cores, which changes from run to run, nor waking the peer is part of the figures, and what a client spends is what its
//! calls take.

mod clients;
mod requests;
mod wire;

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use hyper::header::HeaderMap;
use tokio::runtime::Runtime;

use self::clients::{Client, Worker};
use crate::Error;
use crate::bare::Reply;
use crate::process::{self, Core, Process};
use crate::table::{Spread, Target, median};

/// The path of all calls.
const PATH: &str = "/customer";
/// The body of all requests.
const REQUEST: &str = r#"{"cust_id":1,"name":"Foo Bar"}"#;
/// How often each client has its turn.
const ROUNDS: usize = 15;
/// The calls of `requests` in each round: it is slow enough for few to be exact.
const PYTHON_CALLS: u32 = 500;
/// The calls of each client for a profile: about as many as the server takes for it, or they would look rare beside those.
const TRAINING_CALLS: u32 = 100_000;

/// Measures everything; `calls` are made by each client at each concurrency, `requests` aside.
pub(crate) fn run(calls: u32) -> Result<(), Error> {
    let peer = start_peer(&["--awake"])?;
    runtime()?.block_on(measure(peer.address, calls))?;
    costs(peer.address)?;
    process::stay_on(Core::Any)
}

/// Has all clients call, `requests` aside. The peer sleeps when it can: looking for requests without end would be most of the profile.
pub(crate) fn train() -> Result<(), Error> {
    let peer = start_peer(&[])?;
    runtime()?.block_on(async {
        let headers = wire::headers_of_the_stack().await?;
        for concurrency in [1, 32, 256] {
            for (_, client) in clients(peer.address, &headers, concurrency)? {
                rate(&client, concurrency, TRAINING_CALLS).await?;
            }
        }
        for digest in [false, true] {
            rate(&Client::soap(peer.address, 32, digest)?, 32, TRAINING_CALLS).await?;
        }
        process::stay_on(Core::Any)
    })
}

/// One thread, so that what a client spends is what its calls take.
fn runtime() -> Result<Runtime, Error> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// The peer, on a core that this thread is not on.
fn start_peer(options: &[&str]) -> Result<Process, Error> {
    let folder = tempfile::tempdir()?;
    let replies = folder.path().join("replies.json");
    let reply = Reply {
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: serde_json::json!({"notes": "x".repeat(1000)}).to_string(),
    };
    fs::write(&replies, serde_json::to_vec(&HashMap::from([(PATH, reply)]))?)?;
    // What is started stays where this thread is.
    process::stay_on(Core::Last)?;
    let replies = replies.to_string_lossy();
    let peer = Process::start(process::own(&["bare", &replies])?.args(options))?;
    process::stay_on(Core::First)?;
    Ok(peer)
}

async fn measure(peer: SocketAddr, calls: u32) -> Result<(), Error> {
    println!(
        "outgoing POST of JSON, 1 KB reply; medians of {ROUNDS} alternating rounds, and their middle half"
    );
    let headers = wire::headers_of_the_stack().await?;
    for concurrency in [1, 32, 256] {
        compare(peer, &headers, concurrency, calls / u32::try_from(ROUNDS)?).await?;
    }
    soap(peer, calls / u32::try_from(ROUNDS)?).await
}

/// The clients that are measured here; `requests` is a program of its own.
fn clients(
    peer: SocketAddr,
    headers: &HeaderMap,
    concurrency: u32,
) -> Result<[(&'static str, Client); 5], Error> {
    Ok([
        ("bare hyper connections", Client::bare(peer, headers.clone(), true)?),
        ("bare, few headers", Client::bare(peer, clients::plain_headers(), false)?),
        ("hyper-util legacy client", Client::legacy(peer, concurrency, headers.clone())?),
        ("reqwest", Client::reqwest(peer, concurrency, headers.clone())?),
        ("whole stack", Client::stack(peer, concurrency)?),
    ])
}

/// All clients at one number of concurrent calls.
async fn compare(peer: SocketAddr, headers: &HeaderMap, concurrency: u32, calls: u32) -> Result<(), Error> {
    let clients = clients(peer, headers, concurrency)?;
    // `requests` is one at a time or in threads, of which a process makes use of 32 at most.
    let threads = concurrency.min(32);
    let mut rates: Vec<Vec<f64>> = vec![Vec::new(); clients.len() + 1];
    let mut costs: Vec<Vec<f64>> = vec![Vec::new(); clients.len()];
    for _ in 0..ROUNDS {
        for (((_, client), rates), costs) in clients.iter().zip(&mut rates).zip(&mut costs) {
            let (rate, cost) = rate(client, concurrency, calls).await?;
            rates.push(rate);
            costs.push(cost);
        }
        if let Some(python) = rates.last_mut() {
            python.push(requests::rate(peer, headers, threads, PYTHON_CALLS)?);
        }
    }
    println!("  {concurrency} at a time");
    let names = clients.iter().map(|(name, _)| *name).chain([requests::NAME]);
    for (name, rates) in names.zip(&rates) {
        let rate = median(&mut rates.clone());
        println!("    {name:<26}{rate:>10.0} calls/s{:>10.1} us", f64::from(concurrency) * 1e6 / rate);
    }
    // What a busy machine takes from a client for itself is in the rates and not in the costs.
    let cost = |index: usize| costs.get(index).map(Vec::as_slice).unwrap_or_default();
    let spent = |index: usize| median(&mut cost(index).to_vec());
    println!(
        "    core per call              bare {:.2} us, with few headers {:.2} us, whole stack {:.2} us",
        spent(0),
        spent(1),
        spent(4)
    );
    println!("    core, bare / stack         {}", ratio(cost(0), cost(4)).show(Target::None));
    println!("    core, reqwest / stack      {}", ratio(cost(3), cost(4)).show(Target::None));
    let [bare, plain, legacy, reqwest, stack, python] = &*rates else {
        return Err("a client is missing".into());
    };
    if concurrency == 1 {
        println!("    latency / bare             {}", ratio(bare, stack).show(Target::AtMost(1.2)));
        println!("    latency / few headers      {}", ratio(plain, stack).show(Target::None));
        println!("    latency / legacy client    {}", ratio(legacy, stack).show(Target::None));
        println!("    latency / reqwest          {}", ratio(reqwest, stack).show(Target::None));
    } else {
        println!("    throughput / bare          {}", ratio(stack, bare).show(Target::AtLeast(0.85)));
        println!("    throughput / few headers   {}", ratio(stack, plain).show(Target::None));
        println!("    throughput / legacy client {}", ratio(stack, legacy).show(Target::None));
        println!("    throughput / reqwest       {}", ratio(stack, reqwest).show(Target::AtLeast(1.4)));
    }
    println!("    throughput / requests      {}", ratio(stack, python).show(Target::AtLeast(25.0)));
    Ok(())
}

/// SOAP with WS-Security beside the JSON calls of the same stack.
async fn soap(peer: SocketAddr, calls: u32) -> Result<(), Error> {
    const CONCURRENCY: u32 = 32;
    let json = Client::stack(peer, CONCURRENCY)?;
    let text = Client::soap(peer, CONCURRENCY, false)?;
    let digest = Client::soap(peer, CONCURRENCY, true)?;
    let mut rates = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (client, rates) in [&json, &text, &digest].into_iter().zip(&mut rates) {
            rates.push(rate(client, CONCURRENCY, calls).await?.0);
        }
    }
    let [json, text, digest] = &rates;
    println!("  SOAP with WS-Security, {CONCURRENCY} at a time, beside JSON");
    println!("    password as text           {}", ratio(text, json).show(Target::AtLeast(0.8)));
    println!("    password as digest         {}", ratio(digest, json).show(Target::AtLeast(0.8)));
    Ok(())
}

/// What one client does of what another one does in the same round.
fn ratio(one: &[f64], other: &[f64]) -> Spread {
    Spread::of(one.iter().zip(other).map(|(one, other)| one / other).collect())
}

/// Calls a second of one client, whose connections are open already, and the microseconds of its core that each one takes.
async fn rate(client: &Client, concurrency: u32, calls: u32) -> Result<(f64, f64), Error> {
    let mut workers: Vec<Worker> = Vec::new();
    for _ in 0..concurrency {
        workers.push(client.worker().await?);
    }
    // Once without a watch, so that every connection is open and everything is in the caches.
    let warm_up = all(workers, 3).await?;
    let each = (calls / concurrency).max(1);
    let (begun, spent) = (Instant::now(), process::thread_time()?);
    all(warm_up, each).await?;
    let (elapsed, spent) = (begun.elapsed(), process::thread_time()?.saturating_sub(spent));
    let made = f64::from(each * concurrency);
    Ok((made / elapsed.as_secs_f64(), spent.as_secs_f64() * 1e6 / made))
}

/// Has each worker make this many calls, all of them at once.
async fn all(workers: Vec<Worker>, calls: u32) -> Result<Vec<Worker>, Error> {
    let tasks: Vec<_> = workers
        .into_iter()
        .map(|mut worker| {
            tokio::spawn(async move {
                for _ in 0..calls {
                    worker.call().await?;
                }
                Ok::<_, Error>(worker)
            })
        })
        .collect();
    let mut workers = Vec::new();
    for task in tasks {
        workers.push(task.await??);
    }
    Ok(workers)
}

/// Memory is counted by a program of its own, since counting slows down every allocation.
fn costs(peer: SocketAddr) -> Result<(), Error> {
    let program: PathBuf = std::env::current_exe()?.with_file_name("zato-bench-costs");
    let status = Command::new(program).arg(peer.to_string()).arg(PATH).status()?;
    println!();
    if status.success() { Ok(()) } else { Err("the costs could not be counted".into()) }
}

/// How long a client waits before it is considered stuck.
const TIMEOUT: Duration = Duration::from_secs(30);
