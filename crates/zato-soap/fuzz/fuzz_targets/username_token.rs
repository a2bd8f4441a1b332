//! A token that can be read survives writing and reading it again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zato_soap::{Envelope, Frame, FrameOptions, Limits, Password, TokenError, UsernameToken, parse};

fn read(text: &str) -> Option<Result<Option<UsernameToken>, TokenError>> {
    let document = parse(text, &Limits::default()).ok()?;
    Some(Envelope::of(&document).ok()?.username_token())
}

fuzz_target!(|text: &str| {
    let Some(Ok(Some(token))) = read(text) else { return };
    let header = token.header_xml();
    let mut message = Vec::new();
    Frame::new(&FrameOptions { header: Some(&header), ..FrameOptions::default() }).wrap(b"", &mut message);
    let message = String::from_utf8(message).expect("a frame is UTF-8");
    let again = read(&message)
        .expect("a frame is a message")
        .expect("a token is complete")
        .expect("a token was written");
    assert_eq!(
        (token.username(), token.nonce(), token.created()),
        (again.username(), again.nonce(), again.created()),
    );
    match (token.password(), again.password()) {
        (Password::Text(before), Password::Text(after)) => {
            assert_eq!(before, after);
            assert!(token.verify(before));
        }
        (Password::Digest(before), Password::Digest(after)) => assert_eq!(before, after),
        (before, after) => panic!("{before:?} became {after:?}"),
    }
});
