//! SQLite.
//!
//! Owns how values are bound to and read from its four storage classes. It must not know pools.

use std::time::Duration;

use sqlx::error::BoxDynError;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteQueryResult, SqliteStatement, SqliteValueRef,
};
use sqlx::{ConnectOptions, Decode, Sqlite, TypeInfo, ValueRef};

use super::{BindError, Dialect, add, integer};
use crate::Value;
use crate::config::Config;
use crate::statement::Executed;

/// How long a writer waits for another one, unless a definition says otherwise.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

impl Dialect for Sqlite {
    fn options(config: &Config) -> SqliteConnectOptions {
        let extra = &config.extra;
        SqliteConnectOptions::new()
            .filename(&config.database)
            .create_if_missing(!extra.read_only)
            .read_only(extra.read_only)
            .busy_timeout(extra.busy_timeout.unwrap_or(BUSY_TIMEOUT))
            .statement_cache_capacity(extra.statement_cache_capacity)
            .disable_statement_logging()
    }

    fn bind(_: &SqliteStatement, values: Vec<Value>) -> Result<SqliteArguments, BindError> {
        let mut arguments = SqliteArguments::default();
        for (index, value) in values.into_iter().enumerate() {
            bind(&mut arguments, index + 1, value)?;
        }
        Ok(arguments)
    }

    fn value(value: SqliteValueRef<'_>) -> Result<Value, BoxDynError> {
        // Any column can have values of any class, whatever was declared.
        let name = value.type_info().name().to_owned();
        match &*name {
            "INTEGER" => decode::<i64>(value).map(Value::from),
            "REAL" => decode::<f64>(value).map(Value::from),
            "BLOB" => decode::<Vec<u8>>(value).map(Value::Bytes),
            _ => decode::<String>(value).map(Value::Text),
        }
    }

    fn executed(result: &SqliteQueryResult) -> Executed {
        let id = Some(result.last_insert_rowid()).filter(|id| *id != 0);
        Executed { rows_affected: result.rows_affected(), last_insert_id: id }
    }
}

fn bind(arguments: &mut SqliteArguments, number: usize, value: Value) -> Result<(), BindError> {
    match value {
        Value::Null => add(arguments, number, None::<String>),
        Value::Bool(value) => add(arguments, number, value),
        Value::Integer(value) => add(arguments, number, integer::<i64>(value, number, "INTEGER")?),
        Value::Float(value) => add(arguments, number, value),
        Value::Decimal(text) | Value::Text(text) => add(arguments, number, text),
        Value::Bytes(bytes) => add(arguments, number, bytes),
        // SQLite has no types for these. As texts they sort as moments do, and its functions read them.
        value @ (Value::Date(_)
        | Value::Time(_)
        | Value::DateTime(_)
        | Value::Timestamp(_)
        | Value::Json(_)) => add(arguments, number, value.to_text()),
    }
}

fn decode<'r, T: Decode<'r, Sqlite>>(value: SqliteValueRef<'r>) -> Result<T, BoxDynError> {
    T::decode(value)
}
