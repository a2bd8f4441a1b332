//! The two rules of XML that everyone who writes it needs: which names elements may have, and how text is escaped.
//!
//! It must not know serde or SimpleIO.

/// U+FFFD, which stands in for the characters that XML 1.0 has no way to express.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// The bytes at which [`write_text`] has to stop and look.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        special[byte] = byte != b'\t' as usize && byte != b'\n' as usize;
        byte += 1;
    }
    special[b'<' as usize] = true;
    special[b'>' as usize] = true;
    special[b'&' as usize] = true;
    special[0xef] = true;
    special
};

/// Where [`write_text`] has to stop first. Most texts have no such place, and blocks without one are passed by as a whole:
/// without a way out of their middle, the compiler looks at all bytes of a block at once.
fn first_special(text: &[u8]) -> Option<usize> {
    let may_be_special = |byte: u8| {
        (byte < 0x20) & (byte != b'\t') & (byte != b'\n')
            | (byte == b'<')
            | (byte == b'>')
            | (byte == b'&')
            | (byte == 0xef)
    };
    let (blocks, _) = text.as_chunks::<32>();
    let is_plain = |block: &&[u8; 32]| !block.iter().fold(false, |found, byte| found | may_be_special(*byte));
    let passed = 32 * blocks.iter().take_while(is_plain).count();
    let found = text[passed..].iter().position(|&byte| SPECIAL[usize::from(byte)])?;
    Some(passed + found)
}

/// Whether `name` can be the name of an element without a prefix (an `NCName`).
pub fn is_name(name: &str) -> bool {
    // Names are checked each time they are written, and nearly all of them are lower-case letters.
    if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
        return true;
    }
    let mut characters = name.chars();
    characters.next().is_some_and(is_name_start) && characters.all(is_name_character)
}

/// Appends `text` with `<`, `>`, `&` and carriage returns escaped, and with U+FFFD in the place of characters which
/// XML 1.0 forbids. Fit for the content of an element; attributes would need their quotes escaped as well.
pub fn write_text(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some(position) = first_special(rest) {
        let (plain, special) = rest.split_at(position);
        out.extend_from_slice(plain);
        let (replacement, length): (&[u8], usize) = match special {
            [b'<', ..] => (b"&lt;", 1),
            [b'>', ..] => (b"&gt;", 1),
            [b'&', ..] => (b"&amp;", 1),
            // A parser would turn a bare carriage return into a line feed.
            [b'\r', ..] => (b"&#xD;", 1),
            // U+FFFE and U+FFFF. Other characters may begin with the same byte.
            [0xef, 0xbf, 0xbe | 0xbf, ..] => (REPLACEMENT, 3),
            [0xef, ..] => (b"\xef", 1),
            _ => (REPLACEMENT, 1),
        };
        out.extend_from_slice(replacement);
        rest = special.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
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
        check_text("\u{ff21}\u{ff1c}", "\u{ff21}\u{ff1c}");
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
            let document = zato_xml::parse(str::from_utf8(&out).unwrap(), &zato_xml::Limits::default()).unwrap();
            let forbidden =
                |c: char| (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}');
            let expected: String = text.chars().map(|c| if forbidden(c) { '\u{fffd}' } else { c }).collect();
            prop_assert_eq!(document.root_element().text().unwrap_or_default(), expected);
        }

        #[test]
        fn a_name_is_what_the_parser_accepts(name in "[a-zA-Z_:.0-9ż·×<> -]{0,8}") {
            let written = format!("<{name}/>");
            let parsed = zato_xml::parse(&written, &zato_xml::Limits::default())
                .is_ok_and(|document| document.root_element().tag_name().name() == name);
            prop_assert_eq!(is_name(&name), parsed);
        }
    }
}
