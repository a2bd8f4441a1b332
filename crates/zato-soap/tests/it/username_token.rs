//! The WS-Security UsernameToken, written and read.

use proptest::prelude::*;
use zato_soap::{Frame, FrameOptions, Password, TokenError, UsernameToken};

use crate::{as_xml_keeps_it, texts, with_envelope};

const TEXT: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText";
const DIGEST: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest";

fn read(header: &str) -> Result<Option<UsernameToken>, TokenError> {
    let mut out = Vec::new();
    Frame::new(&FrameOptions { header: Some(header), ..FrameOptions::default() }).wrap(b"<a/>", &mut out);
    with_envelope(&String::from_utf8(out).unwrap(), |envelope| envelope.username_token())
}

/// A header whose token consists of `parts`, with prefixes other than the usual ones.
fn header(parts: &str) -> String {
    let (wsse, wsu) = (
        "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
        "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd",
    );
    format!("<Security xmlns='{wsse}' xmlns:u='{wsu}'><UsernameToken>{parts}</UsernameToken></Security>")
}

#[track_caller]
fn refuses(parts: &str, error: &TokenError, message: &str) {
    assert_eq!(read(&header(parts)).unwrap_err(), *error);
    assert_eq!(error.to_string(), message);
}

#[test]
fn a_header_without_a_token_has_none() {
    assert!(read("").unwrap().is_none());
    assert!(read("<Security><UsernameToken/></Security>").unwrap().is_none());
    assert!(read(&header("").replace("UsernameToken", "Timestamp")).unwrap().is_none());
}

#[test]
fn a_password_in_clear_text_is_read() {
    let parts = format!("<Username>crm</Username><Password Type='{TEXT}'>secret</Password>");
    let token = read(&header(&parts)).unwrap().unwrap();
    assert_eq!((token.username(), token.nonce(), token.created()), ("crm", None, None));
    assert!(matches!(token.password(), Password::Text(password) if password.as_str() == "secret"));
    assert!(token.verify("secret"));
    for wrong in ["", "secre", "secret1", "Secret"] {
        assert!(!token.verify(wrong), "{wrong}");
    }
}

#[test]
fn nonce_and_time_may_come_with_a_password_in_clear_text() {
    let parts = format!(
        "<Username>crm</Username><Password Type='{TEXT}'>secret</Password>\
         <Nonce>\n AAEC \n</Nonce><u:Created>2014-05-04T19:01:40.981Z</u:Created>"
    );
    let token = read(&header(&parts)).unwrap().unwrap();
    assert_eq!((token.nonce(), token.created()), (Some(&[0, 1, 2][..]), Some("2014-05-04T19:01:40.981Z")));
    assert!(token.verify("secret"));
}

/// Computed with `printf '\x00\x01\x022014-05-04T19:01:40.981Zsecret' | openssl sha1 -binary | base64`.
const KNOWN_DIGEST: &str = "m+ysH9CspAvETF28tPXjW/cphjU=";

#[test]
fn a_digest_is_verified() {
    let parts = format!(
        "<Username>crm</Username><Password Type='{DIGEST}'>{KNOWN_DIGEST}</Password>\
         <Nonce EncodingType='http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary'>AAEC</Nonce>\
         <u:Created>2014-05-04T19:01:40.981Z</u:Created>"
    );
    let token = read(&header(&parts)).unwrap().unwrap();
    assert!(matches!(token.password(), Password::Digest(digest) if digest.len() == 20));
    assert!(token.verify("secret"));
    assert!(!token.verify("Secret"));
    assert!(!token.verify(KNOWN_DIGEST), "a digest is not the password");

    let later = parts.replace("19:01:40", "19:01:41");
    assert!(!read(&header(&later)).unwrap().unwrap().verify("secret"), "the time is part of the proof");
}

