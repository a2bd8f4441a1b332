//! `zato.kvdb`: the key/value store, by remote commands and as data dictionaries.
//!
//! Owns what failures of the store and of dictionaries mean to callers. It must not know what commands and dictionaries
//! are: `zato-kvdb` does.

mod dictionary;
mod impexp;
mod remote_command;
mod translation;

use zato_kvdb::KvdbError;
use zato_kvdb::dictionary::{Dictionary, DictionaryError};
use zato_service::{Context, Error, ErrorKind};

fn dictionary(cx: &Context) -> Dictionary {
    Dictionary::new(cx.kvdb().clone())
}

/// What a caller can do about a failure of the store.
fn kind(error: &KvdbError) -> ErrorKind {
    match error {
        KvdbError::Unavailable(_) => ErrorKind::Unavailable,
        KvdbError::Store(_) | KvdbError::Closed | KvdbError::InUse | KvdbError::UnexpectedReply => {
            ErrorKind::Internal
        }
        _ => ErrorKind::BadRequest,
    }
}

/// Turns a failure of a dictionary into one that says what the caller can do about it.
trait OrError<T> {
    fn or_error(self) -> Result<T, Error>;
}

impl<T> OrError<T> for Result<T, DictionaryError> {
    #[track_caller]
    fn or_error(self) -> Result<T, Error> {
        let error = match self {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let kind = match &error {
            DictionaryError::InvalidName(_)
            | DictionaryError::InvalidValue(_)
            | DictionaryError::NotATranslation(_) => ErrorKind::BadRequest,
            DictionaryError::EntryExists(_) | DictionaryError::TranslationExists(_) => ErrorKind::Conflict,
            DictionaryError::NoEntry(_) | DictionaryError::NoTranslation(_) => ErrorKind::NotFound,
            DictionaryError::Busy => ErrorKind::Unavailable,
            DictionaryError::Kvdb(error) => kind(error),
            _ => ErrorKind::Internal,
        };
        let wrapped = Error::new(kind, error.to_string());
        Err(match error {
            DictionaryError::Kvdb(KvdbError::Unavailable(cause) | KvdbError::Store(cause)) => {
                wrapped.with_source(cause)
            }
            _ => wrapped,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: DictionaryError, expected: ErrorKind) {
        let message = error.to_string();
        let error = Err::<(), _>(error).or_error().unwrap_err();
        assert_eq!((error.kind(), error.message()), (expected, message.as_str()));
    }

    #[test]
    fn callers_learn_what_they_can_do() {
        check(DictionaryError::InvalidName("a b".into()), ErrorKind::BadRequest);
        check(DictionaryError::NoTranslation(5), ErrorKind::NotFound);
        check(DictionaryError::Busy, ErrorKind::Unavailable);
        check(DictionaryError::Damaged { key: "key".into() }, ErrorKind::Internal);
        check(KvdbError::InvalidKey { length: 5000 }.into(), ErrorKind::BadRequest);
        check(KvdbError::Closed.into(), ErrorKind::Internal);
    }
}
