//! How a value of an object is kept in a column of its table, and back.
//!
//! Owns the column types that the mapper does not have: texts of limited length, encrypted texts, times. It must not know
//! any table.

use sea_orm::sea_query::{ArrayType, ColumnType, Nullable, StringLen, ValueType, ValueTypeErr};
use sea_orm::{ActiveValue, ColIdx, IntoActiveValue, QueryResult, TryGetError, TryGetable, Value};
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

use crate::error::OdbError;
use crate::model::ObjectKind;
use crate::secret::{Secret, SecretKey};

/// What the module of a declared table names.
pub(crate) mod prelude {
    pub(crate) use sea_orm::entity::prelude::*;

    pub(crate) use super::{Sealed, Text, UtcTime};
}

/// Which value is read or written.
pub(crate) struct Place {
    pub(crate) object: ObjectKind,
    pub(crate) id: i64,
    pub(crate) column: &'static str,
    /// Table and column, to which secrets are bound when they are encrypted.
    pub(crate) path: &'static str,
}

/// A column that keeps values of a type.
pub(crate) trait Keeps<T>: Sized {
    /// What is written for a value.
    fn keep(value: &T, place: &Place, key: &SecretKey) -> Result<Self, OdbError>;

    /// The value of what was read.
    fn give(self, place: &Place, key: &SecretKey) -> Result<T, OdbError>;
}

/// Values that both databases keep as they are.
macro_rules! kept_as_they_are {
    ($($value:ty),+) => {
        $(impl Keeps<Self> for $value {
            fn keep(value: &Self, _: &Place, _: &SecretKey) -> Result<Self, OdbError> {
                Ok(value.clone())
            }

            fn give(self, _: &Place, _: &SecretKey) -> Result<Self, OdbError> {
                Ok(self)
            }
        })+
    };
}
kept_as_they_are!(bool, i32, i64, Vec<u8>);

impl<T, C: Keeps<T>> Keeps<Option<T>> for Option<C> {
    fn keep(value: &Option<T>, place: &Place, key: &SecretKey) -> Result<Self, OdbError> {
        value.as_ref().map(|value| C::keep(value, place, key)).transpose()
    }

    fn give(self, place: &Place, key: &SecretKey) -> Result<Option<T>, OdbError> {
        self.map(|column| column.give(place, key)).transpose()
    }
}

/// A text of at most `LIMIT` characters. That it fits is checked when a row is written, for all tables alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<const LIMIT: u32>(pub(crate) String);

impl<const LIMIT: u32> Keeps<String> for Text<LIMIT> {
    fn keep(value: &String, _: &Place, _: &SecretKey) -> Result<Self, OdbError> {
        Ok(Self(value.clone()))
    }

    fn give(self, _: &Place, _: &SecretKey) -> Result<String, OdbError> {
        Ok(self.0)
    }
}

/// A secret, encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed(pub(crate) String);

impl Keeps<Secret> for Sealed {
    fn keep(value: &Secret, place: &Place, key: &SecretKey) -> Result<Self, OdbError> {
        Ok(Self(key.seal(place.path, value)?))
    }

    fn give(self, place: &Place, key: &SecretKey) -> Result<Secret, OdbError> {
        Ok(key.open(place.path, &self.0)?)
    }
}

/// A time in UTC, stored without a zone.
pub(crate) type UtcTime = PrimitiveDateTime;

impl Keeps<OffsetDateTime> for UtcTime {
    fn keep(value: &OffsetDateTime, _: &Place, _: &SecretKey) -> Result<Self, OdbError> {
        Ok(to_stored_time(*value))
    }

    fn give(self, _: &Place, _: &SecretKey) -> Result<OffsetDateTime, OdbError> {
        Ok(self.assume_utc())
    }
}

/// A time as it is stored: UTC without a zone, to the microsecond, which is what PostgreSQL keeps.
pub(crate) fn to_stored_time(time: OffsetDateTime) -> PrimitiveDateTime {
    let utc = time.checked_to_offset(UtcOffset::UTC).unwrap_or(PrimitiveDateTime::MAX.assume_utc());
    let whole = utc.replace_microsecond(utc.microsecond()).unwrap_or(utc);
    PrimitiveDateTime::new(whole.date(), whole.time())
}

/// What the mapper asks of the type of a column that holds a text.
macro_rules! text_column {
    ($name:ty $([$($generics:tt)*])? => $column_type:expr) => {
        impl $(<$($generics)*>)? From<$name> for Value {
            fn from(text: $name) -> Self {
                text.0.into()
            }
        }

        impl $(<$($generics)*>)? TryGetable for $name {
            fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
                String::try_get_by(row, index).map(Self)
            }
        }

        impl $(<$($generics)*>)? ValueType for $name {
            fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
                <String as ValueType>::try_from(value).map(Self)
            }

            fn type_name() -> String {
                "text".to_owned()
            }

            fn array_type() -> ArrayType {
                ArrayType::String
            }

            fn column_type() -> ColumnType {
                $column_type
            }
        }

        impl $(<$($generics)*>)? Nullable for $name {
            fn null() -> Value {
                Value::String(None)
            }
        }

        impl $(<$($generics)*>)? IntoActiveValue<Self> for $name {
            fn into_active_value(self) -> ActiveValue<Self> {
                ActiveValue::Set(self)
            }
        }
    };
}
text_column!(Text<LIMIT> [const LIMIT: u32] => ColumnType::String(StringLen::N(LIMIT)));
text_column!(Sealed => ColumnType::Text);
