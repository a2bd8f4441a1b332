//! Recognition of correlation ids, and the exact error for what is not one. Owns no state and copies nothing.

use std::fmt;

use crate::Form;
use crate::form::CROCKFORD;

/// Why a text is not a correlation id.
///
/// Positions count bytes from 0; up to the position of an error a text is ASCII, so they count characters as well.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseCidError {
    /// The text has the length of no form.
    #[error("expected 28, 30 or 40 characters, found {found}")]
    Length {
        /// The number of characters that were there.
        found: usize,
    },
    /// A character is not among those that may stand at its position.
    #[error("expected {expected} at position {position}, found {found:?}")]
    Character {
        /// What may stand there.
        expected: Expected,
        /// Where it stands.
        position: usize,
        /// What stands there.
        found: char,
    },
    /// The number has more bits than the form allows.
    #[error("expected at most {largest}, found {found:?} at position {position}")]
    TooLarge {
        /// The largest correlation id of this form.
        largest: &'static str,
        /// The first position whose digit makes the number too large.
        position: usize,
        /// The digit that stands there.
        found: char,
    },
}

/// What may stand at a position of a correlation id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// The letter `K` that starts every correlation id.
    Prefix,
    /// A decimal digit.
    DecimalDigit,
    /// A digit of Crockford's base 32, upper case.
    Base32Digit,
}

impl Expected {
    fn allows(self, byte: u8) -> bool {
        match self {
            Self::Prefix => byte == b'K',
            Self::DecimalDigit => byte.is_ascii_digit(),
            Self::Base32Digit => CROCKFORD.contains(&byte),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prefix => "the letter 'K'",
            Self::DecimalDigit => "a digit",
            Self::Base32Digit => "a Crockford base 32 digit",
        })
    }
}

/// The form of `text`, which is then known to be a correlation id.
pub(crate) fn form_of(text: &str) -> Result<Form, ParseCidError> {
    let form =
        Form::with_len(text.len()).ok_or_else(|| ParseCidError::Length { found: text.chars().count() })?;
    let digit = match form {
        Form::Decimal96 | Form::Decimal128 => Expected::DecimalDigit,
        Form::Base32 => Expected::Base32Digit,
    };
    for (position, found) in text.char_indices() {
        let expected = if position == 0 { Expected::Prefix } else { digit };
        if !u8::try_from(found).is_ok_and(|byte| expected.allows(byte)) {
            return Err(ParseCidError::Character { expected, position, found });
        }
    }
    let largest = form.largest();
    if text > largest {
        // Equal lengths and a greater text: some digit is the first to differ, and it is the greater one.
        let differing =
            text.chars().zip(largest.chars()).enumerate().find(|(_, (found, limit))| found != limit);
        if let Some((position, (found, _))) = differing {
            return Err(ParseCidError::TooLarge { largest, position, found });
        }
    }
    Ok(form)
}
