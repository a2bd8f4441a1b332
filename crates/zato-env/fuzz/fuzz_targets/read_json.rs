//! A JSON reply is read, written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zato_env::{JsonFrame, read_json};

fuzz_target!(|bytes: &[u8]| {
    let Ok(reply) = read_json(bytes) else { return };
    let Some(env) = reply.env() else { return };
    let mut out = Vec::new();
    let frame = JsonFrame::new(reply.response_element());
    let written: Result<(), std::convert::Infallible> = frame.write(&mut out, env, |out| {
        out.extend_from_slice(reply.payload_text().unwrap_or_default().as_bytes());
        Ok(())
    });
    assert!(written.is_ok());
    let again = read_json(&out).expect("what was written is accepted");
    assert_eq!(again.env(), reply.env());
    assert_eq!(again.response_element(), reply.response_element());
    assert_eq!(again.payload_text(), reply.payload_text());
    let decoded: Result<serde_json::Value, _> = reply.payload();
    assert_eq!(decoded.ok(), again.payload().ok());
});
