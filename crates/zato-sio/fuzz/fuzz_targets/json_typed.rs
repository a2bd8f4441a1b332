//! JSON into a typed message and back.

#![no_main]

mod message;

use libfuzzer_sys::fuzz_target;
use message::Message;

fuzz_target!(|bytes: &[u8]| {
    match zato_sio::from_json::<Message>(bytes) {
        Ok(message) => {
            let first = written(&message);
            // A list of one empty text has the same CSV form as no list at all, and stays the latter from then on.
            let second = written(&zato_sio::from_json(&first).expect("what was written is accepted"));
            let third = written(&zato_sio::from_json(&second).expect("what was written is accepted"));
            assert_eq!(second, third);
        }
        Err(error) => assert!(!error.to_string().contains('\n')),
    }
});

fn written(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    zato_sio::to_json(message, &mut out).expect("what was decoded is within the limits");
    out
}
