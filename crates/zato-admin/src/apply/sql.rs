//! The effect of outgoing SQL connections: pools.
//!
//! Owns the translation, which both validates a definition before it is stored and puts it in effect afterwards. It must
//! not know how databases are spoken to.

use zato_connections::Secret;
use zato_odb::ObjectKind;
use zato_odb::model::OutgoingSql;
use zato_service::{Environment, Error, Outgoing};
use zato_sql::{Config, Engine, Extra, Pool, UnsupportedEngine};

use super::connections::Table;
use crate::error::invalid;

pub(super) fn effect(environment: Environment) -> Table<OutgoingSql, Pool> {
    Table {
        environment,
        kinds: &[ObjectKind::OutgoingSql],
        table: Outgoing::sql_table,
        make: |outgoing, stored| {
            let mut config = sql_config(stored)?;
            config.application_name = Some(outgoing.http().component().to_owned());
            Pool::new(&config).map_err(Error::from)
        },
    }
}

/// A stored definition as a pool is made of it. Making one connects nothing.
pub(crate) fn sql_pool(stored: &OutgoingSql) -> Result<Pool, Error> {
    Pool::new(&sql_config(stored)?).map_err(|error| Error::bad_request(error.to_string()))
}

/// The engine that a stored definition names.
pub(crate) fn sql_engine(stored: &OutgoingSql) -> Result<Engine, Error> {
    stored.engine.parse().map_err(|error: UnsupportedEngine| invalid("engine", error))
}

fn sql_config(stored: &OutgoingSql) -> Result<Config, Error> {
    let database = stored.db_name.as_str();
    let mut config = Config::new(stored.id, stored.name.as_str(), sql_engine(stored)?, database);
    config.is_active = stored.is_active;
    config.host.clone_from(&stored.host);
    config.port = stored.port.try_into().map_err(|error| invalid("port", error))?;
    config.username.clone_from(&stored.username);
    config.password = Some(Secret::from(stored.password.expose()));
    config.pool_size = stored.pool_size.try_into().map_err(|error| invalid("pool_size", error))?;
    let extra = stored.extra.as_deref().unwrap_or_default();
    config.extra = Extra::parse(extra).map_err(|error| invalid("extra", error))?;
    Ok(config)
}
