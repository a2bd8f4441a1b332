//! XML into a typed message and back.

#![no_main]

mod message;

use libfuzzer_sys::fuzz_target;
use message::Message;
use zato_xml::Limits;

fuzz_target!(|text: &str| {
    let Ok(document) = zato_xml::parse(text, &Limits::default()) else { return };
    match zato_sio::from_xml::<Message>(document.root_element()) {
        Ok(message) => {
            // Dictionaries take more levels when written than the short form which is accepted as well.
            let Some(first) = written(&message) else { return };
            // An empty list is written as an empty element, which is no list at all once it is optional.
            let second = written(&read(&first)).expect("what was written can be written");
            let third = written(&read(&second)).expect("what was written can be written");
            assert_eq!(second, third);
        }
        Err(error) => assert!(!error.to_string().contains('\n')),
    }
});

fn written(message: &Message) -> Option<String> {
    let mut out = Vec::new();
    zato_sio::to_xml(message, &mut out).ok()?;
    Some(String::from_utf8(out).expect("what is written is text"))
}

fn read(text: &str) -> Message {
    // What is read with fewer levels may be written with more.
    let limits = Limits { max_depth: 1_000, ..Limits::default() };
    let document = zato_xml::parse(text, &limits).expect("what is written is well-formed");
    zato_sio::from_xml(document.root_element()).expect("what was written is accepted")
}
