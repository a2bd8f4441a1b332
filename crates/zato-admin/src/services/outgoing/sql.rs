//! `zato.outgoing.sql`: pools of SQL connections.
//!
//! Owns what such a pool can be, and what a ping says about it. It must not know how databases are spoken to.

use futures_util::future::join_all;
use zato_catalogue::outgoing::sql;
use zato_connections::Named;
use zato_odb::Secret;
use zato_odb::model::OutgoingSql;
use zato_service::{Context, Error, ErrorKind};
use zato_sql::Engine;

use crate::apply::{sql_engine, sql_pool};
use crate::change::{Family, HasPassword};
use crate::error::OrError;
use crate::family::{find, services};
use crate::value::{COUNTS, PORTS, not_empty, within};
use crate::{Admin, Handle, password};

pub(crate) struct SqlConnections;

impl Family for SqlConnections {
    type Object = OutgoingSql;

    const NOUN: &'static str = "outgoing SQL connection";

    const TAKEN: &'static str = "An outgoing SQL connection";

    fn check_values(pool: &OutgoingSql) -> Result<(), Error> {
        check_extra(pool.extra.as_deref().unwrap_or_default())?;
        let engine = sql_engine(pool)?;
        not_empty("db_name", &pool.db_name)?;
        within("pool_size", pool.pool_size, &COUNTS)?;
        // SQLite opens a file of this machine.
        if engine != Engine::Sqlite {
            not_empty("host", &pool.host)?;
            not_empty("username", &pool.username)?;
            within("port", pool.port, &PORTS)?;
        }
        sql_pool(pool).map(drop)
    }
}

impl HasPassword for SqlConnections {
    const PASSWORD_REQUIRED: bool = true;

    fn set_password(pool: &mut OutgoingSql, password: Secret) -> Result<(), Error> {
        pool.password = password;
        Ok(())
    }
}

services! {
    SqlConnections in sql: create, edit, change_password, delete, get_list;
    {
        object OutgoingSql { is_active, engine, host, port, db_name, username, pool_size, extra }
        initially { password: password::random()? }
        shown(pool, _admin) { cluster_id: pool.cluster_id }
    }
}

impl Handle for sql::ping::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<sql::ping::Response, Error> {
        let stored = find::<SqlConnections>(admin, self.id).await?;
        // Inactive pools are in the table, too. One that is not there can't be made, and making it says why.
        let pool = match cx.outgoing().sql_table().by_id(stored.id) {
            Ok(pool) => pool,
            Err(_) => sql_pool(&stored)?,
        };
        let elapsed = pool.ping().await.map_err(|error| could_not_ping(&stored.name, error))?;
        Ok(sql::ping::Response { response_time: Some(format!("{:.5}", elapsed.as_secs_f64())) })
    }
}

fn could_not_ping(name: &str, error: zato_sql::Error) -> Error {
    let kind = if error.is_timeout() { ErrorKind::GatewayTimeout } else { ErrorKind::BadGateway };
    Error::new(kind, format!("Could not ping the outgoing SQL connection [{name}]")).with_source(error)
}

impl Handle for sql::auto_ping::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<(), Error> {
        let cid = cx.cid();
        if let Err(error) = admin.odb().last_event(admin.settings().cluster_id).await.or_error() {
            tracing::warn!(%cid, %error, "could not ping the operational database");
        }
        // What an operator has switched off is left alone.
        let pools = cx.outgoing().sql_table().all().into_iter().filter(Named::is_active);
        join_all(pools.map(|pool| async move {
            if let Err(error) = pool.ping().await {
                let error = could_not_ping(pool.name(), error);
                let causes = error.causes_in_line();
                tracing::warn!(%cid, %error, causes, "an SQL connection does not answer");
            }
        }))
        .await;
        Ok(())
    }
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
