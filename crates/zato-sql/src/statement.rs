//! What is sent to a database: the text of a statement, and the values bound to it.
//!
//! Owns the rule that values are never part of a text. It must not know any engine.

use std::fmt;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::Value;

/// The text of a statement.
///
/// A text of the program itself becomes one by itself. One that is put together while the program runs has to be wrapped
/// by hand, in [`Sql::composed`], so that it is seen where a value could become a part of it.
#[derive(Clone)]
pub struct Sql(SqlStr);

impl Sql {
    /// A text that was put together of parts, none of which came from a caller.
    pub fn composed(text: impl Into<String>) -> Self {
        Self(AssertSqlSafe(text.into()).into_sql_str())
    }

    pub(crate) fn into_inner(self) -> SqlStr {
        self.0
    }
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self(SqlStr::from_static(text))
    }
}

impl fmt::Debug for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0.as_str(), f)
    }
}

/// Values to be bound to the placeholders of a statement, in their order: a tuple of up to twelve values, an array or a
/// vector; `()` if there are no placeholders.
pub trait IntoParams {
    /// The values.
    fn into_params(self) -> Vec<Value>;
}

impl IntoParams for () {
    fn into_params(self) -> Vec<Value> {
        Vec::new()
    }
}

impl<V: Into<Value>> IntoParams for Vec<V> {
    fn into_params(self) -> Vec<Value> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<V: Into<Value>, const N: usize> IntoParams for [V; N] {
    fn into_params(self) -> Vec<Value> {
        self.into_iter().map(Into::into).collect()
    }
}

macro_rules! tuples {
    ($($($name:ident)+;)*) => {
        $(
            impl<$($name: Into<Value>),+> IntoParams for ($($name,)+) {
                #[expect(non_snake_case, reason = "the names of the types serve as names of their values")]
                fn into_params(self) -> Vec<Value> {
                    let ($($name,)+) = self;
                    vec![$($name.into()),+]
                }
            }
        )*
    };
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
    A B C D E F G H I;
    A B C D E F G H I J;
    A B C D E F G H I J K;
    A B C D E F G H I J K L;
}

/// What a statement that returns no rows has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Executed {
    /// How many rows it inserted, changed or deleted.
    pub rows_affected: u64,
    /// The id that MySQL or SQLite gave to the last inserted row. PostgreSQL tells it with `RETURNING` only.
    pub last_insert_id: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn params_keep_their_order() {
        let expected = vec![Value::Integer(1), Value::Text("a".to_owned()), Value::Null];
        assert_eq!((1, "a", None::<bool>).into_params(), expected);
        assert_eq!([1, 2].into_params(), (1, 2).into_params());
        assert_eq!(vec![1].into_params(), (1,).into_params());
        assert!(().into_params().is_empty());
    }
}
