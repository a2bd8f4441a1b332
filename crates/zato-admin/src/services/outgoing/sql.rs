//! `zato.outgoing.sql`: pools of SQL connections.
//!
//! Owns what such a pool can be. It must not know how databases are spoken to.

use zato_catalogue::outgoing::sql;
use zato_odb::Secret;
use zato_odb::model::OutgoingSql;
use zato_service::Error;

use crate::change::{Family, HasPassword};
use crate::error::not_allowed;
use crate::family::services;
use crate::password;
use crate::value::{COUNTS, PORTS, not_empty, within};

pub(crate) struct SqlConnections;

impl Family for SqlConnections {
    type Object = OutgoingSql;

    const NOUN: &'static str = "outgoing SQL connection";

    const TAKEN: &'static str = "An outgoing SQL connection";

    fn check_values(pool: &OutgoingSql) -> Result<(), Error> {
        check_extra(pool.extra.as_deref().unwrap_or_default())?;
        check_engine(&pool.engine)?;
        not_empty("db_name", &pool.db_name)?;
        within("pool_size", pool.pool_size, &COUNTS)?;
        // SQLite opens a file of this machine.
        if pool.engine == "sqlite" {
            return Ok(());
        }
        not_empty("host", &pool.host)?;
        within("port", pool.port, &PORTS)
    }
}

impl HasPassword for SqlConnections {
    const PASSWORD_REQUIRED: bool = true;

    fn set_password(pool: &mut OutgoingSql, password: Secret) {
        pool.password = password;
    }
}

services! {
    SqlConnections in sql: create, edit, change_password, delete, get_list;
    {
        object OutgoingSql { is_active, engine, host, port, db_name, username, pool_size, extra }
        initially { password: password::random()? }
        shown(pool) { cluster_id: pool.cluster_id }
    }
}

/// The engines that pools can speak to, by the names of both versions.
const ENGINES: [&str; 5] = ["postgresql", "postgresql+pg8000", "mysql", "mysql+pymysql", "sqlite"];

fn check_engine(engine: &str) -> Result<(), Error> {
    if ENGINES.contains(&engine) { Ok(()) } else { Err(not_allowed("engine", engine, &ENGINES.join(", "))) }
}

/// Entries are lines, or separated by semicolons.
fn check_extra(extra: &str) -> Result<(), Error> {
    let entries = || extra.split(['\n', ';']).map(str::trim).filter(|entry| !entry.is_empty());
    if entries().all(|entry| entry.matches('=').count() == 1) {
        return Ok(());
    }
    Err(Error::bad_request(format!(
        "extra should be a list of key=value parameters, possibly one-element long, instead of [{extra}]"
    )))
}
