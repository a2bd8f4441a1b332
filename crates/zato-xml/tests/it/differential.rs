//! Generated texts, whole and broken, are read as roxmltree reads them.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::oracle::compare;

/// Markup and texts that are well-formed inside of an element which declares `p`.
const WHOLE: &[&str] = &[
    "<a>x</a>",
    "<b/>",
    "<p:b p:c='d' c='e'/>",
    "<a b='>' c=\"/>'\" />",
    "<a\nb = \"x\"\tc='y\r\n&#10;&lt;'>z</a >",
    "<a xmlns='h'><b xmlns:i='i' i:c='d'/><c xmlns=''/></a>",
    "<p:a xmlns:p='q'>\r\n<p:b/>\r</p:a>",
    "<é·-.1 xml:lang='é'>é</é·-.1>",
    "<!-- <a> -->",
    "<![CDATA[<a>]] >\r\n&amp;]]>",
    "<![CDATA[]]>",
    "<?p <a b='?>",
    "<?p?>",
    "&lt;",
    "&#x41;",
    "text",
    "\r\n\t ",
    "]]'\">=/",
    "\u{10000}\u{FFFD}",
];

/// What breaks a document in most places.
const PARTS: &[&str] = &[
    "<a>",
    "</a>",
    "</p:a>",
    "<c d='",
    "'>",
    "\"",
    " e=\"'>\"",
    "/>",
    "<",
    ">",
    "&",
    ";",
    ":",
    "=",
    "<!--",
    "-->",
    "--",
    "<![CDATA[",
    "]]>",
    "<?p ",
    "?>",
    "<?xml ",
    "<!",
    "xmlns",
    "xmlns:",
    " xmlns:p=''",
    " b='1' b='2'",
    "&#0;",
    "&#x",
    "\u{1}",
    "\u{FFFF}",
    "\u{FEFF}",
    "\u{D7}",
    "1",
    "-",
    ".",
    " ",
    "\r",
    "é",
];

const BEFORE: &[&str] = &[
    "",
    "",
    "",
    "\u{FEFF}",
    "<?xml version='1.0'?>",
    "\u{FEFF}<?xml version=\"1.0\" encoding='UTF-8' standalone=\"no\" ?>\n",
    "<!-- -->\n<?p?>",
];

/// Documents of which most are well-formed, and of which few have more than one flaw.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(select(WHOLE), 0..12);
    let flaw = (any::<Index>(), 0..4_usize, select(PARTS));
    (select(BEFORE), pieces, prop::collection::vec(flaw, 0..3)).prop_map(|(before, pieces, flaws)| {
        let mut text = format!("{before}<a xmlns:p='n'>{}</a>", pieces.concat());
        for (place, deleted, inserted) in flaws {
            let start = text.floor_char_boundary(place.index(text.len()));
            let end = text.ceil_char_boundary(start + deleted);
            text.replace_range(start..end, if deleted == 3 { "" } else { inserted });
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn texts_are_read_as_by_another_reader(text in text()) {
        compare(&text);
    }
}
