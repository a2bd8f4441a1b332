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