#[test]
fn a_digest_is_written_as_it_is_read() {
    let token = UsernameToken::digest("crm", "secret", [0, 1, 2], "2014-05-04T19:01:40.981Z");
    let header = token.header_xml();
    assert!(header.contains(KNOWN_DIGEST) && !header.contains("secret"), "{}", *header);
    let read = read(&header).unwrap().unwrap();
    assert_eq!((read.username(), read.nonce(), read.created()), ("crm", token.nonce(), token.created()));
    assert!(read.verify("secret"));
}

#[test]
fn missing_parts_are_named() {
    let missing = |element| TokenError::Missing { element };
    let username = "<Username>crm</Username>";
    let password = format!("<Password Type='{DIGEST}'>AAEC</Password>");
    refuses("", &missing("Username"), "the UsernameToken has no Username");
    refuses(username, &missing("Password"), "the UsernameToken has no Password");
    refuses(&format!("{username}{password}"), &missing("Nonce"), "the UsernameToken has no Nonce");
    refuses(
        &format!("{username}{password}<Nonce>AAEC</Nonce><Created/>"),
        &missing("Created"),
        "the UsernameToken has no Created",
    );
}

#[test]
fn types_must_be_known() {
    refuses(
        "<Username>crm</Username><Password>secret</Password>",
        &TokenError::NoPasswordType,
        "the Password has no Type",
    );
    refuses(
        "<Username>crm</Username><Password Type='plain'>secret</Password>",
        &TokenError::UnknownPasswordType { found: "plain".to_owned() },
        "the Password has the unknown Type \"plain\"",
    );
    refuses(
        "<Username>crm</Username><Password>secret</Password><Nonce EncodingType='hex'>00</Nonce>",
        &TokenError::UnknownEncoding { found: "hex".to_owned() },
        "the Nonce has the unknown EncodingType \"hex\"",
    );
}

#[test]
fn base64_must_be_valid() {
    refuses(
        "<Username>crm</Username><Password>secret</Password><Nonce>A-B_</Nonce>",
        &TokenError::Base64 { element: "Nonce" },
        "the Nonce is not valid base 64",
    );
    refuses(
        &format!(
            "<Username>crm</Username><Password Type='{DIGEST}'>se cret</Password><Nonce>AAEC</Nonce><u:Created>now</u:Created>"
        ),
        &TokenError::Base64 { element: "Password" },
        "the Password is not valid base 64",
    );
}

#[test]
fn a_second_sender_is_refused() {
    let token = header(&format!("<Username>crm</Username><Password Type='{TEXT}'>secret</Password>"));
    let repeated = |element| TokenError::Repeated { element };
    assert_eq!(read(&(token.clone() + &token)).unwrap_err(), repeated("UsernameToken"));
    refuses(
        "<Username>a</Username><Username>b</Username>",
        &repeated("Username"),
        "the header has a second Username",
    );
}

#[test]
fn debug_shows_no_proof() {
    let shown = format!("{:?}", UsernameToken::text("crm", "secret"));
    assert!(shown.contains("crm") && !shown.contains("secret"), "{shown}");
    let shown = format!("{:?}", UsernameToken::digest("crm", "secret", [1], "now").password());
    assert_eq!(shown, "Digest(..)");
}

proptest! {
    #[test]
    fn any_name_and_password_survive(username in texts(), password in texts()) {
        let token = read(&UsernameToken::text(username.as_str(), password.as_str()).header_xml()).unwrap().unwrap();
        prop_assert_eq!(token.username(), as_xml_keeps_it(&username));
        prop_assert!(token.verify(&as_xml_keeps_it(&password)));
    }

    #[test]
    fn any_digest_survives(password in texts(), nonce: Vec<u8>, created in "\\PC{0,30}", other in texts()) {
        let token = UsernameToken::digest("crm", &password, nonce, created);
        let token = read(&token.header_xml()).unwrap().unwrap();
        prop_assert!(token.verify(&password));
        prop_assert_eq!(token.verify(&other), password == other);
    }
}
