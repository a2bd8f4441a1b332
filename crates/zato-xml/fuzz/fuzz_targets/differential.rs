//! Any text is read as roxmltree reads it, and limits are kept.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zato_xml::{Limits, parse};

#[path = "../../tests/it/oracle.rs"]
mod oracle;

fuzz_target!(|text: &str| {
    oracle::compare(text);
    let tight =
        Limits { max_depth: 4, max_nodes: 20, max_attributes: 3, max_namespaces: 3, ..Limits::default() };
    let Ok(document) = parse(text, &tight) else { return };
    assert!(document.descendants().count() <= tight.max_nodes + 1);
    for node in document.descendants() {
        assert!(node.ancestors().filter(|ancestor| ancestor.is_element()).count() <= tight.max_depth);
        assert!(node.attributes().len() <= tight.max_attributes);
    }
});
