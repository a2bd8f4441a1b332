//! One value that goes to a database or comes from it.
//!
//! Owns the kinds of values that all engines have in common and the text of each. It must not know which engine has
//! which types.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
const TIME: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]:[second]");

/// A value bound to a statement, or read from a row.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// No value.
    Null,
    /// A truth value. MySQL and SQLite keep it as 0 or 1.
    Bool(bool),
    /// A whole number. Engines take 64 bits of it.
    Integer(i128),
    /// A number in floating point.
    Float(f64),
    /// An exact decimal number, in its digits.
    Decimal(String),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A day.
    Date(Date),
    /// A time of day.
    Time(Time),
    /// A day and a time of a clock whose zone only the database's owner knows.
    DateTime(PrimitiveDateTime),
    /// A moment.
    Timestamp(OffsetDateTime),
    /// A JSON document.
    Json(serde_json::Value),
}

impl Value {
    /// What error messages call such a value.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Bool(_) => "a truth value",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a floating-point number",
            Self::Decimal(_) => "a decimal number",
            Self::Text(_) => "a text",
            Self::Bytes(_) => "bytes",
            Self::Date(_) => "a date",
            Self::Time(_) => "a time of day",
            Self::DateTime(_) => "a date and time",
            Self::Timestamp(_) => "a moment",
            Self::Json(_) => "a JSON document",
        }
    }

    /// The value as a text, which is what it is in JSON unless JSON has a type for it. `NULL` has none.
    pub(crate) fn to_text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Bool(value) => Some(value.to_string()),
            Self::Integer(number) => Some(number.to_string()),
            Self::Float(number) => Some(number.to_string()),
            Self::Decimal(text) | Self::Text(text) => Some(text.clone()),
            Self::Bytes(bytes) => Some(BASE64_STANDARD.encode(bytes)),
            Self::Date(date) => Some(date_text(*date)),
            Self::Time(time) => Some(time_text(*time)),
            Self::DateTime(value) => Some(format!("{}T{}", date_text(value.date()), time_text(value.time()))),
            Self::Timestamp(moment) => {
                let moment = moment.to_offset(UtcOffset::UTC);
                // RFC 3339 has no years beyond 9999.
                Some(moment.format(&Rfc3339).unwrap_or_else(|_| moment.to_string()))
            }
            Self::Json(document) => Some(document.to_string()),
        }
    }
}

fn date_text(date: Date) -> String {
    date.format(DATE).unwrap_or_else(|_| date.to_string())
}

fn time_text(time: Time) -> String {
    let whole = time.format(TIME).unwrap_or_else(|_| time.to_string());
    match time.microsecond() {
        0 => whole,
        microseconds => format!("{whole}.{microseconds:06}").trim_end_matches('0').to_owned(),
    }
}

macro_rules! from {
    ($($from:ty => $variant:ident($convert:expr);)*) => {
        $(
            impl From<$from> for Value {
                fn from(value: $from) -> Self {
                    let convert: fn($from) -> _ = $convert;
                    Self::$variant(convert(value))
                }
            }
        )*
    };
}

from! {
    bool => Bool(|value| value);
    i8 => Integer(i128::from);
    i16 => Integer(i128::from);
    i32 => Integer(i128::from);
    i64 => Integer(i128::from);
    u8 => Integer(i128::from);
    u16 => Integer(i128::from);
    u32 => Integer(i128::from);
    u64 => Integer(i128::from);
    f32 => Float(f64::from);
    f64 => Float(|value| value);
    &str => Text(str::to_owned);
    &String => Text(String::clone);
    String => Text(|value| value);
    &[u8] => Bytes(<[u8]>::to_vec);
    Vec<u8> => Bytes(|value| value);
    Date => Date(|value| value);
    Time => Time(|value| value);
    PrimitiveDateTime => DateTime(|value| value);
    OffsetDateTime => Timestamp(|value| value);
}

impl<V: Into<Self>> From<Option<V>> for Value {
    fn from(value: Option<V>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<serde_json::Value> for Value {
    /// Scalars become values of their own; objects and arrays stay documents.
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(number) => match number.as_i128() {
                Some(number) => Self::Integer(number),
                None => number.as_f64().map_or_else(|| Self::Decimal(number.to_string()), Self::Float),
            },
            serde_json::Value::String(text) => Self::Text(text),
            document => Self::Json(document),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::{date, datetime, time};

    use super::*;

    #[track_caller]
    fn check(value: impl Into<Value>, text: &str) {
        assert_eq!(value.into().to_text().as_deref(), Some(text));
    }

    #[test]
    fn texts() {
        check(true, "true");
        check(u64::MAX, "18446744073709551615");
        check(1.5, "1.5");
        check(vec![1_u8, 2], "AQI=");
        check(date!(2014 - 05 - 04), "2014-05-04");
        check(time!(19:01:40), "19:01:40");
        check(time!(19:01:40.25), "19:01:40.25");
        check(datetime!(2014-05-04 19:01:40), "2014-05-04T19:01:40");
        check(datetime!(2014-05-04 19:01:40 +2), "2014-05-04T17:01:40Z");
        check(json!({"a": [1]}), r#"{"a":[1]}"#);
    }

    #[test]
    fn scalars_of_json_are_values() {
        for (json, value) in [
            (json!(null), Value::Null),
            (json!(-1), Value::Integer(-1)),
            (json!(u64::MAX), Value::Integer(u64::MAX.into())),
            (json!(0.5), Value::Float(0.5)),
            (json!("a"), Value::Text("a".to_owned())),
            (json!([1]), Value::Json(json!([1]))),
        ] {
            assert_eq!(Value::from(json), value);
        }
        assert_eq!(Value::from(None::<i64>), Value::Null);
    }
}
