//! Black-box tests of the public interface, one module a subject.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not as it should be")]

mod envelope;
mod fault;
mod frame;
mod samples;
mod username_token;

use zato_soap::{Envelope, Limits, parse};

/// Hands the envelope in `text` to `view`.
#[track_caller]
fn with_envelope<T>(text: &str, view: impl FnOnce(Envelope<'_, '_>) -> T) -> T {
    let document = parse(text, &Limits::default()).unwrap();
    view(Envelope::of(&document).unwrap())
}

/// `text` as it comes back from XML: characters that XML forbids have been replaced.
fn as_xml_keeps_it(text: &str) -> String {
    let forbidden =
        |c| matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}');
    text.replace(forbidden, "\u{FFFD}")
}

/// Strings of what XML treats specially, mixed with anything at all.
fn texts() -> impl proptest::strategy::Strategy<Value = String> {
    proptest::string::string_regex(
        "([\\]\\[<>&;'\"\r\n\t \u{1}\u{FFFE}\u{FFFF}a]|\\PC|]]>|&amp;|<!--|-->|\\?>){0,40}",
    )
    .unwrap()
}
