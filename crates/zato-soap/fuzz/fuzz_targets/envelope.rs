//! Any text is read within the limits or refused, and the guard before the parser agrees with the parser.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zato_soap::roxmltree::Document;
use zato_soap::{Envelope, Limits, ReadError, parse};

fuzz_target!(|text: &str| {
    let tight =
        Limits { max_depth: 4, max_nodes: 20, max_attributes: 3, max_namespaces: 3, ..Limits::default() };
    if let Ok(document) = parse(text, &tight) {
        assert!(document.descendants().count() <= tight.max_nodes + 1);
        for node in document.descendants() {
            assert!(node.ancestors().filter(|ancestor| ancestor.is_element()).count() <= tight.max_depth);
            assert!(node.attributes().len() <= tight.max_attributes);
            assert!(node.namespaces().len() <= tight.max_namespaces + 1);
        }
        if let Ok(envelope) = Envelope::of(&document) {
            assert_eq!(envelope.payload(), envelope.payloads().next());
            let fault = (envelope.version().namespace(), "Fault");
            assert_eq!(
                envelope.fault().is_some(),
                envelope.payload().is_some_and(|payload| payload.has_tag_name(fault))
            );
        }
    }
    let unlimited = Limits {
        max_bytes: usize::MAX,
        max_depth: usize::MAX,
        max_nodes: usize::MAX,
        max_attributes: usize::MAX,
        max_namespaces: usize::MAX,
    };
    match parse(text, &unlimited) {
        Err(ReadError::Dtd { .. } | ReadError::Encoding { .. }) => {}
        guarded => assert_eq!(guarded.is_ok(), Document::parse(text).is_ok()),
    }
});
