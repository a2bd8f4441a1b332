//! Hostile documents: each is refused before it costs anything to speak of.

use std::fmt::Write as _;
use std::thread;

use proptest::prelude::*;
use zato_xml::{Limits, ReadError, parse};

use crate::differential::text;
use crate::oracle::UNLIMITED;

#[track_caller]
fn refuses(text: &str, limits: &Limits, message: &str) {
    assert_eq!(parse(text, limits).map(drop).unwrap_err().to_string(), message);
}

#[track_caller]
fn accepts(text: &str, limits: &Limits) {
    if let Err(error) = parse(text, limits) {
        panic!("{error:?} for {text}");
    }
}

fn nested(depth: usize) -> String {
    "<a>".repeat(depth) + &"</a>".repeat(depth)
}

#[test]
fn size() {
    let limits = Limits { max_bytes: 10, ..Limits::default() };
    accepts("<abcdefg/>", &limits);
    refuses("<abcdefgh/>", &limits, "the message has 11 bytes, more than the 10 allowed");
}

#[test]
fn depth() {
    accepts(&nested(100), &Limits::default());
    let message = "line 1, column 301: elements are nested deeper than the 100 levels allowed";
    refuses(&nested(101), &Limits::default(), message);
    // Empty elements have a depth, too.
    let message = "line 2, column 1: elements are nested deeper than the 1 levels allowed";
    refuses("<a>\n<b/></a>", &Limits { max_depth: 1, ..Limits::default() }, message);
}

#[test]
fn nodes() {
    let limits = Limits { max_nodes: 5, ..Limits::default() };
    accepts("<?pi?><!-- <x> --><a>b<!-- --></a>", &limits);
    accepts("<a>b<c/><![CDATA[d]]>e&amp;f</a>", &limits);
    accepts("<a xmlns='n' b='m'>text<d/></a>", &limits);
    let message = "line 2, column 1: the document has more than the 5 nodes allowed";
    refuses("<!-- --><a>b<?c?>d\n<e/></a>", &limits, message);
    refuses("<a b='' xmlns='n'>d\n<e f=''/></a>", &limits, message);
    refuses("<a b=''>d\n<e xmlns='n' xmlns:f='o'/></a>", &limits, message);
}

#[test]
fn attributes() {
    let limits = Limits { max_attributes: 2, ..Limits::default() };
    accepts("<a b='' c=''><d xmlns='' f=''/></a>", &limits);
    let message = "line 2, column 1: the element has more than the 2 attributes allowed";
    refuses("<a>\n<d e='' f='' g=''/></a>", &limits, message);
    refuses("<a>\n<d e='' xmlns='' xmlns:g='g'/></a>", &limits, message);
}

#[test]
fn namespaces_in_scope() {
    let limits = Limits { max_namespaces: 2, ..Limits::default() };
    accepts("<a xmlns:b='b'><c xmlns:d='d'/><c xmlns:d='e'/></a>", &limits);
    let message = "line 2, column 1: more than the 2 namespace declarations allowed are in scope";
    refuses("<a xmlns:b='b'><c xmlns:d='d'>\n<e xmlns='e'/></c></a>", &limits, message);
}

#[test]
fn document_type_declarations() {
    let message = "line 2, column 1: a document type declaration is not allowed";
    for declaration in [
        "<!DOCTYPE a>",
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'>",
        "<!DOCTYPE a [<!ENTITY b 'b'>]>",
        "<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;&b;&b;&b;'>]>",
    ] {
        refuses(&format!("<?xml version='1.0'?>\n{declaration}<a>&b;</a>"), &Limits::default(), message);
        refuses(&format!("<a>\n{declaration}</a>"), &Limits::default(), message);
        refuses(&format!("<a/>\n{declaration}"), &Limits::default(), message);
    }
    accepts("<a><!-- <!DOCTYPE a> --><![CDATA[<!DOCTYPE a>]]></a>", &Limits::default());
}

#[test]
fn a_hundred_thousand_levels_overflow_no_stack() {
    let read_all = || {
        let text = nested(100_000);
        assert!(matches!(parse(&text, &Limits::default()), Err(ReadError::TooDeep { limit: 100, .. })));
        assert_eq!(parse(&text, &UNLIMITED).unwrap().descendants().count(), 100_001);
        // Without end tags, too.
        assert!(parse(&"<a>".repeat(100_000), &UNLIMITED).is_err());
    };
    thread::Builder::new().stack_size(256 * 1024).spawn(read_all).unwrap().join().unwrap();
}

#[test]
fn no_declaration_is_copied_into_the_elements_below() {
    let mut text = "<a".to_owned();
    (0..100).for_each(|n| write!(text, " xmlns:n{n}='n'").unwrap());
    text.push('>');
    text.push_str(&"<b xmlns:m='m'/>".repeat(10_000));
    text.push_str("</a>");
    accepts(&text, &Limits { max_nodes: 20_101, ..Limits::default() });
}

/// References that are resolved one by one, texts that are put together from pieces: whatever is done for each of them
/// must not look at all of the rest.
#[test]
fn long_texts_take_linear_time() {
    let many = 300_000;
    accepts(&format!("<a>{}</a>", "&lt;".repeat(many)), &UNLIMITED);
    accepts(&format!("<a>{}</a>", "b\r".repeat(many)), &UNLIMITED);
    accepts(&format!("<a>{}</a>", "]>".repeat(many)), &UNLIMITED);
    accepts(&format!("<a>{}</a>", "<![CDATA[b]]>".repeat(many)), &UNLIMITED);
    accepts(&format!("<a b='{}'/>", "&#9;\t".repeat(many)), &UNLIMITED);
    accepts(&format!("<a>{}</a>", "\u{FF0C}".repeat(many)), &UNLIMITED);
    accepts(&format!("<a>{}</a>", "<b/>c".repeat(many)), &UNLIMITED);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_read_is_within_limits(text in text()) {
        let limits =
            Limits { max_depth: 3, max_nodes: 12, max_attributes: 2, max_namespaces: 2, ..Limits::default() };
        if let Ok(document) = parse(&text, &limits) {
            for node in document.descendants() {
                let depth = node.ancestors().filter(|ancestor| ancestor.is_element()).count();
                prop_assert!(depth <= limits.max_depth);
                prop_assert!(node.attributes().len() <= limits.max_attributes);
            }
            // The document itself is a node as well.
            prop_assert!(document.descendants().count() <= limits.max_nodes + 1);
        }
    }

    #[test]
    fn nothing_is_refused_for_limits_that_it_keeps(text in text()) {
        let limited = parse(&text, &Limits::default()).map(drop);
        prop_assert_eq!(limited, parse(&text, &UNLIMITED).map(drop));
    }
}
