//! Whatever an XPath expression finds in a message is hidden there, and what is left is a message still.
//!
//! An input is an expression in each of the first two lines, and a message in all others.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use zato_channel::XPathExpression;
use zato_soap::Limits;

const HIDDEN: &str = "***";

/// The prefixes that expressions may use.
const NAMESPACES: [(&str, &str); 2] = [("crm", "urn:crm"), ("hr", "urn:hr")];

/// Finds all that can be hidden.
static EVERYTHING: LazyLock<XPathExpression> = LazyLock::new(|| {
    let everything = "//text() | //@* | //comment() | //processing-instruction()";
    XPathExpression::new(everything, []).expect("an expression")
});

fuzz_target!(|data: &str| {
    let mut parts = data.splitn(3, '\n');
    let (Some(first), Some(second), Some(message)) = (parts.next(), parts.next(), parts.next()) else {
        return;
    };
    let expressions: Vec<_> =
        [first, second].iter().filter_map(|text| XPathExpression::new(text, NAMESPACES).ok()).collect();
    let hidden = XPathExpression::hide(&expressions, message, HIDDEN);
    assert_eq!(hidden, XPathExpression::hide(&expressions, message, HIDDEN), "it is not the same each time");
    if let Ok(hidden) = hidden {
        check_message(message, &hidden);
    }
    if let Ok(hidden) = XPathExpression::hide([&*EVERYTHING], message, HIDDEN) {
        check_message(message, &hidden);
        check_nothing_left(&hidden);
    }
});

fn limits() -> Limits {
    Limits { max_bytes: usize::MAX, max_depth: 10_000, ..Limits::default() }
}

/// What could be read before can be read, by the parser that hid something and by another one.
fn check_message(before: &str, hidden: &str) {
    let again = XPathExpression::hide([&*EVERYTHING], hidden, HIDDEN);
    assert!(again.is_ok(), "{again:?}");
    if zato_soap::parse(before, &limits()).is_ok() {
        let again = zato_soap::parse(hidden, &limits());
        assert!(again.is_ok(), "{again:?}\n{hidden}");
    }
}

/// By another parser than the one that hid it.
fn check_nothing_left(hidden: &str) {
    let Ok(document) = zato_soap::parse(hidden, &limits()) else { return };
    let is_left = |text: &str| !text.replace(HIDDEN, "").is_empty();
    for node in document.root_element().descendants() {
        let text = node.text().filter(|_| !node.is_element()).unwrap_or_default();
        assert!(!is_left(text), "{text:?}");
        assert!(node.attributes().all(|attribute| !is_left(attribute.value())), "{node:?}");
    }
}
