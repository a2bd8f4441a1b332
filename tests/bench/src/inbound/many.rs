//! The same calls on a server with very many channels, beside one with few.
//!
//! Owns the making of that many channels: they are written into the database, as if they had been there for long.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use zato_odb::model::{Connection, HttpSoap, Service, Transport};
use zato_odb::{Odb, OdbConfig, Read, SecretKey};

use super::cases::Case;
use super::compare;
use crate::Error;
use crate::process::{self, Process};
use crate::table::Target;

/// How many channels "very many" are.
const CHANNELS: usize = 100_000;

/// How many connections call at once.
const CONNECTIONS: usize = 32;

/// Calls may take this much longer: a part of the throughput with few channels.
const TARGET: f64 = 0.95;

/// `data_dir` holds what the cases need, and belongs to nobody at the moment.
pub(super) async fn measure(cases: &[Case], data_dir: &Path, duration: Duration) -> Result<(), Error> {
    let full = data_dir.with_file_name("full");
    copy(data_dir, &full)?;
    add_channels(&full).await?;
    let few = Process::start(&mut process::own(&["serve", &data_dir.to_string_lossy()])?)?;
    let many = Process::start(&mut process::own(&["serve", &full.to_string_lossy()])?)?;
    println!("the same with few channels, then with {CHANNELS} more");
    println!(
        "    start {:.0} ms, then {:.0} ms; memory {:.0} MiB, then {:.0} MiB",
        few.start.as_secs_f64() * 1000.0,
        many.start.as_secs_f64() * 1000.0,
        few.memory()?,
        many.memory()?,
    );
    for case in cases {
        println!("{}, {CONNECTIONS} connections", case.name);
        compare(case, CONNECTIONS, duration, [&few, &many]).await?.print(Target::AtLeast(TARGET));
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

async fn add_channels(data_dir: &Path) -> Result<(), Error> {
    let key = Arc::new(SecretKey::load_or_create(&data_dir.join("secret.key"))?);
    let odb = Odb::open(&OdbConfig::sqlite(data_dir.join("odb.sqlite3"), key)).await?;
    let cluster = odb.clusters().await?.pop().ok_or("no cluster")?;
    let service = odb.find_by_name::<Service>(cluster.id, "zato.ping").await?.ok_or("no zato.ping")?;
    let mut tx = odb.begin().await?;
    for number in 0..CHANNELS {
        // Some of the paths have a placeholder, as those of real channels do.
        let path = match number % 10 {
            0 => format!("/many/{number}/{{id}}/details"),
            _ => format!("/many/{number}"),
        };
        let name = format!("many {number}");
        let mut channel = HttpSoap::new(cluster.id, Connection::Channel, Transport::PlainHttp, &name, &path);
        channel.service_id = Some(service.id);
        channel.data_format = Some("json".to_owned());
        tx.insert(&channel).await?;
    }
    tx.commit().await?;
    Ok(())
}
