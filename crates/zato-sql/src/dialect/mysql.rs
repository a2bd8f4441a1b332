//! MySQL and MariaDB.
//!
//! Owns which of their types are bound and read, and how. It must not know pools.

use sqlx::error::BoxDynError;
use sqlx::mysql::types::MySqlTime;
use sqlx::mysql::{
    MySqlArguments, MySqlConnectOptions, MySqlQueryResult, MySqlSslMode, MySqlStatement, MySqlValueRef,
};
use sqlx::types::{BigDecimal, Json};
use sqlx::{ConnectOptions, Decode, MySql, TypeInfo, ValueRef};
use time::{Date, OffsetDateTime, PrimitiveDateTime};

use super::{BindError, Dialect, add, integer};
use crate::Value;
use crate::config::Config;
use crate::extra::SslMode;
use crate::statement::Executed;

impl Dialect for MySql {
    fn options(config: &Config) -> MySqlConnectOptions {
        let extra = &config.extra;
        let mut options = MySqlConnectOptions::new()
            .host(&config.host)
            .port(config.port)
            .username(&config.username)
            .database(&config.database)
            .statement_cache_capacity(extra.statement_cache_capacity)
            .disable_statement_logging();
        if let Some(password) = &config.password {
            options = options.password(password.expose());
        }
        if let Some(charset) = &extra.charset {
            options = options.charset(charset);
        }
        if let Some(collation) = &extra.collation {
            options = options.collation(collation);
        }
        if let Some(mode) = extra.ssl_mode {
            options = options.ssl_mode(match mode {
                SslMode::Disable => MySqlSslMode::Disabled,
                SslMode::Prefer => MySqlSslMode::Preferred,
                SslMode::Require => MySqlSslMode::Required,
                SslMode::VerifyCa => MySqlSslMode::VerifyCa,
                SslMode::VerifyFull => MySqlSslMode::VerifyIdentity,
            });
        }
        if let Some(path) = &extra.ssl_ca {
            options = options.ssl_ca(path);
        }
        if let Some(path) = &extra.ssl_cert {
            options = options.ssl_client_cert(path);
        }
        if let Some(path) = &extra.ssl_key {
            options = options.ssl_client_key(path);
        }
        if let Some(path) = &extra.unix_socket {
            options = options.socket(path);
        }
        options
    }

    fn bind(_: &MySqlStatement, values: Vec<Value>) -> Result<MySqlArguments, BindError> {
        let mut arguments = MySqlArguments::default();
        for (index, value) in values.into_iter().enumerate() {
            bind(&mut arguments, index + 1, value)?;
        }
        Ok(arguments)
    }

    fn value(value: MySqlValueRef<'_>) -> Result<Value, BoxDynError> {
        let name = value.type_info().name().to_owned();
        match &*name {
            "BOOLEAN" => decode::<bool>(value).map(Value::Bool),
            "TINYINT" | "SMALLINT" | "INT" | "MEDIUMINT" | "BIGINT" => decode::<i64>(value).map(Value::from),
            "TINYINT UNSIGNED" | "SMALLINT UNSIGNED" | "INT UNSIGNED" | "MEDIUMINT UNSIGNED"
            | "BIGINT UNSIGNED" | "YEAR" | "BIT" => decode::<u64>(value).map(Value::from),
            "FLOAT" => decode::<f32>(value).map(Value::from),
            "DOUBLE" => decode::<f64>(value).map(Value::from),
            "DECIMAL" => decode::<BigDecimal>(value).map(|number| Value::Decimal(number.to_plain_string())),
            "TIMESTAMP" => decode::<OffsetDateTime>(value).map(Value::Timestamp),
            "DATETIME" => decode::<PrimitiveDateTime>(value).map(Value::DateTime),
            "DATE" => decode::<Date>(value).map(Value::Date),
            // It may be longer than a day, or less than nothing: a duration rather than a time of day.
            "TIME" => decode::<MySqlTime>(value).map(|time| Value::Text(time.to_string())),
            "JSON" => decode::<Json<serde_json::Value>>(value).map(|Json(document)| Value::Json(document)),
            "BINARY" | "VARBINARY" | "TINYBLOB" | "BLOB" | "MEDIUMBLOB" | "LONGBLOB" => {
                decode::<Vec<u8>>(value).map(Value::Bytes)
            }
            "CHAR" | "VARCHAR" | "TINYTEXT" | "TEXT" | "MEDIUMTEXT" | "LONGTEXT" | "ENUM" | "SET" => {
                decode::<String>(value).map(Value::Text)
            }
            other => Err(format!("values of the type {other} are not read; cast the column to CHAR").into()),
        }
    }

    fn executed(result: &MySqlQueryResult) -> Executed {
        let id = i64::try_from(result.last_insert_id()).ok().filter(|id| *id != 0);
        Executed { rows_affected: result.rows_affected(), last_insert_id: id }
    }
}

fn bind(arguments: &mut MySqlArguments, number: usize, value: Value) -> Result<(), BindError> {
    match value {
        Value::Null => add(arguments, number, None::<String>),
        Value::Bool(value) => add(arguments, number, value),
        Value::Integer(value) => match i64::try_from(value) {
            Ok(value) => add(arguments, number, value),
            Err(_) => add(arguments, number, integer::<u64>(value, number, "BIGINT")?),
        },
        Value::Float(value) => add(arguments, number, value),
        Value::Decimal(text) | Value::Text(text) => add(arguments, number, text),
        Value::Bytes(bytes) => add(arguments, number, bytes),
        Value::Date(date) => add(arguments, number, date),
        Value::Time(time) => add(arguments, number, time),
        Value::DateTime(value) => add(arguments, number, value),
        // The driver's sessions are in UTC.
        Value::Timestamp(moment) => add(arguments, number, moment),
        Value::Json(document) => add(arguments, number, document.to_string()),
    }
}

fn decode<'r, T: Decode<'r, MySql>>(value: MySqlValueRef<'r>) -> Result<T, BoxDynError> {
    T::decode(value)
}
