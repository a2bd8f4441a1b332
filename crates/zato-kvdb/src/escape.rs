//! Bytes as text that shows each of them.
//!
//! Owns the form, which is that of byte strings in Python 2: quoted, printable ASCII characters as they are, the others
//! escaped. It must not know what is shown so.

use std::fmt::Write as _;

/// The text of bytes: in single quotes, or in double ones if that saves escapes.
///
/// ```
/// assert_eq!(zato_kvdb::escape::escaped("żółw\n".as_bytes()), r"'\xc5\xbc\xc3\xb3\xc5\x82w\n'");
/// ```
#[must_use]
pub fn escaped(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    let mut text = String::with_capacity(bytes.len() + 2);
    text.push(quote);
    for byte in bytes {
        match *byte {
            b'\t' => text.push_str("\\t"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\\' => text.push_str("\\\\"),
            byte if char::from(byte) == quote => {
                text.push('\\');
                text.push(quote);
            }
            byte @ b' '..=b'~' => text.push(char::from(byte)),
            byte => {
                // Writing to a `String` does not fail.
                let _ = write!(text, "\\x{byte:02x}");
            }
        }
    }
    text.push(quote);
    text
}

/// The bytes of such a text; none if it is not in that form.
#[must_use]
pub fn unescaped(text: &str) -> Option<Vec<u8>> {
    let quote = text.chars().next().filter(|quote| ['\'', '"'].contains(quote))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.as_bytes();
    loop {
        rest = match rest {
            [] => return Some(bytes),
            [b'\\', b'x', high, low, rest @ ..] => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                bytes.push(u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?);
                rest
            }
            [b'\\', escape, rest @ ..] => {
                bytes.push(match escape {
                    b't' => b'\t',
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b'\\' | b'\'' | b'"' => *escape,
                    _ => return None,
                });
                rest
            }
            [byte, rest @ ..] if *byte != b'\\' && char::from(*byte) != quote => {
                bytes.push(*byte);
                rest
            }
            _ => return None,
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], text: &str) {
        assert_eq!(escaped(bytes), text);
        assert_eq!(unescaped(text).as_deref(), Some(bytes));
    }

    #[test]
    fn bytes_are_shown() {
        check(b"", "''");
        check(b"EUR", "'EUR'");
        check(b"it's", "\"it's\"");
        check(b"\"it's\"", "'\"it\\'s\"'");
        check(b"\0\x1f\x7f\xff \\", "'\\x00\\x1f\\x7f\\xff \\\\'");
    }

    #[test]
    fn what_is_not_in_that_form_is_refused() {
        for text in ["", "'", "\"", "a", "'a", "a'", "'a\"", "'a'b'", "'\\'", "'\\x1'", "'\\xgg'", "'\\q'"] {
            assert_eq!(unescaped(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(bytes in any::<Vec<u8>>()) {
            prop_assert_eq!(unescaped(&escaped(&bytes)), Some(bytes));
        }

        #[test]
        fn any_text_can_be_tried(text in any::<String>()) {
            if let Some(bytes) = unescaped(&text) {
                prop_assert_eq!(unescaped(&escaped(&bytes)), Some(bytes));
            }
        }
    }
}
