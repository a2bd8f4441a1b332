//! Any text is viewed as a message or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zato_soap::{Envelope, Limits, parse};

fuzz_target!(|text: &str| {
    let Ok(document) = parse(text, &Limits::default()) else { return };
    let Ok(envelope) = Envelope::of(&document) else { return };
    assert_eq!(envelope.payload(), envelope.payloads().next());
    let fault = (envelope.version().namespace(), "Fault");
    assert_eq!(
        envelope.fault().is_some(),
        envelope.payload().is_some_and(|payload| payload.has_tag_name(fault))
    );
});
