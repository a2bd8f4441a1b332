//! From a row to a type of its reader.
//!
//! Owns how values become the fields, elements or the one scalar of a type that serde can read. It must not know where
//! a row came from.

use std::fmt;
use std::sync::Arc;

use serde::de::value::{SeqDeserializer, StringDeserializer};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::Value;

/// A row of a result, with the names of its columns.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) columns: Arc<[Box<str>]>,
    pub(crate) values: Vec<Value>,
}

/// A row can't be read as the type that its reader wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    column: Option<Box<str>>,
    message: String,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Some(column) => write!(f, "column `{column}`: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for RowError {}

impl de::Error for RowError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { column: None, message: message.to_string() }
    }
}

impl RowError {
    fn at(mut self, column: &str) -> Self {
        self.column.get_or_insert_with(|| column.into());
        self
    }
}

impl Row {
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T, RowError> {
        T::deserialize(self)
    }

    fn access(self) -> Columns {
        Columns { columns: self.columns, next: 0, values: self.values.into_iter() }
    }

    /// The value of a row that has one column, which is what a scalar type is read from.
    fn single(mut self) -> Result<Single, RowError> {
        match (self.values.pop(), self.values.is_empty()) {
            (Some(value), true) => Ok(Single { columns: self.columns, value }),
            _ => Err(de::Error::custom(format_args!(
                "a row of {} columns is no single value; read it as a structure, a tuple or a map",
                self.columns.len()
            ))),
        }
    }
}

struct Single {
    columns: Arc<[Box<str>]>,
    value: Value,
}

impl Single {
    fn read<T>(self, read: impl FnOnce(Value) -> Result<T, RowError>) -> Result<T, RowError> {
        let column = self.columns.first().map_or("", |column| &**column);
        read(self.value).map_err(|error| error.at(column))
    }
}

macro_rules! scalars {
    ($($method:ident)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
                self.single()?.read(|value| value.$method(visitor))
            }
        )*
    };
}

impl<'de> Deserializer<'de> for Row {
    type Error = RowError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_map(self.access())
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_seq(self.access())
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, RowError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.single()?.read(|value| value.deserialize_enum(name, variants, visitor))
    }

    scalars! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string
        deserialize_bytes deserialize_byte_buf deserialize_option
    }

    forward_to_deserialize_any! { unit unit_struct map struct identifier ignored_any }
}

/// The columns of a row, one after the other.
struct Columns {
    columns: Arc<[Box<str>]>,
    next: usize,
    values: std::vec::IntoIter<Value>,
}

impl Columns {
    fn next_value<'de, S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, RowError> {
        let Some(value) = self.values.next() else { return Ok(None) };
        let column = self.next;
        self.next += 1;
        let read = seed.deserialize(value);
        read.map(Some).map_err(|error| error.at(self.columns.get(column).map_or("", |name| &**name)))
    }
}

impl<'de> MapAccess<'de> for Columns {
    type Error = RowError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, RowError> {
        let name = self.columns.get(self.next).map(|name| &**name);
        name.map(|name| seed.deserialize(name.into_deserializer())).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, RowError> {
        self.next_value(seed)?.ok_or_else(|| de::Error::custom("there are no more columns"))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.values.len())
    }
}

impl<'de> SeqAccess<'de> for Columns {
    type Error = RowError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, RowError> {
        self.next_value(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.values.len())
    }
}

/// The whole number that a decimal one is, such as the sum of integers, which databases make decimal.
fn whole(digits: &str) -> Option<i128> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if fraction.bytes().all(|digit| digit == b'0') { whole.parse().ok() } else { None }
}

fn visit_integer<'de, V: Visitor<'de>>(number: i128, visitor: V) -> Result<V::Value, RowError> {
    match (i64::try_from(number), u64::try_from(number)) {
        (Ok(number), _) => visitor.visit_i64(number),
        (_, Ok(number)) => visitor.visit_u64(number),
        _ => visitor.visit_i128(number),
    }
}

macro_rules! integers {
    ($($method:ident)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
                match &self {
                    Value::Decimal(digits) => match whole(digits) {
                        Some(number) => visit_integer(number, visitor),
                        None => self.deserialize_any(visitor),
                    },
                    _ => self.deserialize_any(visitor),
                }
            }
        )*
    };
}

macro_rules! floats {
    ($($method:ident)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
                match &self {
                    Value::Decimal(digits) => match digits.parse() {
                        Ok(number) => visitor.visit_f64(number),
                        Err(_) => self.deserialize_any(visitor),
                    },
                    _ => self.deserialize_any(visitor),
                }
            }
        )*
    };
}

