//! Documents as text, so that tests can say what they expect.

use std::fmt::Write as _;

use zato_xml::{Document, Limits, Malformed, Node, Position, ReadError, parse};

/// Reads what has to be readable.
#[track_caller]
pub(crate) fn read(text: &str) -> Document<'_> {
    parse(text, &Limits::default()).unwrap_or_else(|error| panic!("{error:?} in {text}"))
}

/// Why a text isn't well-formed, and where.
#[track_caller]
pub(crate) fn syntax_error(text: &str) -> (Position, Malformed) {
    match parse(text, &Limits::default()) {
        Err(ReadError::Syntax { position, source }) => (position, source),
        other => panic!("{other:?} for {text}"),
    }
}

/// A tree on one line: `{namespace}name[attribute="value"](children)`, texts quoted, `#` for comments and `?` for instructions.
pub(crate) fn outline(node: Node<'_, '_>) -> String {
    let mut out = String::new();
    write_outline(node, &mut out);
    out
}

fn write_outline(node: Node<'_, '_>, out: &mut String) {
    if node.is_text() {
        write!(out, "{:?}", node.text().unwrap()).unwrap();
        return;
    }
    if !node.is_element() {
        out.push(if node.is_comment() { '#' } else { '?' });
        return;
    }
    write_name(node.tag_name().namespace(), node.tag_name().name(), out);
    for attribute in node.attributes() {
        out.push('[');
        write_name(attribute.namespace(), attribute.name(), out);
        write!(out, "={:?}]", attribute.value()).unwrap();
    }
    let mut separator = "(";
    for child in node.children() {
        out.push_str(separator);
        write_outline(child, out);
        separator = " ";
    }
    if node.first_child().is_some() {
        out.push(')');
    }
}

fn write_name(namespace: Option<&str>, name: &str, out: &mut String) {
    if let Some(namespace) = namespace {
        write!(out, "{{{namespace}}}").unwrap();
    }
    out.push_str(name);
}
