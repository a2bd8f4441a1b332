//! A program that uses `zato-odb` alone: it stores a cluster and finds it again.

use std::error::Error;
use std::sync::Arc;

use zato_odb::model::Cluster;
use zato_odb::{Odb, OdbConfig, Read, SecretKey};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let key = Arc::new(SecretKey::load_or_create(&folder.path().join("secret.key"))?);
    let odb = Odb::open(&OdbConfig::sqlite(folder.path().join("odb.sqlite3"), key)).await?;
    let mut transaction = odb.begin().await?;
    let cluster = transaction.insert(&Cluster::new("main")).await?;
    transaction.commit().await?;
    let found: Option<Cluster> = odb.find(cluster.id).await?;
    assert_eq!(found.as_ref(), Some(&cluster));
    println!("{}", cluster.name);
    Ok(())
}
