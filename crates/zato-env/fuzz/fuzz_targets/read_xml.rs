//! An XML reply is read, written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zato_env::{XmlFrame, read_xml};
use zato_xml::Limits;

fuzz_target!(|text: &str| {
    let Ok(document) = zato_xml::parse(text, &Limits::default()) else { return };
    let Ok(reply) = read_xml(document.root_element()) else { return };
    let payload: Option<serde_json::Value> = reply.payload().ok();
    let Some(env) = reply.env() else { return };
    let frame =
        XmlFrame::new(reply.response_element(), reply.namespace()).expect("it is the name of an element");
    let mut out = Vec::new();
    frame
        .write(&mut out, env, |out| match payload.as_ref().filter(|payload| payload.is_object()) {
            // Keys of nested dictionaries, when they come to stand for elements, need not be names.
            Some(payload) => zato_sio::to_xml(payload, out).or(Ok::<(), zato_sio::EncodeError>(())),
            None => Ok(()),
        })
        .expect("the payload does not fail");
    let written = String::from_utf8(out).expect("what is written is text");
    // What is read with fewer levels may be written with more.
    let limits = Limits { max_depth: 1_000, ..Limits::default() };
    let document = zato_xml::parse(&written, &limits).expect("what is written is well-formed");
    let again = read_xml(document.root_element()).expect("what was written is accepted");
    assert_eq!(again.env(), reply.env());
    assert_eq!(again.response_element(), reply.response_element());
    assert_eq!(again.namespace(), reply.namespace());
});
