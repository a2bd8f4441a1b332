//! The two rules of XML that everyone who writes it needs: which names elements may have, and how text is escaped.
//!
//! It must not know serde or SimpleIO.

use std::str;

/// U+FFFD, which stands in for the characters that XML 1.0 has no way to express.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// Whether `name` can be the name of an element without a prefix (an `NCName`).
pub fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(is_name_start) && characters.all(is_name_character)
}

/// Appends `text` with `<`, `>`, `&` and carriage returns escaped, and with U+FFFD in the place of characters which
/// XML 1.0 forbids. Fit for the content of an element; attributes would need their quotes escaped as well.
pub fn write_text(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut written = 0;
    let mut position = 0;
    while let Some(&byte) = bytes.get(position) {
        let Some((replacement, length)) = (match byte {
            b'<' => Some((&b"&lt;"[..], 1)),
            b'>' => Some((&b"&gt;"[..], 1)),
            b'&' => Some((&b"&amp;"[..], 1)),
            // A parser would turn a bare carriage return into a line feed.
            b'\r' => Some((&b"&#xD;"[..], 1)),
            b'\t' | b'\n' => None,
            0x00..=0x1f => Some((REPLACEMENT, 1)),
            // U+FFFE and U+FFFF are EF BF BE and EF BF BF in UTF-8.
            0xef if matches!(bytes.get(position + 1..position + 3), Some([0xbf, 0xbe | 0xbf])) => {
                Some((REPLACEMENT, 3))
            }
            _ => None,
        }) else {
            position += 1;
            continue;
        };
        out.extend_from_slice(bytes.get(written..position).unwrap_or_default());
        out.extend_from_slice(replacement);
        position += length;
        written = position;
    }
    out.extend_from_slice(bytes.get(written..).unwrap_or_default());
}

fn is_name_start(character: char) -> bool {
    matches!(character,
        'A'..='Z' | '_' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

fn is_name_character(character: char) -> bool {
    is_name_start(character)
        || matches!(character, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check_text(text: &str, expected: &str) {
        let mut out = b"before".to_vec();
        write_text(&mut out, text);
        assert_eq!(str::from_utf8(&out).unwrap(), format!("before{expected}"));
    }

    #[test]
    fn text_is_escaped() {
        check_text("", "");
        check_text("plain, żółć", "plain, żółć");
        check_text("<a href=\"b\">&amp;</a>", "&lt;a href=\"b\"&gt;&amp;amp;&lt;/a&gt;");
        check_text("]]>", "]]&gt;");
        check_text("a\r\n\tb", "a&#xD;\n\tb");
        check_text(
            "\0\u{1}x\u{1f}\u{fffe}\u{ffff}\u{fffd}\u{7f}",
            "\u{fffd}\u{fffd}x\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{7f}",
        );
    }

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
        fn every_text_survives_but_for_forbidden_characters(text in ".{0,64}|\\PC{0,64}", tail in any::<char>()) {
            let text = format!("{text}{tail}");
            let mut out = b"<x>".to_vec();
            write_text(&mut out, &text);
            out.extend_from_slice(b"</x>");
            let document = roxmltree::Document::parse(str::from_utf8(&out).unwrap()).unwrap();
            let forbidden =
                |c: char| (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}');
            let expected: String = text.chars().map(|c| if forbidden(c) { '\u{fffd}' } else { c }).collect();
            prop_assert_eq!(document.root_element().text().unwrap_or_default(), expected);
        }

        #[test]
        fn a_name_is_what_the_parser_accepts(name in "[a-zA-Z_:.0-9ż·×<> -]{0,8}") {
            let written = format!("<{name}/>");
            let parsed = roxmltree::Document::parse(&written)
                .is_ok_and(|document| document.root_element().tag_name().name() == name);
            prop_assert_eq!(is_name(&name), parsed);
        }
    }
}
