//! What texts and values mean that are not meant literally: references (XML 1.0, 4.1), line ends (2.11) and the white space of
//! attributes (3.3.3). Must not know where in a document they stand.

use memchr::memchr2;

use crate::Malformed;
use crate::characters::{is_allowed, name_len};
use crate::error::excerpt;

/// What is wrong, and how many bytes into the text that was given.
pub(crate) type Flaw = (usize, Malformed);

/// Replaces references and line ends in a text.
pub(crate) fn resolve_text(raw: &str) -> Result<String, Flaw> {
    resolve(raw, '\n', |rest| memchr2(b'&', b'\r', rest))
}

/// Replaces line ends in a CDATA section, where `&` means itself.
pub(crate) fn resolve_cdata(raw: &str) -> String {
    raw.replace("\r\n", "\n").replace('\r', "\n")
}

/// Replaces references in the value of an attribute, and white space by spaces.
pub(crate) fn resolve_value(raw: &str) -> Result<String, Flaw> {
    resolve(raw, ' ', |rest| rest.iter().position(|byte| matches!(byte, b'&' | b'\t' | b'\n' | b'\r')))
}

/// Replaces references by their characters, and anything else that `find` stops at by `space`.
fn resolve(raw: &str, space: char, find: impl Fn(&[u8]) -> Option<usize>) -> Result<String, Flaw> {
    let mut resolved = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(len) = find(rest.as_bytes()) {
        let (before, found) = rest.split_at(len);
        resolved.push_str(before);
        let (c, len) = if found.starts_with('&') {
            reference(found).map_err(|error| (raw.len() - found.len(), error))?
        } else {
            (space, if found.starts_with("\r\n") { 2 } else { 1 })
        };
        resolved.push(c);
        rest = &found[len..];
    }
    resolved.push_str(rest);
    Ok(resolved)
}

/// The character that the reference at the beginning of `text` stands for, and the reference's length.
fn reference(text: &str) -> Result<(char, usize), Malformed> {
    let body = &text[1..];
    let (number, radix) = match body.strip_prefix("#x") {
        Some(number) => (number, 16),
        None => (body.strip_prefix('#').unwrap_or_default(), 10),
    };
    let len = number.find(|c: char| !c.is_digit(radix)).unwrap_or(number.len());
    let end = if body.starts_with('#') { body.len() - number.len() + len } else { name_len(body) };
    let is_complete = body[end..].starts_with(';') && (len > 0 || !body.starts_with('#') && end > 0);
    if !is_complete {
        return Err(Malformed::BareAmpersand);
    }
    let c = match &body[..end] {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        name if !name.starts_with('#') => return Err(Malformed::UnknownEntity { name: excerpt(name) }),
        _ => u32::from_str_radix(&number[..len], radix)
            .ok()
            .and_then(char::from_u32)
            .filter(|c| is_allowed(*c))
            .ok_or_else(|| Malformed::ForbiddenReference { reference: excerpt(&text[..end + 2]) })?,
    };
    Ok((c, end + 2))
}
