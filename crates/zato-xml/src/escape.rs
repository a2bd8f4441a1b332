//! Text as XML: what must be escaped is, so that a reader gets the same characters back.
//!
//! Every function appends to a buffer of the caller. A character that XML 1.0 forbids, such as most control characters, can't be
//! written in any way; U+FFFD, the replacement character, takes its place.

/// What a reader shows in place of a character that XML can't carry.
const REPLACEMENT: &str = "\u{FFFD}";

/// Appends `text` as the content of an element.
///
/// A carriage return becomes a character reference, since a reader would make it a line feed. `>` is escaped too, so `]]>` never occurs.
pub fn text(text: &str, out: &mut Vec<u8>) {
    let is_special = |byte| (byte == b'&') | (byte == b'<') | (byte == b'>');
    write(text, out, is_special, |byte| match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'\r' => Some("&#13;"),
        _ => None,
    });
}

/// Appends `text` as the value of an attribute, for either kind of quotes around it.
///
/// Tabs and line ends become character references, since a reader would make them spaces.
pub fn attribute(text: &str, out: &mut Vec<u8>) {
    let is_special = |byte| {
        (byte < b' ') | (byte == b'&') | (byte == b'<') | (byte == b'>') | (byte == b'"') | (byte == b'\'')
    };
    write(text, out, is_special, |byte| match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        b'\'' => Some("&#39;"),
        b'\t' => Some("&#9;"),
        b'\n' => Some("&#10;"),
        b'\r' => Some("&#13;"),
        _ => None,
    });
}

/// Appends `text` as CDATA: one section, unless it contains what a section can't hold.
///
/// `]]>` is divided between two sections. A carriage return stands between two sections as a character reference, since
/// a reader would make it a line feed.
pub fn cdata(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"<![CDATA[");
    for (index, piece) in text.split("]]>").enumerate() {
        if index > 0 {
            out.extend_from_slice(b"]]]]><![CDATA[>");
        }
        write(piece, out, |_| false, |byte| (byte == b'\r').then_some("]]>&#13;<![CDATA["));
    }
    out.extend_from_slice(b"]]>");
}

/// Appends `text` with the replacements that `escape` gives for single ASCII characters, and without forbidden characters. `is_special`
/// is true of every byte that has a replacement.
#[inline]
fn write(
    text: &str,
    out: &mut Vec<u8>,
    is_special: impl Fn(u8) -> bool,
    escape: impl Fn(u8) -> Option<&'static str>,
) {
    let is_plain = |byte: u8| {
        let is_control = (byte < b' ') & (byte != b'\t') & (byte != b'\n');
        !(is_control | (byte == 0xEF) | is_special(byte))
    };
    let bytes = text.as_bytes();
    let (mut written, mut at) = (0, plain_len(bytes, is_plain));
    while at < bytes.len() {
        let (replacement, len) = match bytes[at..] {
            [0..=8 | 11 | 12 | 14..=31, ..] => (Some(REPLACEMENT), 1),
            // U+FFFE and U+FFFF are the only forbidden characters outside of ASCII.
            [0xEF, 0xBF, 0xBE | 0xBF, ..] => (Some(REPLACEMENT), 3),
            _ => (escape(bytes[at]), 1),
        };
        if let Some(replacement) = replacement {
            out.extend_from_slice(&bytes[written..at]);
            out.extend_from_slice(replacement.as_bytes());
            written = at + len;
        }
        at += len;
        at += plain_len(&bytes[at..], is_plain);
    }
    out.extend_from_slice(&bytes[written..]);
}

/// How many bytes at the start of `bytes` go out as they are.
#[inline]
fn plain_len(bytes: &[u8], is_plain: impl Fn(u8) -> bool) -> usize {
    // A block is looked at as a whole, without a branch for each byte, so that it is done in a few vector instructions.
    let is_plain_block = |block: &&[u8; 32]| block.iter().fold(true, |all, &byte| all & is_plain(byte));
    let blocks = 32 * bytes.as_chunks().0.iter().take_while(is_plain_block).count();
    let rest = &bytes[blocks..];
    blocks + rest.iter().position(|&byte| !is_plain(byte)).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Limits, parse};

    #[track_caller]
    fn check(write: fn(&str, &mut Vec<u8>), from: &str, expected: &str) {
        let mut out = Vec::new();
        write(from, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn element_content() {
        check(text, "", "");
        check(text, "plain ż text", "plain ż text");
        check(text, "a & b < c > d ]]>", "a &amp; b &lt; c &gt; d ]]&gt;");
        check(text, "\"'\t\n\r", "\"'\t\n&#13;");
        check(text, "\0\u{8}\u{B}\u{C}\u{1F}\u{7F}", "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{7F}");
        check(text, "\u{FFFD}\u{FFFE}\u{FFFF}\u{10000}", "\u{FFFD}\u{FFFD}\u{FFFD}\u{10000}");
    }

    #[test]
    fn attribute_values() {
        check(attribute, "a\"b'c\td\ne\rf<&>", "a&quot;b&#39;c&#9;d&#10;e&#13;f&lt;&amp;&gt;");
    }

    #[test]
    fn cdata_sections() {
        check(cdata, "", "<![CDATA[]]>");
        check(cdata, "<a> & b]", "<![CDATA[<a> & b]]]>");
        check(cdata, "a]]>b", "<![CDATA[a]]]]><![CDATA[>b]]>");
        check(cdata, "]]>]]>", "<![CDATA[]]]]><![CDATA[>]]]]><![CDATA[>]]>");
        check(cdata, "a\r\nb\u{1}", "<![CDATA[a]]>&#13;<![CDATA[\nb\u{FFFD}]]>");
    }

    proptest! {
        #[test]
        fn every_text_survives_but_for_forbidden_characters(
            text in ".{0,64}|\\PC{0,64}|[a\r\n\t&<>'\"\\]\u{fffe}]{0,64}",
            tail in any::<char>(),
        ) {
            let given = format!("{text}{tail}");
            let forbidden =
                |c: char| (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}');
            let expected: String = given.chars().map(|c| if forbidden(c) { '\u{fffd}' } else { c }).collect();
            let mut written = b"<a b='".to_vec();
            attribute(&given, &mut written);
            written.extend_from_slice(b"'><c>");
            super::text(&given, &mut written);
            written.extend_from_slice(b"</c><d>");
            cdata(&given, &mut written);
            written.extend_from_slice(b"</d></a>");
            let written = String::from_utf8(written).unwrap();
            let document = parse(&written, &Limits::default()).unwrap();
            let root = document.root_element();
            prop_assert_eq!(root.attribute("b"), Some(&*expected));
            for element in root.children() {
                let content: String = element.children().filter_map(|child| child.text()).collect();
                prop_assert_eq!(content, &*expected);
            }
        }
    }
}
