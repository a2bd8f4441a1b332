//! XPath expressions on messages.
//!
//! Owns how an expression is compiled, what it finds in a message, and how what it finds is hidden there. It must not know
//! why somebody looks for something.
//!
//! Expressions are of XPath 1.0. They are compiled when something is configured, and give up on a message in which they
//! would have to visit too many nodes.

use std::borrow::Cow;
use std::fmt;

use uppsala::{Document, NodeId, NodeKind, Parser, XPathEvaluator, XPathValue};

/// How many nodes an expression may visit.
const MAXIMUM_VISITS: usize = 1_000_000;

/// An expression of XPath, compiled.
pub struct XPathExpression {
    text: Box<str>,
    /// Has compiled the expression.
    evaluator: XPathEvaluator,
}

/// An expression of XPath that can't be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{expression}` is no XPath 1.0 expression: {reason}")]
pub struct XPathError {
    expression: String,
    reason: String,
}

/// Nothing can be looked for in a text: it is no XML, or too large for an expression, or an expression finds no places.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message can't be searched: {0}")]
pub struct Unsearchable(String);

impl XPathExpression {
    /// Compiles an expression. `namespaces` are the prefixes that it may use, each with its URI.
    ///
    /// # Errors
    /// It is no expression of XPath 1.0, or uses another prefix or an unknown function.
    pub fn new<'n>(
        text: &str,
        namespaces: impl IntoIterator<Item = (&'n str, &'n str)>,
    ) -> Result<Self, XPathError> {
        let error = |reason: &dyn fmt::Display| XPathError {
            expression: text.to_owned(),
            reason: reason.to_string(),
        };
        let mut evaluator = XPathEvaluator::new().with_max_node_visits(MAXIMUM_VISITS);
        let mut known = vec!["xml"];
        for (prefix, uri) in namespaces {
            evaluator.add_namespace(prefix, uri);
            known.push(prefix);
        }
        // To the evaluator a name with an unknown prefix is one that nothing has.
        if let Some(unknown) = prefixes(text).find(|prefix| !known.contains(prefix)) {
            return Err(error(&format_args!("no namespace has the prefix [{unknown}]")));
        }
        let expression = Self { text: text.into(), evaluator };
        // Evaluators compile an expression when they see it first, and keep what they compiled.
        let mut document = Parser::new().parse("<a/>").map_err(|reason| error(&reason))?;
        document.prepare_xpath();
        expression.evaluate(&document, document.root()).map_err(|reason| error(&reason))?;
        Ok(expression)
    }

    /// The text of what is found first.
    pub(crate) fn find(&self, document: &Document<'_>, context: NodeId) -> Result<Option<String>, String> {
        let first = match self.evaluate(document, context)? {
            XPathValue::NodeSet(nodes) if nodes.is_empty() => return Ok(None),
            XPathValue::NodeSet(nodes) => XPathValue::NodeSet(nodes.into_iter().take(1).collect()),
            value => value,
        };
        Ok(Some(first.to_string_value(document)))
    }

    /// A message with `instead` in place of the content of everything that the expressions find. They begin at the root
    /// element, and in a SOAP envelope at the payload as well. What is found is looked for before anything is hidden, so
    /// that no expression hides from another one.
    ///
    /// # Errors
    /// The message is no XML, has a document type, or is too large for an expression; or an expression works out a text or
    /// a number, which stands nowhere.
    pub fn hide<'e>(
        expressions: impl IntoIterator<Item = &'e Self>,
        message: &str,
        instead: &str,
    ) -> Result<String, Unsearchable> {
        let parsed = Parser::new().with_forbid_dtd(true).parse(message);
        let mut document = parsed.map_err(|error| Unsearchable(error.to_string()))?;
        document.prepare_xpath();
        let contexts = [document.document_element(), payload(&document)];
        let mut found = Vec::new();
        for expression in expressions {
            for context in contexts.into_iter().flatten() {
                match expression.evaluate(&document, context).map_err(Unsearchable)? {
                    XPathValue::NodeSet(nodes) => found.extend(nodes),
                    _ => return Err(Unsearchable(format!("`{}` finds no places", expression.text))),
                }
            }
        }
        if found.is_empty() {
            return Ok(message.to_owned());
        }
        for node in found {
            hide_node(&mut document, node, instead);
        }
        Ok(document.to_xml())
    }

    fn evaluate(&self, document: &Document<'_>, context: NodeId) -> Result<XPathValue, String> {
        self.evaluator.evaluate(document, context, &self.text).map_err(|error| error.to_string())
    }
}

