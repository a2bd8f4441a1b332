//! Which characters XML allows, and which of them names are made of (XML 1.0, fifth edition, 2.2 and 2.3).

use memchr::memchr_iter;

/// What each byte is in names.
static CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => Class::Start,
            b'0'..=b'9' | b'-' | b'.' => Class::Inside,
            0x80.. => Class::Wide,
            _ => Class::Other,
        };
        byte += 1;
    }
    classes
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// A name may start with it.
    Start,
    /// It may only follow.
    Inside,
    /// It is part of a character of several bytes, which has to be looked at as a whole.
    Wide,
    Other,
}

/// Whether `name` can be the name of an element or attribute without a prefix: an `NCName` of Namespaces in XML 1.0.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name_len(name) == name.len()
}

/// How long the name without a colon (NCName) is that `text` starts with; 0 if it starts with none.
#[inline]
pub(crate) fn name_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let class = |byte: &u8| CLASSES[usize::from(*byte)];
    let is_inside = |byte: &u8| matches!(class(byte), Class::Start | Class::Inside);
    let len = bytes.iter().position(|byte| !is_inside(byte)).unwrap_or(bytes.len());
    if bytes.get(len).map(class) == Some(Class::Wide) {
        return wide_name_len(text);
    }
    if bytes.first().map(class) == Some(Class::Start) { len } else { 0 }
}

#[cold]
fn wide_name_len(text: &str) -> usize {
    if text.starts_with(starts_name) { text.find(|c| !continues_name(c)).unwrap_or(text.len()) } else { 0 }
}

/// NameStartChar without the colon, which separates a prefix.
fn starts_name(c: char) -> bool {
    matches!(c,
        'A'..='Z' | 'a'..='z' | '_'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
        | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}'
        | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

/// NameChar without the colon.
fn continues_name(c: char) -> bool {
    starts_name(c)
        || matches!(c, '0'..='9' | '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// White space.
#[inline]
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether an XML document may contain `c` at all.
pub(crate) fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// The offset of the first character that no XML document may contain.
///
/// Looking at a whole text at once is what makes this cheap: there is no branch for a byte that is looked at.
pub(crate) fn first_forbidden(text: &str) -> Option<usize> {
    /// Small enough for its bytes to stay in registers, large enough to keep the sum of them rare.
    const BLOCK: usize = 128;
    let (blocks, rest) = text.as_bytes().as_chunks::<BLOCK>();
    let has_control = |block: &[u8]| block.iter().fold(u8::MAX, |least, byte| least.min(*byte)) < b' ';
    let in_blocks = blocks
        .iter()
        .enumerate()
        .filter(|(_, block)| has_control(*block))
        .find_map(|(index, block)| Some(index * BLOCK + first_control(block)?));
    let control = in_blocks.or_else(|| Some(blocks.len() * BLOCK + first_control(rest)?));
    let noncharacter = first_noncharacter(text.as_bytes());
    // `None` is less than any offset.
    if control.is_some() && noncharacter.is_some() {
        control.min(noncharacter)
    } else {
        control.or(noncharacter)
    }
}

fn first_control(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte < b' ' && !is_space(*byte))
}

/// U+FFFE or U+FFFF, whose last byte tells them from the replacement character and whatever else begins the same.
fn first_noncharacter(bytes: &[u8]) -> Option<usize> {
    memchr_iter(0xEF, bytes).find(|at| matches!(bytes.get(at + 1..at + 3), Some([0xBF, 0xBE | 0xBF])))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Limits, parse};

    #[test]
    fn names() {
        for name in ["a", "_", "zato_env", "a-b.c1", "ż", "x\u{b7}"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "1a", "-a", ".a", "a b", "a:b", "<", "a>", "a\u{0}", "\u{b7}", "×"] {
            assert!(!is_name(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_name_is_what_the_reader_accepts(name in "[a-zA-Z_:.0-9ż·×<> -]{0,8}") {
            let written = format!("<{name}/>");
            let parsed = parse(&written, &Limits::default())
                .is_ok_and(|document| document.root_element().tag_name().name() == name);
            prop_assert_eq!(is_name(&name), parsed);
        }
    }
}
