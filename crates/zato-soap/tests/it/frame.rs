//! Frames around a body.

use proptest::prelude::*;
use zato_soap::{Frame, FrameOptions, UsernameToken, Version};

use crate::{texts, with_envelope};

#[track_caller]
fn check(options: &FrameOptions<'_>, expected: &str) {
    let mut out = b"before ".to_vec();
    Frame::new(options).wrap(b"<a/>", &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), format!("before {expected}"));
}

#[test]
fn options_say_what_stands_around_the_body() {
    check(
        &FrameOptions::default(),
        "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body><a/></soap:Body></soap:Envelope>",
    );
    check(
        &FrameOptions {
            version: Version::V12,
            prefix: "s12",
            declaration: true,
            default_namespace: Some("urn:d"),
            extra_namespaces: &[("xsi", "http://www.w3.org/2001/XMLSchema-instance"), ("q", "\"&<")],
            header: Some(""),
        },
        "<?xml version='1.0' encoding='UTF-8'?>\n\
         <s12:Envelope xmlns:s12=\"http://www.w3.org/2003/05/soap-envelope\" xmlns=\"urn:d\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:q=\"&quot;&amp;&lt;\">\
         <s12:Header></s12:Header><s12:Body><a/></s12:Body></s12:Envelope>",
    );
}

#[test]
fn an_outgoing_message_with_ws_security() {
    check(
        &FrameOptions {
            prefix: "s11",
            declaration: true,
            header: Some(&UsernameToken::text("user", "secret").header_xml()),
            ..FrameOptions::default()
        },
        "<?xml version='1.0' encoding='UTF-8'?>\n\
         <s11:Envelope xmlns:s11=\"http://schemas.xmlsoap.org/soap/envelope/\">\
         <s11:Header>\
         <wsse:Security xmlns:wsse=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd\">\
         <wsse:UsernameToken><wsse:Username>user</wsse:Username>\
         <wsse:Password Type=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText\">\
         secret</wsse:Password></wsse:UsernameToken></wsse:Security>\
         </s11:Header>\
         <s11:Body><a/></s11:Body></s11:Envelope>",
    );
}

#[test]
fn debug_shows_no_header() {
    let options = FrameOptions { header: Some("<secret/>"), ..FrameOptions::default() };
    let shown = format!("{options:?} {:?}", Frame::new(&options));
    assert!(shown.contains("V11") && !shown.contains("secret"), "{shown}");
}

proptest! {
    #[test]
    fn any_namespace_survives(namespace in texts()) {
        // An empty default namespace is the absence of one.
        prop_assume!(!namespace.is_empty());
        let mut out = Vec::new();
        Frame::new(&FrameOptions { default_namespace: Some(&namespace), ..FrameOptions::default() }).wrap(b"<a/>", &mut out);
        with_envelope(&String::from_utf8(out).unwrap(), |envelope| {
            let found = envelope.payload().unwrap().tag_name().namespace().unwrap().to_owned();
            assert_eq!(found, crate::as_xml_keeps_it(&namespace));
        });
    }
}
