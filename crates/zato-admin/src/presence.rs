//! What the operational database says about a server's being there.
//!
//! Owns when a server's row changes. It must not know how a server starts or stops.

use std::net::SocketAddr;

use time::OffsetDateTime;
use zato_odb::model::Server;
use zato_odb::{Odb, OdbError, Read};

/// Records that a server runs, and where it listens, which `zato.info.get-info` shows.
///
/// # Errors
/// The operational database can't be written.
pub async fn record_start(
    odb: &Odb,
    server_id: i64,
    address: SocketAddr,
    now: OffsetDateTime,
) -> Result<(), OdbError> {
    change(odb, server_id, |server| {
        server.bind_host = Some(address.ip().to_string());
        server.bind_port = Some(address.port().into());
        server.up_status = Some("running".to_owned());
        server.up_mod_date = Some(now);
    })
    .await
}

/// Records that a server was stopped in an orderly way. One that crashed goes on being shown as running.
///
/// # Errors
/// The operational database can't be written.
pub async fn record_stop(odb: &Odb, server_id: i64, now: OffsetDateTime) -> Result<(), OdbError> {
    change(odb, server_id, |server| {
        server.up_status = Some("clean-down".to_owned());
        server.up_mod_date = Some(now);
    })
    .await
}

async fn change(odb: &Odb, server_id: i64, change: impl FnOnce(&mut Server)) -> Result<(), OdbError> {
    let mut tx = odb.begin().await?;
    // A row that was deleted meanwhile is not missed.
    if let Some(mut server) = tx.find::<Server>(server_id).await? {
        change(&mut server);
        tx.update(&server).await?;
        tx.commit().await?;
    }
    Ok(())
}
