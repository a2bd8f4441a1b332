//! What outgoing calls and connections cost in memory: started by `zato-bench outgoing`, with the address of a peer and a path.
//!
//! Its allocator counts, which is why no time is measured in it.

use allocation_counter::{AllocationInfo, measure};
use tokio::runtime::{Builder, Runtime};
use zato_cid::{Form, SystemGenerator};
use zato_outgoing::{Config, Connection, Environment, Outgoing, Secret, Security, Transport};
use zato_soap::Version;

type Error = Box<dyn std::error::Error + Send + Sync>;

const CALLS: u64 = 500;
const CONNECTIONS: i64 = 10_000;
/// Bytes that a configured connection may cost until its first call.
const LIMIT: i64 = 2048;

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let (Some(peer), Some(path)) = (arguments.next(), arguments.next()) else {
        return Err("the address of a peer and a path are missing".into());
    };
    let host = format!("http://{peer}");
    println!("  allocations per call");
    let basic = || Security::BasicAuth { username: "bench".to_owned(), password: Secret::from("bench") };
    let mut json = Config::new(1, "bench", &host, &path);
    json.security = Some(basic());
    report("JSON POST", json)?;
    let mut soap = Config::new(1, "bench", &host, &path);
    soap.transport = Transport::Soap { version: Version::V11, action: "urn:bench".to_owned() };
    soap.security =
        Some(Security::WsSecurity { username: "bench".to_owned(), password: Secret::from("bench") });
    report("SOAP with WS-Security", soap)?;

    let configs: Vec<Config> = (0..CONNECTIONS)
        .map(|id| {
            let mut config = Config::new(id, format!("bench {id}"), &host, "/customers/{id}");
            config.security = Some(basic());
            config
        })
        .collect();
    let outgoing = Outgoing::new(Environment::new("bench")?);
    let configured = i64::try_from(measure(|| drop(configs.clone())).bytes_max)?;
    let mut errors = Vec::new();
    let table = measure(|| errors = outgoing.replace_all(configs));
    if let Some(error) = errors.pop() {
        return Err(error.into());
    }
    // What the configurations took up belongs to the connections now, or is free.
    let each = (table.bytes_current + configured) / CONNECTIONS;
    let missed = if each > LIMIT { ", MISSED" } else { "" };
    println!("  {CONNECTIONS} configured connections: {each} bytes each  (target: at most {LIMIT}{missed})");
    Ok(())
}

fn report(name: &str, config: Config) -> Result<(), Error> {
    let connection = Connection::new(config, &Environment::new("bench")?)?;
    let cids = SystemGenerator::new(Form::default());
    let runtime = Builder::new_current_thread().enable_all().build()?;
    calls(&runtime, &connection, &cids, 3)?;
    let mut made = Ok(());
    let AllocationInfo { count_total, bytes_total, .. } =
        measure(|| made = calls(&runtime, &connection, &cids, CALLS));
    made?;
    println!("    {name:<26}{:>6} allocations{:>8} bytes", count_total / CALLS, bytes_total / CALLS);
    Ok(())
}

fn calls(
    runtime: &Runtime,
    connection: &Connection,
    cids: &SystemGenerator,
    count: u64,
) -> Result<(), Error> {
    runtime.block_on(async {
        for _ in 0..count {
            let response =
                connection.conn().post(cids.generate(), "{\"cust_id\":1,\"name\":\"Foo Bar\"}").await?;
            if response.bytes().len() < 1000 {
                return Err("a short reply".into());
            }
        }
        Ok(())
    })
}
