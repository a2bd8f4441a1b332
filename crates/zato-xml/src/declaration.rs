//! The XML declaration (XML 1.0, 2.8): read, checked and forgotten, because all that it could change is refused.

use crate::cursor::{Cursor, Result};
use crate::error::excerpt;
use crate::{Malformed, ReadError};

/// Encodings in which a text means the same as in UTF-8.
const ENCODINGS: [&str; 3] = ["utf-8", "utf8", "us-ascii"];

/// Moves on behind the XML declaration, if there is one.
pub(crate) fn skip(cursor: &mut Cursor<'_>) -> Result<()> {
    let Some(rest) = cursor.rest().strip_prefix("<?xml") else { return Ok(()) };
    if !rest.starts_with([' ', '\t', '\r', '\n']) {
        // An instruction whose name only begins with these letters.
        return Ok(());
    }
    cursor.advance("<?xml".len());
    cursor.skip_space();
    cursor.require("version")?;
    let (at, version) = value(cursor)?;
    let minor = version.strip_prefix("1.").unwrap_or_default();
    if minor.is_empty() || !minor.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong(cursor, at, "version", version));
    }
    let mut is_spaced = cursor.skip_space();
    if is_spaced && cursor.skip("encoding") {
        let (_, encoding) = value(cursor)?;
        if !ENCODINGS.iter().any(|allowed| encoding.eq_ignore_ascii_case(allowed)) {
            return Err(Box::new(ReadError::Encoding { found: excerpt(encoding) }));
        }
        is_spaced = cursor.skip_space();
    }
    if is_spaced && cursor.skip("standalone") {
        let (at, standalone) = value(cursor)?;
        if !matches!(standalone, "yes" | "no") {
            return Err(wrong(cursor, at, "standalone", standalone));
        }
        cursor.skip_space();
    }
    cursor.require("?>")
}

/// A quoted value after its equals sign, and where it begins.
fn value<'i>(cursor: &mut Cursor<'i>) -> Result<(usize, &'i str)> {
    let end = if cursor.value_start()? == b'"' { "\"" } else { "'" };
    Ok((cursor.at(), cursor.until(end)?))
}

fn wrong(cursor: &Cursor<'_>, at: usize, name: &'static str, found: &str) -> Box<ReadError> {
    cursor.malformed(at, Malformed::DeclaredValue { name, found: excerpt(found) })
}
