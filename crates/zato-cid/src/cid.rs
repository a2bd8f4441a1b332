//! The correlation id itself: an inline text that is known to be well formed. Must not know where its number comes from.

use std::fmt;
use std::str::FromStr;

use arrayvec::ArrayString;

use crate::form::CROCKFORD;
use crate::{Form, ParseCidError, parse};

/// A correlation id: `K` and a number in one of three [forms](Form).
///
/// The text is held inline, so a `Cid` is copied without touching the heap. Ids compare as their texts do; within one form,
/// generated ones thereby sort by time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cid {
    text: ArrayString<{ Form::MAX_LEN }>,
    form: Form,
}

impl Cid {
    /// Writes `number` in `form`. The caller has made it fit: 96 bits for [`Form::Decimal96`].
    pub(crate) fn from_number(form: Form, number: u128) -> Self {
        let mut text = ArrayString::new();
        text.push('K');
        match form {
            Form::Decimal96 | Form::Decimal128 => push_decimal(number, form.len(), &mut text),
            Form::Base32 => push_base32(number, &mut text),
        }
        Self { text, form }
    }

    /// Takes over a text that [`parse`] has found to be of `form`.
    pub(crate) fn from_checked(form: Form, checked: &str) -> Self {
        let mut text = ArrayString::new();
        text.push_str(checked);
        Self { text, form }
    }

    /// The text: 28, 30 or 40 ASCII characters, the first of them `K`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The form that this id is written in.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }
}

/// Appends the decimal digits of `number`, zero-padded so that the whole text becomes `len` bytes long.
fn push_decimal(number: u128, len: usize, text: &mut ArrayString<{ Form::MAX_LEN }>) {
    const ZEROS: &str = "000000000000000000000000000000000000000";
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(number);
    text.push_str(&ZEROS[..len - text.len() - digits.len()]);
    text.push_str(digits);
}

/// Appends the 27 digits of `number` in base 32, of which a 128-bit number leaves the first to be zero.
fn push_base32(number: u128, text: &mut ArrayString<{ Form::MAX_LEN }>) {
    text.push('0');
    for shift in (0..26).rev() {
        let digit = (number >> (5 * shift)) as usize & 31;
        text.push(char::from(CROCKFORD[digit]));
    }
}

impl AsRef<str> for Cid {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cid").field(&self.as_str()).finish()
    }
}

impl FromStr for Cid {
    type Err = ParseCidError;

    /// Accepts the exact text of any form: no surrounding space, no lower case, nothing out of range.
    ///
    /// # Errors
    ///
    /// [`ParseCidError`] says what was expected, where, and what was there instead.
    fn from_str(text: &str) -> Result<Self, ParseCidError> {
        parse::form_of(text).map(|form| Self::from_checked(form, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(form: Form, number: u128, expected: &str) {
        assert_eq!(Cid::from_number(form, number).as_str(), expected);
    }

    #[test]
    fn numbers_are_padded_to_the_width_of_their_form() {
        check(Form::Decimal96, 0, "K00000000000000000000000000000");
        check(Form::Decimal96, 123, "K00000000000000000000000000123");
        check(Form::Decimal96, (1 << 96) - 1, Form::Decimal96.largest());
        check(Form::Decimal128, 0, "K000000000000000000000000000000000000000");
        check(Form::Decimal128, u128::MAX, Form::Decimal128.largest());
        check(Form::Base32, 0, "K000000000000000000000000000");
        check(Form::Base32, 31, "K00000000000000000000000000Z");
        check(Form::Base32, u128::MAX, Form::Base32.largest());
    }
}
