//! A program that uses `zato-kvdb` alone: it counts.

use std::error::Error;
use std::sync::Arc;

use zato_kvdb::{Embedded, Kvdb, SystemClock};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("kvdb.redb");
    let kvdb = Kvdb::new(Embedded::open(&file, Arc::new(SystemClock)).await?);
    kvdb.increment("calls", 1).await?;
    println!("{}", kvdb.increment("calls", 2).await?);
    Ok(())
}
