//! What is no document within the limits is refused, as `zato_xml` refuses it.

use std::error::Error;

use zato_soap::{Limits, Position, ReadError, parse};

#[track_caller]
fn refuses(text: &str, limits: &Limits, message: &str) {
    assert_eq!(parse(text, limits).map(|_| ()).unwrap_err().to_string(), message);
}

#[test]
fn limits_are_kept() {
    let limits = Limits { max_bytes: 40, max_depth: 2, max_nodes: 4, max_attributes: 1, max_namespaces: 1 };
    assert!(parse("<a b='c'>d<e xmlns:f='g'/>h</a>", &limits).is_ok());
    let too_large = format!("<a>{}</a>", "b".repeat(34));
    refuses(&too_large, &limits, "the message has 41 bytes, more than the 40 allowed");
    for (text, message) in [
        ("<a><b>\n<c/></b></a>", "elements are nested deeper than the 2 levels allowed"),
        ("<a>b<c/>d\n<e/></a>", "the document has more than the 4 nodes allowed"),
        ("<a>\n<b c='' d=''/></a>", "the element has more than the 1 attributes allowed"),
        ("<a xmlns='b'>\n<c xmlns='d'/></a>", "more than the 1 namespace declarations allowed are in scope"),
        ("<!-- -->\n<!DOCTYPE a><a/>", "a document type declaration is not allowed"),
    ] {
        refuses(text, &limits, &format!("line 2, column 1: {message}"));
    }
}

#[test]
fn only_utf8_may_be_declared() {
    assert!(parse("<?xml version='1.0' encoding='utf-8'?><a/>", &Limits::default()).is_ok());
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
    let expected = Position { line, column };
    assert!(
        matches!(error, ReadError::Xml(zato_xml::ReadError::Syntax { position, .. }) if position == expected)
    );
}

#[test]
fn what_is_not_well_formed_is_refused_with_its_place() {
    refuses_syntax("", 1, 1, "there is no root element");
    refuses_syntax("{\"id\": 1}", 1, 1, "expected the root element, found '{'");
    refuses_syntax("<a>\n <b>\n </a>", 3, 2, "the end tag </a> does not match <b>");
    refuses_syntax("<a>\n<b>", 2, 4, "the element <b> is not closed");
    refuses_syntax("<a>&nbsp;</a>", 1, 4, "the entity &nbsp; is not known");
}
