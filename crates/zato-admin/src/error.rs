//! What an error of the operational database means to a caller of the public API.
//!
//! Owns that mapping, in this one place. It must not know any family, nor how errors reach callers.

use std::fmt::Display;

use zato_odb::OdbError;
use zato_service::{Error, ErrorKind};

/// Results of the operational database, on their way to a caller.
pub(crate) trait OrError<T> {
    /// Turns an error of the database into one that says what the caller can do about it.
    fn or_error(self) -> Result<T, Error>;
}

impl<T> OrError<T> for Result<T, OdbError> {
    #[track_caller]
    fn or_error(self) -> Result<T, Error> {
        let error = match self {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let kind = match &error {
            OdbError::Duplicate { .. } | OdbError::StillReferenced { .. } => ErrorKind::Conflict,
            OdbError::MissingReference { .. } | OdbError::NotFound { .. } => ErrorKind::NotFound,
            OdbError::TooLong { .. } | OdbError::NulCharacter { .. } => ErrorKind::BadRequest,
            OdbError::Unavailable(_) => ErrorKind::Unavailable,
            _ => return Err(error.into()),
        };
        let message = error.to_string();
        let wrapped = Error::new(kind, message);
        // Only this variant has a cause; the others say everything in their own text.
        Err(match error {
            OdbError::Unavailable(cause) => wrapped.with_source(cause),
            _ => wrapped,
        })
    }
}

/// The error of an id or name that nothing has. `noun` says what was looked for, `by` and `value` how.
#[track_caller]
pub(crate) fn no_row(noun: &str, by: &str, value: impl Display) -> Error {
    Error::not_found(format!("No row was found: there is no {noun} with {by} [{value}]"))
}

/// The error of an element whose value is none of those that it can have.
#[track_caller]
pub(crate) fn not_allowed(element: &str, value: impl Display, allowed: &str) -> Error {
    Error::bad_request(format!("{element} [{value}] is not allowed: it must be {allowed}"))
}

/// The error of an element whose value can't be read as what it is to be.
#[track_caller]
pub(crate) fn invalid(element: &str, problem: impl Display) -> Error {
    Error::bad_request(format!("{element} is invalid: {problem}"))
}

#[cfg(test)]
mod tests {
    use zato_odb::Unique;
    use zato_odb::model::ObjectKind;

    use super::*;

    #[track_caller]
    fn check(error: OdbError, kind: ErrorKind, message: &str, causes: &[&str]) {
        let error = Err::<(), _>(error).or_error().unwrap_err();
        let found: Vec<String> = error.causes().map(ToString::to_string).collect();
        assert_eq!((error.kind(), error.message()), (kind, message));
        assert_eq!(found, causes);
    }

    #[test]
    fn callers_learn_what_they_can_do() {
        let object = ObjectKind::HttpSoap;
        let away = OdbError::Unavailable(std::io::Error::other("connection refused").into());
        check(away, ErrorKind::Unavailable, "the database is unavailable", &["connection refused"]);
        let duplicate = OdbError::Duplicate { object, what: Unique::Name };
        check(duplicate, ErrorKind::Conflict, "another http_soap object has the same name", &[]);
        let missing = OdbError::NotFound { object, id: 5 };
        check(missing, ErrorKind::NotFound, "there is no http_soap object with id 5", &[]);
        let long = OdbError::TooLong { column: "name", limit: 200 };
        check(long, ErrorKind::BadRequest, "`name` is longer than 200 characters", &[]);
        let other = OdbError::Other(std::io::Error::other("syntax error").into());
        check(other, ErrorKind::Internal, "the database reported an error", &["syntax error"]);
    }
}
