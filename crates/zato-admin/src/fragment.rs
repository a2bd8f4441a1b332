//! One element of an XML document as a text of its own.
//!
//! Owns what it takes for the text to mean the same outside of its document. It must not know what the element is.

use roxmltree::Node;

/// The text of an element as it stands in its document, with the namespaces that are declared around it declared on the
/// element itself.
pub(crate) fn text(element: Node<'_, '_>) -> Vec<u8> {
    let text = &element.document().input_text()[element.range()];
    let name_end = text.find(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).unwrap_or(text.len());
    let (name, rest) = text.split_at(name_end);
    let own = declared_on(rest);
    let mut whole = Vec::with_capacity(text.len() + 64);
    whole.extend_from_slice(name.as_bytes());
    for namespace in element.namespaces() {
        let prefix = namespace.name().unwrap_or_default();
        if prefix != "xml" && !own.contains(&prefix) {
            declare(&mut whole, prefix, namespace.uri());
        }
    }
    if element.default_namespace().is_none() && !own.contains(&"") {
        // Else the element would come into the default namespace of wherever it is put.
        declare(&mut whole, "", "");
    }
    whole.extend_from_slice(rest.as_bytes());
    whole
}

/// The prefixes that a start tag declares, `""` for the default namespace. `tag` is the tag from after its name on; what
/// follows the tag is not looked at.
fn declared_on(mut tag: &str) -> Vec<&str> {
    let mut prefixes = Vec::new();
    loop {
        tag = tag.trim_start();
        if tag.starts_with(['>', '/']) {
            return prefixes;
        }
        let Some((name, value)) = tag.split_once('=') else { return prefixes };
        let name = name.trim_end();
        if let Some(declared) = name.strip_prefix("xmlns") {
            match declared.strip_prefix(':') {
                Some(prefix) => prefixes.push(prefix),
                None if declared.is_empty() => prefixes.push(""),
                None => {}
            }
        }
        let value = value.trim_start();
        let Some(quote) = value.chars().next() else { return prefixes };
        let Some((_, after)) = value[quote.len_utf8()..].split_once(quote) else { return prefixes };
        tag = after;
    }
}

fn declare(out: &mut Vec<u8>, prefix: &str, uri: &str) {
    out.extend_from_slice(if prefix.is_empty() { b" xmlns" } else { b" xmlns:" });
    out.extend_from_slice(prefix.as_bytes());
    out.extend_from_slice(b"=\"");
    zato_soap::escape::attribute(uri, out);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(inside: &str, expected: &str) {
        let document = format!("<e:E xmlns:e='env' xmlns:p='a&amp;b'><e:B>{inside}</e:B></e:E>");
        let document = roxmltree::Document::parse(&document).unwrap();
        let body = document.root_element().first_element_child().unwrap();
        let element = body.first_element_child().unwrap();
        let found = String::from_utf8(text(element)).unwrap();
        assert_eq!(found, expected);
        let alone = roxmltree::Document::parse(&found).unwrap();
        assert_eq!(alone.root_element().tag_name(), element.tag_name());
    }

    #[test]
    fn namespaces_come_along() {
        check("<x>1</x>", "<x xmlns:e=\"env\" xmlns:p=\"a&amp;b\" xmlns=\"\">1</x>");
        check("<x/>", "<x xmlns:e=\"env\" xmlns:p=\"a&amp;b\" xmlns=\"\"/>");
        check(
            "<p:x q='>' xmlns='d'><y/></p:x>",
            "<p:x xmlns:e=\"env\" xmlns:p=\"a&amp;b\" q='>' xmlns='d'><y/></p:x>",
        );
        check(
            "<p:x xmlns:p = 'a&amp;b' xmlns:e=\"env\" xmlns='' />",
            "<p:x xmlns:p = 'a&amp;b' xmlns:e=\"env\" xmlns='' />",
        );
    }

    #[test]
    fn a_document_of_one_element_stays_as_it_is() {
        let document = roxmltree::Document::parse("<?xml version='1.0'?><x xmlns='u'>ż</x>").unwrap();
        assert_eq!(text(document.root_element()), "<x xmlns='u'>ż</x>".as_bytes());
    }
}
