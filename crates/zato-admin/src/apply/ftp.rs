//! The effect of outgoing FTP connections.
//!
//! Owns the translation of definitions. It must not know how files are transferred.

use std::time::Duration;

use zato_connections::Secret;
use zato_ftp::{Config, Ftp};
use zato_odb::ObjectKind;
use zato_odb::model::OutgoingFtp;
use zato_service::{Environment, Error, Outgoing};

use super::connections::Table;
use crate::error::invalid;

pub(super) fn effect(environment: Environment) -> Table<OutgoingFtp, Ftp> {
    Table {
        environment,
        kinds: &[ObjectKind::OutgoingFtp],
        table: Outgoing::ftp_table,
        make: |_, stored| ftp(stored),
    }
}

fn ftp(stored: &OutgoingFtp) -> Result<Ftp, Error> {
    let mut config = Config::new(stored.id, stored.name.as_str(), stored.host.as_str());
    config.is_active = stored.is_active;
    config.port = stored.port.try_into().map_err(|error| invalid("port", error))?;
    config.user = stored.user.clone().filter(|user| !user.is_empty());
    config.password = stored.password.as_ref().map(|password| Secret::from(password.expose()));
    config.account = stored.acct.clone().filter(|account| !account.is_empty());
    // 0 is how some tools send that nothing was filled in.
    let seconds =
        stored.timeout.and_then(|timeout| u64::try_from(timeout).ok()).filter(|seconds| *seconds > 0);
    config.timeout = seconds.map(Duration::from_secs);
    config.caches_listings = stored.dircache;
    config.is_encrypted = stored.use_ftps;
    Ok(Ftp::new(config)?)
}
