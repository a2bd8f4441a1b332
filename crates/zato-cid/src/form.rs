//! The textual forms of a correlation id: their lengths, alphabets and largest members. Knows nothing of how numbers are made.

/// How the number of a correlation id is written.
///
/// Forms differ in length, so the length of a text tells its form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Form {
    /// `K` and 29 zero-padded decimal digits of a 96-bit number: 48 bits of time, 48 random bits.
    #[default]
    Decimal96,
    /// `K` and 39 zero-padded decimal digits of a 128-bit number, a ULID: 48 bits of time, 80 random bits.
    Decimal128,
    /// `K` and 27 characters of Crockford's base 32 of the same 128-bit number, upper case. As 27 characters hold
    /// 135 bits, the first one is always `0`; the other 26 are the usual text of a ULID.
    Base32,
}

/// The characters of Crockford's base 32 by value: no `I`, `L`, `O` or `U`.
pub(crate) const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl Form {
    /// The length of the longest form, in bytes.
    pub(crate) const MAX_LEN: usize = 40;

    /// The length of every text of this form, in bytes and in characters.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a form is not a container")]
    pub const fn len(self) -> usize {
        self.largest().len()
    }

    /// The text with the largest number of this form. Since texts are zero-padded and both alphabets ascend in ASCII, a
    /// well-formed text is in range exactly when it does not sort after this one.
    pub(crate) const fn largest(self) -> &'static str {
        match self {
            Self::Decimal96 => "K79228162514264337593543950335",
            Self::Decimal128 => "K340282366920938463463374607431768211455",
            Self::Base32 => "K07ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        }
    }

    /// The form that has texts of `len` bytes.
    pub(crate) fn with_len(len: usize) -> Option<Self> {
        [Self::Decimal96, Self::Decimal128, Self::Base32].into_iter().find(|form| form.len() == len)
    }
}