impl<'de> Deserializer<'de> for Value {
    type Error = RowError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Integer(number) => visit_integer(number, visitor),
            Self::Float(number) => visitor.visit_f64(number),
            Self::Decimal(text) | Self::Text(text) => visitor.visit_string(text),
            Self::Json(document) => document.deserialize_any(visitor).map_err(de::Error::custom),
            Self::Bytes(_) | Self::Date(_) | Self::Time(_) | Self::DateTime(_) | Self::Timestamp(_) => {
                visitor.visit_string(self.to_text().unwrap_or_default())
            }
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self {
            // Two of the engines have no truth values of their own.
            Self::Integer(number @ (0 | 1)) => visitor.visit_bool(number == 1),
            other => other.deserialize_any(visitor),
        }
    }

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    floats! { deserialize_f32 deserialize_f64 }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self {
            Self::Null => visitor.visit_none(),
            other => visitor.visit_some(other),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        self.deserialize_byte_buf(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self {
            Self::Bytes(bytes) => visitor.visit_byte_buf(bytes),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self {
            Self::Bytes(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.into_iter())),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        match self {
            Self::Json(document) => {
                document.deserialize_enum(name, variants, visitor).map_err(de::Error::custom)
            }
            Self::Text(text) => {
                let text: StringDeserializer<RowError> = text.into_deserializer();
                text.deserialize_enum(name, variants, visitor)
            }
            other => other.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        char str string unit unit_struct tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;
    use time::OffsetDateTime;
    use time::macros::datetime;

    use super::*;

    fn row<const N: usize>(columns: [(&str, Value); N]) -> Row {
        let (names, values): (Vec<Box<str>>, Vec<Value>) =
            columns.into_iter().map(|(name, value)| (name.into(), value)).unzip();
        Row { columns: names.into(), values }
    }

    #[track_caller]
    fn check<T: DeserializeOwned + PartialEq + fmt::Debug>(value: impl Into<Value>, expected: T) {
        assert_eq!(row([("a", value.into())]).read::<T>(), Ok(expected));
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Status {
        Open,
        Closed,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Order {
        id: i64,
        total: f64,
        status: Status,
        note: Option<String>,
        #[serde(with = "time::serde::rfc3339")]
        placed: OffsetDateTime,
        document: Vec<u8>,
        tags: BTreeMap<String, bool>,
    }

    #[test]
    fn structures() {
        let moment = datetime!(2014-05-04 19:01:40 UTC);
        let order = row([
            ("id", Value::Decimal("7.00".to_owned())),
            ("total", Value::Decimal("12.5".to_owned())),
            ("status", "closed".into()),
            ("note", Value::Null),
            ("placed", moment.into()),
            ("document", vec![0_u8, 255].into()),
            ("tags", json!({"urgent": true}).into()),
        ]);
        let expected = Order {
            id: 7,
            total: 12.5,
            status: Status::Closed,
            note: None,
            placed: moment,
            document: vec![0, 255],
            tags: BTreeMap::from([("urgent".to_owned(), true)]),
        };
        assert_eq!(order.read::<Order>(), Ok(expected));
    }

    #[test]
    fn scalars_and_tuples() {
        check(1, true);
        check(1, 1_u8);
        check(1, 1.0_f64);
        check("a", "a".to_owned());
        check("open", Status::Open);
        check(Value::Null, None::<i64>);
        check(2, Some(2_i64));
        check(u64::MAX, u64::MAX);
        check(1, (1_i64,));
        check(json!([1, 2]), (vec![1, 2],));
        let pair = row([("a", 1.into()), ("b", "x".into())]);
        assert_eq!(pair.clone().read::<(i64, String)>(), Ok((1, "x".to_owned())));
        assert_eq!(pair.read::<serde_json::Value>(), Ok(json!({"a": 1, "b": "x"})));
    }

    #[test]
    fn json_keeps_what_numbers_would_lose() {
        check(Value::Decimal("0.10".to_owned()), json!({"a": "0.10"}));
        check(vec![1_u8, 2], json!({"a": "AQI="}));
        check(datetime!(2014-05-04 19:01:40), json!({"a": "2014-05-04T19:01:40"}));
    }

    #[test]
    fn errors_name_the_column() {
        let check = |row: Row, expected: &str| {
            let error = row.read::<(i64, i64)>().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(row([("a", 1.into()), ("b", "x".into())]), "column `b`: invalid type: string \"x\"");
        check(row([("a", 1.into()), ("b", Value::Decimal("1.5".to_owned()))]), "column `b`: invalid type");
        let error = row([("a", 1.into()), ("b", 2.into())]).read::<i64>().unwrap_err().to_string();
        assert!(error.contains("a row of 2 columns is no single value"), "{error}");
    }
}
