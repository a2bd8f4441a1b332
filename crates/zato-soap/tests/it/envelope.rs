//! What is an envelope and what is not.

use zato_soap::{Envelope, Limits, Position, ReadError, Version, parse};

use crate::with_envelope;

const V11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const V12: &str = "http://www.w3.org/2003/05/soap-envelope";

#[track_caller]
fn refuses(text: &str, error: &ReadError, message: &str) {
    let document = parse(text, &Limits::default()).unwrap();
    assert_eq!(Envelope::of(&document).unwrap_err(), *error);
    assert_eq!(error.to_string(), message);
}

fn at(line: u32, column: u32) -> Position {
    Position { line, column }
}

#[test]
fn both_versions_are_told_apart_by_their_namespace() {
    for (namespace, version) in [(V11, Version::V11), (V12, Version::V12)] {
        let text = format!(
            "<e:Envelope xmlns:e='{namespace}'><e:Header><h/></e:Header><e:Body><p/></e:Body></e:Envelope>"
        );
        with_envelope(&text, |envelope| {
            assert_eq!(envelope.version(), version);
            assert!(envelope.header().unwrap().first_element_child().unwrap().has_tag_name("h"));
            assert!(envelope.body().has_tag_name((namespace, "Body")));
            assert!(envelope.payload().unwrap().has_tag_name("p"));
        });
    }
    assert_eq!(Version::V11.content_type(), "text/xml; charset=utf-8");
    assert_eq!(Version::V12.content_type(), "application/soap+xml; charset=utf-8");
}

#[test]
fn header_and_payload_are_optional() {
    with_envelope(
        &format!("<Envelope xmlns='{V11}'> <Body> <!-- empty --> </Body></Envelope>"),
        |envelope| {
            assert!(envelope.header().is_none());
            assert!(envelope.payload().is_none());
            assert!(envelope.username_token().unwrap().is_none());
            assert_eq!(envelope.fault(), None);
        },
    );
}

#[test]
fn several_payloads_come_in_order() {
    let text = format!("<e:Envelope xmlns:e='{V11}'><e:Body>text<a/> <!-- and --><b/></e:Body></e:Envelope>");
    with_envelope(&text, |envelope| {
        let names: Vec<_> = envelope.payloads().map(|payload| payload.tag_name().name()).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(envelope.payload().unwrap().has_tag_name("a"));
    });
}

#[test]
fn another_root_is_not_an_envelope() {
    refuses(
        "<!-- no SOAP -->\n <request/>",
        &ReadError::NotAnEnvelope { position: at(2, 2), found: "request".to_owned() },
        "line 2, column 2: expected a SOAP Envelope, found the element \"request\"",
    );
}

#[test]
fn an_envelope_of_no_known_version_is_a_version_mismatch() {
    refuses(
        "<Envelope xmlns='urn:soap-9'><Body/></Envelope>",
        &ReadError::UnknownVersion { position: at(1, 1), found: "urn:soap-9".to_owned() },
        "line 1, column 1: expected the Envelope of SOAP 1.1 or 1.2, found one in the namespace \"urn:soap-9\"",
    );
    refuses(
        "<Envelope><Body/></Envelope>",
        &ReadError::UnknownVersion { position: at(1, 1), found: String::new() },
        "line 1, column 1: expected the Envelope of SOAP 1.1 or 1.2, found one in the namespace \"\"",
    );
}

#[test]
fn a_body_is_required_in_the_namespace_of_the_envelope() {
    let no_body = ReadError::NoBody { position: at(1, 1) };
    let message = "line 1, column 1: the SOAP Envelope has no Body";
    refuses(&format!("<e:Envelope xmlns:e='{V11}'/>"), &no_body, message);
    refuses(&format!("<e:Envelope xmlns:e='{V11}'><Body/></e:Envelope>"), &no_body, message);
    refuses(&format!("<Envelope xmlns='{V11}'><Body xmlns='{V12}'/></Envelope>"), &no_body, message);
}

#[test]
fn a_second_body_or_header_is_refused() {
    refuses(
        &format!("<Envelope xmlns='{V11}'>\n<Body/>\n<Body/></Envelope>"),
        &ReadError::Repeated { position: at(3, 1), element: "Body" },
        "line 3, column 1: the SOAP Envelope has a second Body",
    );
    refuses(
        &format!("<Envelope xmlns='{V11}'>\n<Header/><Header/><Body/></Envelope>"),
        &ReadError::Repeated { position: at(2, 10), element: "Header" },
        "line 2, column 10: the SOAP Envelope has a second Header",
    );
}
