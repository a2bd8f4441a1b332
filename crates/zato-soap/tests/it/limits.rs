//! Hostile and broken documents: each is refused before it costs anything to speak of, with the place.

use std::error::Error;
use std::fmt::Write;
use std::thread;

use proptest::prelude::*;
use zato_soap::roxmltree::Document;
use zato_soap::{Limits, Position, ReadError, parse};

#[track_caller]
fn refuses(text: &str, limits: &Limits, message: &str) {
    assert_eq!(parse(text, limits).map(|_| ()).unwrap_err().to_string(), message);
}

fn nested(depth: usize) -> String {
    "<a>".repeat(depth) + &"</a>".repeat(depth)
}

#[test]
fn size_is_bounded() {
    let limits = Limits { max_bytes: 10, ..Limits::default() };
    assert!(parse("<abcdefg/>", &limits).is_ok());
    refuses("<abcdefgh/>", &limits, "the message has 11 bytes, more than the 10 allowed");
}

#[test]
fn depth_is_bounded() {
    assert!(parse(&nested(100), &Limits::default()).is_ok());
    refuses(
        &nested(101),
        &Limits::default(),
        "line 1, column 301: elements are nested deeper than the 100 levels allowed",
    );
    // Empty elements have a depth, too.
    let limits = Limits { max_depth: 1, ..Limits::default() };
    refuses(
        "<a>\n<b/></a>",
        &limits,
        "line 2, column 1: elements are nested deeper than the 1 levels allowed",
    );
}

#[test]
fn a_hundred_thousand_levels_overflow_no_stack() {
    let parse_all = || {
        let text = nested(100_000);
        assert!(matches!(parse(&text, &Limits::default()), Err(ReadError::TooDeep { limit: 100, .. })));
        // Nor do they in the parser behind the guard.
        let unlimited = Limits { max_depth: usize::MAX, ..Limits::default() };
        assert_eq!(parse(&text, &unlimited).unwrap().descendants().count(), 100_001);
        // Without end tags, too.
        assert!(parse(&"<a>".repeat(100_000), &unlimited).is_err());
    };
    thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(parse_all).unwrap().join().unwrap();
}

#[test]
fn nodes_are_bounded() {
    let limits = Limits { max_nodes: 3, ..Limits::default() };
    assert!(parse("<a>b<c/></a>", &limits).is_ok());
    refuses(
        "<a>b<c/>\n<d/></a>",
        &limits,
        "line 2, column 1: the document has more than the 3 nodes allowed",
    );
}

#[test]
fn attributes_are_bounded() {
    let limits = Limits { max_attributes: 2, ..Limits::default() };
    assert!(parse("<a b='' c=''><d e='' f=''/></a>", &limits).is_ok());
    refuses(
        "<a>\n<d e='' f='' g=''/></a>",
        &limits,
        "line 2, column 1: the element has more than the 2 attributes allowed",
    );
}

#[test]
fn namespaces_in_scope_are_bounded() {
    let limits = Limits { max_namespaces: 2, ..Limits::default() };
    assert!(parse("<a xmlns:b='b'><c xmlns:d='d'/><c xmlns:d='e'/></a>", &limits).is_ok());
    refuses(
        "<a xmlns:b='b'><c xmlns:d='d'>\n<e xmlns='e'/></c></a>",
        &limits,
        "line 2, column 1: more than the 2 namespace declarations allowed are in scope",
    );
}

#[test]
fn a_namespace_counts_as_a_node_wherever_the_parser_copies_it() {
    let mut text = "<a".to_owned();
    (0..100).for_each(|n| write!(text, " xmlns:n{n}='n'").unwrap());
    text.push('>');
    text.push_str(&"<b xmlns:m='m'/>".repeat(10_000));
    text.push_str("</a>");
    assert!(matches!(
        parse(&text, &Limits::default()),
        Err(ReadError::TooManyNodes { limit: 1_000_000, .. })
    ));
}

#[test]
fn document_type_declarations_are_refused() {
    let message = "line 2, column 1: a document type declaration is not allowed";
    for declaration in [
        "<!DOCTYPE a>",
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'>",
        "<!DOCTYPE a [<!ENTITY b 'b'>]>",
        "<!DOCTYPE a [<!ENTITY b SYSTEM 'http://localhost/'>]>",
        "<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;&b;&b;&b;'>]>",
    ] {
        refuses(&format!("<?xml version='1.0'?>\n{declaration}<a>&b;</a>"), &Limits::default(), message);
    }
    assert!(parse("<a><!-- <!DOCTYPE a> --><![CDATA[<!DOCTYPE a>]]></a>", &Limits::default()).is_ok());
}

