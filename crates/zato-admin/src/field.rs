//! From the value of an element to that of a stored field, and back.
//!
//! Owns the conversions that are the same wherever an element is stored. It must not know any family.

use time::OffsetDateTime;
use zato_odb::Secret;
use zato_odb::model::{
    AuditReplacePattern, ChannelSocket, Connection, JobType, MessageParamsPriority, OutgoingSocket,
    Transport, UrlParamsPriority,
};
use zato_service::Error;
use zato_sio::Utc;

use crate::error::not_allowed;

/// A stored field whose element has the type `E` in the catalogue.
pub(crate) trait Field<E>: Sized {
    /// What is stored for the value that a request has for the element `name`.
    fn stored(name: &str, value: E) -> Result<Self, Error>;

    /// What a reply has for the element.
    fn shown(self) -> E;
}

impl<T> Field<T> for T {
    fn stored(_: &str, value: T) -> Result<Self, Error> {
        Ok(value)
    }

    fn shown(self) -> T {
        self
    }
}

/// Fields that are never without a value: an element that is absent stands for the empty text, `false` or zero.
macro_rules! absent_is_default {
    ($($field:ty),+) => {
        $(
            impl Field<Option<$field>> for $field {
                fn stored(_: &str, value: Option<$field>) -> Result<Self, Error> {
                    Ok(value.unwrap_or_default())
                }

                fn shown(self) -> Option<$field> {
                    Some(self)
                }
            }

            impl Field<$field> for Option<$field> {
                fn stored(_: &str, value: $field) -> Result<Self, Error> {
                    Ok(Some(value))
                }

                fn shown(self) -> $field {
                    self.unwrap_or_default()
                }
            }
        )+
    };
}

absent_is_default!(String, bool, i64);

fn narrow(name: &str, value: i64) -> Result<i32, Error> {
    i32::try_from(value).map_err(|_| not_allowed(name, value, "a number of 32 bits"))
}

impl Field<i64> for i32 {
    fn stored(name: &str, value: i64) -> Result<Self, Error> {
        narrow(name, value)
    }

    fn shown(self) -> i64 {
        self.into()
    }
}

impl Field<Option<i64>> for i32 {
    fn stored(name: &str, value: Option<i64>) -> Result<Self, Error> {
        narrow(name, value.unwrap_or_default())
    }

    fn shown(self) -> Option<i64> {
        Some(self.into())
    }
}

impl Field<i64> for Option<i32> {
    fn stored(name: &str, value: i64) -> Result<Self, Error> {
        narrow(name, value).map(Some)
    }

    fn shown(self) -> i64 {
        self.unwrap_or_default().into()
    }
}

impl Field<Option<i64>> for Option<i32> {
    fn stored(name: &str, value: Option<i64>) -> Result<Self, Error> {
        value.map(|value| narrow(name, value)).transpose()
    }

    fn shown(self) -> Option<i64> {
        self.map(Into::into)
    }
}

/// For what is secret and shown all the same, because the API says so.
impl Field<String> for Secret {
    fn stored(_: &str, value: String) -> Result<Self, Error> {
        Ok(Self::new(value))
    }

    fn shown(self) -> String {
        self.expose().to_owned()
    }
}

/// Times are shown to the microsecond. One that no element can hold, after the year 9999, is never stored.
impl Field<Utc> for OffsetDateTime {
    fn stored(_: &str, value: Utc) -> Result<Self, Error> {
        Ok(value.get())
    }

    fn shown(self) -> Utc {
        Utc::new(self).unwrap_or_default()
    }
}

/// Makes fields of the enumerations of the database: their elements are text, which has to be that of a variant.
macro_rules! choices {
    ($($choice:ty),+ $(,)?) => {
        $(
            impl Field<String> for $choice {
                fn stored(name: &str, value: String) -> Result<Self, Error> {
                    Self::from_text(&value).ok_or_else(|| {
                        let all: Vec<&str> = Self::ALL.iter().map(|choice| choice.as_str()).collect();
                        not_allowed(name, value, &all.join(" or "))
                    })
                }

                fn shown(self) -> String {
                    self.as_str().to_owned()
                }
            }
        )+
    };
}

choices!(
    AuditReplacePattern,
    ChannelSocket,
    Connection,
    JobType,
    MessageParamsPriority,
    OutgoingSocket,
    Transport,
    UrlParamsPriority
);

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    #[track_caller]
    fn check<F, E>(sent: E, field: F, shown: impl Into<E>)
    where
        F: Field<E> + Debug + PartialEq,
        E: Debug + PartialEq,
    {
        assert_eq!(F::stored("size", sent).unwrap(), field);
        assert_eq!(field.shown(), shown.into());
    }

    #[track_caller]
    fn check_error<F: Field<E> + Debug, E>(sent: E, expected: &str) {
        assert_eq!(F::stored("size", sent).unwrap_err().message(), expected);
    }

    #[test]
    fn values_are_kept_and_absent_ones_filled_in() {
        check("a".to_owned(), "a".to_owned(), "a".to_owned());
        check(None, String::new(), Some(String::new()));
        check("a".to_owned(), Some("a".to_owned()), "a".to_owned());
        check(None::<String>, None::<String>, None);
        check(None, false, Some(false));
        check(7_i64, 7_i32, 7);
        check(None, 0_i32, Some(0));
        check(7_i64, Some(7_i32), 7);
        check(None::<i64>, None::<i32>, None);
        check("soap".to_owned(), Transport::Soap, "soap".to_owned());
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let size = "size [2147483648] is not allowed: it must be a number of 32 bits";
        check_error::<i32, i64>(1 << 31, size);
        check_error::<Option<i32>, Option<i64>>(Some(1 << 31), size);
        let text = "size [pigeon] is not allowed: it must be plain_http or soap";
        check_error::<Transport, String>("pigeon".to_owned(), text);
    }
}