impl fmt::Debug for XPathExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("XPathExpression").field(&self.text).finish()
    }
}

/// The payload of a SOAP envelope: the first element of its body, or an empty body itself.
pub(crate) fn payload(document: &Document<'_>) -> Option<NodeId> {
    let elements = |parent| document.children_iter(parent).filter(|child| document.element(*child).is_some());
    let is_body =
        |node: &NodeId| document.element(*node).is_some_and(|element| element.name.local_name == "Body");
    let body = elements(document.document_element()?).find(is_body)?;
    Some(elements(body).next().unwrap_or(body))
}

fn hide_node(document: &mut Document<'_>, node: NodeId, instead: &str) {
    let hidden = || Cow::Owned(instead.to_owned());
    let attribute = match document.node_kind_mut(node) {
        Some(NodeKind::Text(text) | NodeKind::CData(text) | NodeKind::Comment(text)) => {
            *text = hidden();
            return;
        }
        Some(NodeKind::ProcessingInstruction(instruction)) => {
            instruction.data = Some(hidden());
            return;
        }
        Some(NodeKind::Attribute(name, _)) => Some(name.clone()),
        Some(NodeKind::Element(_) | NodeKind::Document) | None => None,
    };
    if let Some(name) = attribute {
        // What the expression found is a view of the attribute; the attribute itself is its element's.
        let owner = document.parent(node).and_then(|element| document.element_mut(element));
        let attributes = owner.into_iter().flat_map(|element| &mut element.attributes);
        for attribute in attributes.filter(|attribute| attribute.name == name) {
            attribute.value = hidden();
        }
        return;
    }
    // An expression for the document itself means everything in it, which its root element stands for.
    let element = if document.element(node).is_some() { Some(node) } else { document.document_element() };
    let Some(element) = element else { return };
    for child in document.children(element) {
        document.remove_child(element, child);
    }
    let text = document.create_text(instead.to_owned());
    document.append_child(element, text);
}

