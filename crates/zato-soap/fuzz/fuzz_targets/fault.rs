//! A fault with any text survives writing and reading in both versions.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zato_soap::{Envelope, Fault, FaultCode, Limits, parse};

fn as_xml_keeps_it(text: &str) -> String {
    let forbidden =
        |c| matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}');
    text.replace(forbidden, "\u{FFFD}")
}

fuzz_target!(|texts: (&str, Option<&str>, Option<&str>)| {
    let (string, actor, detail) = texts;
    let fault = |text: fn(&str) -> String| Fault {
        actor: actor.map(text),
        detail: detail.map(text),
        ..Fault::new(FaultCode::Client, text(string))
    };
    for write in [Fault::write, Fault::write_v12] {
        let mut out = Vec::new();
        write(&fault(str::to_owned), &mut out);
        let out = String::from_utf8(out).expect("a fault is UTF-8");
        let document = parse(&out, &Limits::default()).expect("a fault is XML");
        let envelope = Envelope::of(&document).expect("a fault is a message");
        assert_eq!(envelope.fault(), Some(fault(as_xml_keeps_it)));
    }
});