#[test]
fn only_utf8_may_be_declared() {
    for encoding in ["UTF-8", "utf-8", "US-ASCII"] {
        let text = format!("<?xml version='1.0' encoding=\"{encoding}\"?><a/>");
        assert!(parse(&text, &Limits::default()).is_ok(), "{encoding}");
    }
    assert!(parse("\u{FEFF}<?xml version='1.0'?><a encoding='x'/>", &Limits::default()).is_ok());
    refuses(
        "\u{FEFF}<?xml version='1.0' encoding = 'ISO-8859-1' standalone='yes'?><a/>",
        &Limits::default(),
        "the XML declaration names the encoding \"ISO-8859-1\", only UTF-8 is allowed",
    );
}

#[track_caller]
fn refuses_syntax(text: &str, line: u32, column: u32, reason: &str) {
    let error = parse(text, &Limits::default()).map(|_| ()).unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), reason);
    assert_eq!(error.to_string(), format!("line {line}, column {column}: the text is not well-formed XML"));
    assert!(matches!(error, ReadError::Syntax { position, .. } if position == Position { line, column }));
}

#[test]
fn what_is_not_well_formed_is_refused_with_its_place() {
    refuses_syntax("", 1, 1, "the document does not have a root node");
    refuses_syntax("{\"id\": 1}", 1, 1, "unknown token at 1:1");
    refuses_syntax("<a>\n <b>\n </a>", 3, 2, "expected 'b' tag, not 'a' at 3:2");
    refuses_syntax("<a>\n<b>", 2, 4, "the root node was opened but never closed");
    refuses_syntax("<a>\n<b c='", 2, 7, "unexpected end of stream");
    refuses_syntax("<a>&nbsp;</a>", 1, 4, "unknown entity reference 'nbsp' at 1:4");
    refuses_syntax("<p:a/>", 1, 2, "an unknown namespace prefix 'p' at 1:2");
    refuses_syntax("<a/><b/>", 1, 5, "unknown token at 1:5");
}

/// Pieces of markup in any order. Enough of them are whole that many texts are well-formed, and enough are not.
fn markup() -> impl Strategy<Value = String> {
    let whole = [
        "<a>x</a>",
        "<b/>",
        "<a b='>' c=\"/>'\" />",
        "<a\nb = \"x\"\tc='y'>z</a >",
        "<a xmlns='h'><b xmlns:i='i' i:c='d'/></a>",
        "<!-- <a> -->",
        "<![CDATA[<a>]] >]]>",
        "<?p <a b='?>",
        "&lt;",
        "text",
        "'\">=/",
    ];
    let part = [
        "<a>",
        "</a>",
        "<c d='",
        "'>",
        "\"",
        " e=\"'>\"",
        "/>",
        "<",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?p ",
        "<!",
    ];
    let piece =
        prop_oneof![6 => prop::sample::select(whole.to_vec()), 1 => prop::sample::select(part.to_vec())];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| format!("<a>{}</a>", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_guard_and_the_parser_agree(text in markup()) {
        let limits = Limits { max_depth: 3, max_nodes: 16, max_attributes: 2, max_namespaces: 2, ..Limits::default() };
        if let Ok(document) = parse(&text, &limits) {
            for node in document.descendants() {
                let depth = node.ancestors().filter(|ancestor| ancestor.is_element()).count();
                prop_assert!(depth <= limits.max_depth);
                prop_assert!(node.attributes().len() <= limits.max_attributes);
                // The prefix `xml` is in scope everywhere.
                prop_assert!(node.namespaces().len() <= limits.max_namespaces + 1);
            }
            // The document itself is a node as well.
            prop_assert!(document.descendants().count() <= limits.max_nodes + 1);
        }
    }

    #[test]
    fn the_guard_refuses_nothing_that_is_within_limits(text in markup()) {
        let guarded = parse(&text, &Limits::default()).map(|_| ());
        let unguarded = Document::parse(&text).map(|_| ());
        prop_assert_eq!(guarded.is_ok(), unguarded.is_ok());
        let is_a_limit = guarded.is_err_and(|error| !matches!(error, ReadError::Syntax { .. }));
        prop_assert!(!is_a_limit);
    }
}
