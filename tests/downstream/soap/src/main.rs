//! A program that uses `zato-soap` alone: it wraps a message and reads it back.

use std::error::Error;

use zato_soap::{Envelope, Frame, FrameOptions, Limits, UsernameToken, parse};

fn main() -> Result<(), Box<dyn Error>> {
    let header = UsernameToken::text("crm", "a & b").header_xml();
    let frame = Frame::new(&FrameOptions { header: Some(&header), ..FrameOptions::default() });
    let mut message = Vec::new();
    frame.wrap(b"<data><id>123</id></data>", &mut message);

    let text = String::from_utf8(message)?;
    let document = parse(&text, &Limits::default())?;
    let envelope = Envelope::of(&document)?;
    let token = envelope.username_token()?.ok_or("no token")?;
    assert!(token.verify("a & b"));
    println!("{}", envelope.payload().ok_or("no payload")?.tag_name().name());
    Ok(())
}
