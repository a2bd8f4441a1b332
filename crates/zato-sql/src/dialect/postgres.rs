//! PostgreSQL.
//!
//! Owns which of its types are bound and read, and how. It must not know pools.

use std::fmt::Write as _;

use sqlx::error::BoxDynError;
use sqlx::postgres::{
    PgArguments, PgConnectOptions, PgQueryResult, PgSslMode, PgStatement, PgTypeInfo, PgTypeKind, PgValueRef,
};
use sqlx::types::{BigDecimal, Json, Uuid};
use sqlx::{ConnectOptions, Decode, Either, Postgres, Statement, TypeInfo, ValueRef};
use time::{Date, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

use super::{BindError, Dialect, add, integer};
use crate::Value;
use crate::config::Config;
use crate::error::ParameterError;
use crate::extra::SslMode;
use crate::statement::Executed;

impl Dialect for Postgres {
    fn options(config: &Config) -> PgConnectOptions {
        let extra = &config.extra;
        // Neither the environment nor a file of the server's user is to decide where a connection leads.
        let mut options = PgConnectOptions::new_without_pgpass()
            .host(&config.host)
            .port(config.port)
            .username(&config.username)
            .database(&config.database)
            .statement_cache_capacity(extra.statement_cache_capacity)
            .disable_statement_logging();
        if let Some(password) = &config.password {
            options = options.password(password.expose());
        }
        if let Some(name) = extra.application_name.as_ref().or(config.application_name.as_ref()) {
            options = options.application_name(name);
        }
        if let Some(mode) = extra.ssl_mode {
            options = options.ssl_mode(match mode {
                SslMode::Disable => PgSslMode::Disable,
                SslMode::Prefer => PgSslMode::Prefer,
                SslMode::Require => PgSslMode::Require,
                SslMode::VerifyCa => PgSslMode::VerifyCa,
                SslMode::VerifyFull => PgSslMode::VerifyFull,
            });
        }
        if let Some(path) = &extra.ssl_ca {
            options = options.ssl_root_cert(path);
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

    fn bind(statement: &PgStatement, values: Vec<Value>) -> Result<PgArguments, BindError> {
        // PostgreSQL infers the type of each placeholder and takes nothing else for it, not even a number of another width.
        let types = match statement.parameters() {
            Some(Either::Left(types)) => types,
            _ => &[],
        };
        let mut arguments = PgArguments::default();
        for (index, (value, wanted)) in values.into_iter().zip(types).enumerate() {
            bind(&mut arguments, index + 1, value, wanted)?;
        }
        Ok(arguments)
    }

    fn value(value: PgValueRef<'_>) -> Result<Value, BoxDynError> {
        let wanted = value.type_info().into_owned();
        match wanted.name() {
            "BOOL" => decode::<bool>(value).map(Value::Bool),
            "INT2" => decode::<i16>(value).map(Value::from),
            "INT4" => decode::<i32>(value).map(Value::from),
            "INT8" => decode::<i64>(value).map(Value::from),
            "FLOAT4" => decode::<f32>(value).map(Value::from),
            "FLOAT8" => decode::<f64>(value).map(Value::from),
            "NUMERIC" => numeric(value.as_bytes()?).map(Value::Decimal),
            "BYTEA" => decode::<Vec<u8>>(value).map(Value::Bytes),
            "UUID" => decode::<Uuid>(value).map(|uuid| Value::Text(uuid.to_string())),
            "JSON" | "JSONB" => {
                decode::<Json<serde_json::Value>>(value).map(|Json(document)| Value::Json(document))
            }
            "DATE" => decode::<Date>(value).map(Value::Date),
            "TIME" => decode::<Time>(value).map(Value::Time),
            "TIMESTAMP" => decode::<PrimitiveDateTime>(value).map(Value::DateTime),
            "TIMESTAMPTZ" => decode::<OffsetDateTime>(value).map(Value::Timestamp),
            "VOID" => Ok(Value::Null),
            _ if is_text(&wanted) => Ok(Value::Text(value.as_str()?.to_owned())),
            other => {
                Err(format!("values of the type {other} are not read; cast the column to a text").into())
            }
        }
    }

    fn executed(result: &PgQueryResult) -> Executed {
        Executed { rows_affected: result.rows_affected(), last_insert_id: None }
    }
}

/// Whether a type's binary form is its text.
fn is_text(wanted: &PgTypeInfo) -> bool {
    matches!(wanted.kind(), PgTypeKind::Enum(_))
        || matches!(
            &*wanted.name().to_ascii_uppercase(),
            "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "UNKNOWN" | "XML" | "CITEXT"
        )
}

/// Binds a value as the type that the database has inferred for its placeholder.
fn bind(
    arguments: &mut PgArguments,
    number: usize,
    value: Value,
    wanted: &PgTypeInfo,
) -> Result<(), BindError> {
    let name = wanted.name();
    match (name, value) {
        (_, Value::Null) => add(arguments, number, None::<String>),
        ("BOOL", Value::Bool(value)) => add(arguments, number, value),
        ("BOOL", Value::Integer(value @ (0 | 1))) => add(arguments, number, value == 1),
        ("INT2", Value::Integer(value)) => add(arguments, number, integer::<i16>(value, number, name)?),
        ("INT4", Value::Integer(value)) => add(arguments, number, integer::<i32>(value, number, name)?),
        ("INT8", Value::Integer(value)) => add(arguments, number, integer::<i64>(value, number, name)?),
        ("FLOAT4", Value::Float(value)) => add(arguments, number, value as f32),
        ("FLOAT8", Value::Float(value)) => add(arguments, number, value),
        // Integers up to 2^53 are exact; beyond, a float is what the column holds anyway.
        ("FLOAT4", Value::Integer(value)) => add(arguments, number, value as f32),
        ("FLOAT8", Value::Integer(value)) => add(arguments, number, value as f64),
        ("NUMERIC", Value::Integer(value)) => add(arguments, number, BigDecimal::from(value)),
        ("NUMERIC", Value::Decimal(text) | Value::Text(text)) => {
            add(arguments, number, parsed::<BigDecimal>(&text, number, name)?)
        }
        ("NUMERIC", Value::Float(value)) => {
            add(arguments, number, parsed::<BigDecimal>(&value.to_string(), number, name)?)
        }
        ("BYTEA", Value::Bytes(bytes)) => add(arguments, number, bytes),
        ("UUID", Value::Text(text)) => add(arguments, number, parsed::<Uuid>(&text, number, name)?),
        ("JSON" | "JSONB", value) => add(arguments, number, Json(document(value))),
        ("DATE", Value::Date(date)) => add(arguments, number, date),
        ("TIME", Value::Time(time)) => add(arguments, number, time),
        ("TIMESTAMP", Value::DateTime(value)) => add(arguments, number, value),
        // Moments are kept in UTC where a column has no zone.
        ("TIMESTAMP", Value::Timestamp(moment)) => {
            let moment = moment.to_offset(UtcOffset::UTC);
            add(arguments, number, PrimitiveDateTime::new(moment.date(), moment.time()))
        }
        ("TIMESTAMPTZ", Value::Timestamp(moment)) => add(arguments, number, moment),
        (_, value) if is_text(wanted) => add(arguments, number, value.to_text()),
        (_, value) => Err(mismatch(number, value.kind(), name)),
    }
}

fn mismatch(number: usize, given: &'static str, wanted: &str) -> BindError {
    BindError(number, ParameterError::Type { given, wanted: wanted.to_owned() })
}

fn parsed<T: std::str::FromStr>(text: &str, number: usize, wanted: &str) -> Result<T, BindError> {
    text.parse().map_err(|_| mismatch(number, "a text that is none", wanted))
}

/// What a value is as a JSON document.
fn document(value: Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => value.into(),
        Value::Integer(number) => serde_json::Number::from_i128(number)
            .map_or_else(|| serde_json::Value::from(number.to_string()), serde_json::Value::Number),
        Value::Float(number) => number.into(),
        Value::Json(document) => document,
        other => other.to_text().into(),
    }
}

fn decode<'r, T: Decode<'r, Postgres>>(value: PgValueRef<'r>) -> Result<T, BoxDynError> {
    T::decode(value)
}

/// The digits of a number in PostgreSQL's binary form, with as many decimals as the column shows.
///
/// The form is a header of four 16-bit numbers (how many groups of digits, the weight of the first one, the sign, how
/// many decimals), and then the groups: four decimal digits each, the weight being the power of 10,000.
fn numeric(bytes: &[u8]) -> Result<String, BoxDynError> {
    let words: Vec<u16> = bytes.chunks_exact(2).map(|word| u16::from_be_bytes([word[0], word[1]])).collect();
    let [_, weight, sign, scale, groups @ ..] = &*words else {
        return Err("a number without a header".into());
    };
    let sign = match sign {
        0x0000 => "",
        0x4000 => "-",
        0xC000 => return Ok("NaN".to_owned()),
        0xD000 => return Ok("Infinity".to_owned()),
        0xF000 => return Ok("-Infinity".to_owned()),
        other => return Err(format!("a number of the unknown sign {other:#06x}").into()),
    };
    let weight = i32::from(weight.cast_signed());
    let group = |power: i32| {
        let index = usize::try_from(weight - power).ok();
        index.and_then(|index| groups.get(index)).copied().unwrap_or(0)
    };
    let mut text = sign.to_owned();
    text.push_str(&group(weight.max(0)).to_string());
    for power in (0..weight).rev() {
        let _ = write!(text, "{:04}", group(power));
    }
    if *scale > 0 {
        let decimals: String =
            (1..=i32::from(scale.div_ceil(4))).map(|power| format!("{:04}", group(-power))).collect();
        text.push('.');
        text.extend(decimals.chars().take((*scale).into()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(words: &[u16], text: &str) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        assert_eq!(numeric(&bytes).unwrap(), text);
    }

    #[test]
    fn numbers() {
        check(&[0, 0, 0, 0], "0");
        check(&[0, 0, 0, 2], "0.00");
        check(&[3, 1, 0, 2, 1, 2345, 6000], "12345.60");
        check(&[1, 1, 0, 0, 1], "10000");
        check(&[1, 0xFFFF, 0x4000, 3, 50], "-0.005");
        check(&[1, 0xFFFE, 0, 8, 1], "0.00000001");
        check(&[2, 0, 0, 4, 7, 1], "7.0001");
        check(&[0, 0, 0xC000, 0], "NaN");
        check(&[0, 0, 0xF000, 0x20], "-Infinity");
        assert!(numeric(&[0, 0]).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = numeric(&bytes);
        }
    }
}