/// The prefixes of an expression's names: what stands before a single colon, outside of literals.
fn prefixes(expression: &str) -> impl Iterator<Item = &str> {
    let mut rest = expression;
    std::iter::from_fn(move || {
        while let Some(at) = rest.find(['\'', '"', ':']) {
            let (before, after) = (&rest[..at], &rest[at + 1..]);
            let mark = &rest[at..=at];
            if mark != ":" {
                rest = after.split_once(mark).map_or("", |(_, after)| after);
            } else if let Some(axis) = after.strip_prefix(':') {
                rest = axis;
            } else {
                rest = after;
                return before.rsplit(|c: char| !c.is_alphanumeric() && !"-_.".contains(c)).next();
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMESPACES: [(&str, &str); 2] = [("crm", "urn:crm"), ("hr", "urn:hr")];

    fn expressions(texts: &[&str]) -> Vec<XPathExpression> {
        texts.iter().map(|text| XPathExpression::new(text, NAMESPACES).unwrap()).collect()
    }

    #[track_caller]
    fn check(texts: &[&str], message: &str, expected: &str) {
        assert_eq!(XPathExpression::hide(&expressions(texts), message, "***").unwrap(), expected);
    }

    #[test]
    fn what_is_found_is_hidden() {
        check(&["//b"], "<a><b>1<c/>2</b><b x='1'>3</b></a>", "<a><b>***</b><b x=\"1\">***</b></a>");
        check(&["b", "/a/d"], "<a><b>1</b><d/></a>", "<a><b>***</b><d>***</d></a>");
        check(&["//@x"], "<a x='1'><b x='2' y='3'/></a>", "<a x=\"***\"><b x=\"***\" y=\"3\"/></a>");
        check(&["//b/text()"], "<a><b>1<c>2</c></b></a>", "<a><b>***<c>2</c></b></a>");
        check(&["//b", "//c"], "<a><b>1<c>2</c></b><c>3</c></a>", "<a><b>***</b><c>***</c></a>");
        check(&["/"], "<a><b>1</b></a>", "<a>***</a>");
        check(&["."], "<a><b>1</b></a>", "<a>***</a>");
    }

    #[test]
    fn expressions_begin_at_the_payload_too() {
        let message = "<e:E xmlns:e='urn:e'><e:Header><u>0</u></e:Header><e:Body><a><u>1</u><v>2</v></a></e:Body></e:E>";
        let expected = message.replace("'urn:e'", "\"urn:e\"").replace("<u>1</u>", "<u>***</u>");
        check(&["u"], message, &expected);
        check(&["u"], "<Body><u>1</u></Body>", "<Body><u>***</u></Body>");
    }

    #[test]
    fn names_are_told_apart_by_namespace() {
        let message = "<a xmlns:c='urn:crm'><c:b>1</c:b><b>2</b></a>";
        check(&["//crm:b"], message, "<a xmlns:c=\"urn:crm\"><c:b>***</c:b><b>2</b></a>");
        check(&["//hr:b", "//d"], message, message);
    }

    #[test]
    fn what_is_no_message_is_not_searched() {
        for message in ["", "a", "<a>", "<!DOCTYPE a><a/>"] {
            assert!(XPathExpression::hide(&expressions(&["//b"]), message, "***").is_err(), "{message}");
        }
        let message = format!("<a>{}</a>", "<b><c/></b>".repeat(2_000));
        let large = expressions(&["//*[count(//*) > 0][count(//*) > 1]"]);
        assert!(XPathExpression::hide(&large, &message, "***").is_err());
        let text = expressions(&["string(//b)"]);
        let error = XPathExpression::hide(&text, "<a/>", "***").unwrap_err().to_string();
        assert_eq!(error, "the message can't be searched: `string(//b)` finds no places");
    }

    #[test]
    fn prefixes_have_to_be_known() {
        let all = |text| prefixes(text).collect::<Vec<_>>();
        assert_eq!(all("/a:b[c-1:d = 'x:y']/@e:f | child::g"), ["a", "c-1", "e"]);
        assert_eq!(all("ancestor-or-self::a:*[text() = \":\"]"), ["a"]);
        assert_eq!(all("'a:b"), [""; 0]);
        let error = XPathExpression::new("//erp:order", NAMESPACES).unwrap_err().to_string();
        assert_eq!(error, "`//erp:order` is no XPath 1.0 expression: no namespace has the prefix [erp]");
        XPathExpression::new("//crm:order[@xml:lang = 'x:y']", NAMESPACES).unwrap();
    }

    proptest! {
        #[test]
        fn any_text_is_an_expression_or_none(text in "[a-c:/@*()\\[\\]'\" .|ż]{0,20}") {
            drop(XPathExpression::new(&text, NAMESPACES));
        }

        #[test]
        fn nothing_of_what_is_found_is_left(before in "[a-z]{0,9}", secret in "S3cret[a-z<>&;\"' ż]{0,9}") {
            let mut message = format!("<a><c>{before}</c><b>").into_bytes();
            zato_xml::escape::text(&secret, &mut message);
            message.extend_from_slice(b"<c/></b></a>");
            let message = String::from_utf8(message).unwrap();
            let hidden = XPathExpression::hide(&expressions(&["//b"]), &message, "***").unwrap();
            prop_assert_eq!(hidden, format!("<a><c>{before}</c><b>***</b></a>").replace("<c></c>", "<c/>"));
        }
    }
}
