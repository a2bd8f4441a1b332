//! What stands in logs, and in the audit log, instead of a secret.
//!
//! Owns which names tell that a value is one, which values tell it themselves, and how both are found in a message. It must not log
//! anything.

use std::borrow::Cow;
use std::ops::Range;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::HeaderMap;
use serde_json::Value;
use zato_sio::check_names;

/// Instead of a secret.
pub(crate) const HIDDEN: &str = "******";

/// Parts of the names of elements that hold secrets.
const SECRET_NAMES: [&str; 6] = ["password", "secret", "token", "api-key", "api_key", "apikey"];

/// Headers that hold secrets although their names don't tell, and a field of forms that does: without a digest, OAuth
/// signs with the secret itself.
const SECRET_FIELDS: [&str; 5] =
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "oauth_signature"];

/// How much of a payload without a format is logged, in bytes.
const MAXIMUM_TEXT: usize = 16 * 1024;

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|part| name.contains(part)) || SECRET_FIELDS.contains(&name.as_str())
}

/// What private keys in PEM begin and end with.
const PRIVATE_KEY: &str = "PRIVATE KEY-----";

/// Whether a value is a secret whatever its name is: a private key, or a document in base64, as services are invoked with, that has
/// secrets in it.
fn is_secret_text(text: &str) -> bool {
    let is_secret_document = |document: Vec<u8>| {
        // Nothing is nothing in base64, too, and could be looked into for ever.
        !document.is_empty()
            && std::str::from_utf8(&document).is_ok_and(|text| !text.contains(HIDDEN))
            && payload(&document).contains(HIDDEN)
    };
    text.contains(PRIVATE_KEY) || BASE64_STANDARD.decode(text.trim()).is_ok_and(is_secret_document)
}

/// Headers for a log.
pub(crate) fn headers(headers: &HeaderMap) -> Vec<(&str, Cow<'_, str>)> {
    let shown = |(name, value): (&'_ http::HeaderName, &'_ http::HeaderValue)| {
        let name = name.as_str();
        let hide = value.is_sensitive() || is_secret(name);
        if hide {
            Cow::Borrowed(HIDDEN)
        } else {
            Cow::Owned(String::from_utf8_lossy(value.as_bytes()).into_owned())
        }
    };
    headers.iter().map(|(name, value)| (name.as_str(), shown((name, value)))).collect()
}

/// A document for a log.
pub(crate) fn value(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let masked = |(name, member): (String, Value)| {
                let member = if is_secret(&name) { Value::from(HIDDEN) } else { self::value(member) };
                (name, member)
            };
            Value::Object(members.into_iter().map(masked).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(self::value).collect()),
        Value::String(text) if is_secret_text(&text) => Value::from(HIDDEN),
        scalar => scalar,
    }
}

/// A payload for a log: JSON, XML or an HTML form by what it looks like, else the beginning of its text.
pub(crate) fn payload(body: &[u8]) -> String {
    if let Ok(document) = serde_json::from_slice(body) {
        return value(document).to_string();
    }
    let text = String::from_utf8_lossy(body);
    if let Some(shown) = xml(&text) {
        return shown;
    }
    if is_secret_text(&text) {
        return HIDDEN.to_owned();
    }
    let cut = text.floor_char_boundary(MAXIMUM_TEXT);
    let shown = form(&text[..cut]);
    if cut < text.len() { format!("{shown}.. ({} bytes in all)", body.len()) } else { shown }
}

/// A message that is kept: as it is, but for its secrets.
#[must_use]
pub fn without_secrets(body: &[u8]) -> String {
    match serde_json::from_slice::<Value>(body) {
        Ok(document) if value(document.clone()) == document && check_names(body).is_ok() => {
            String::from_utf8_lossy(body).into_owned()
        }
        _ => payload(body),
    }
}

/// Hides the content of elements and attributes whose names tell that they are secret; none if the text is no XML.
pub(crate) fn xml(text: &str) -> Option<String> {
    let document = zato_xml::parse(text, &zato_xml::Limits::default()).ok()?;
    let mut hidden: Vec<Range<usize>> = Vec::new();
    for node in document.descendants() {
        if node.is_text() && node.text().is_some_and(is_secret_text) {
            hidden.push(node.range());
        }
        let is_hidden = |a: &zato_xml::Attribute<'_, '_>| is_secret(a.name()) || is_secret_text(a.value());
        hidden.extend(node.attributes().filter(is_hidden).map(|a| a.range_value()));
        if is_secret(node.tag_name().name())
            && let (Some(first), Some(last)) = (node.first_child(), node.last_child())
        {
            hidden.push(first.range().start..last.range().end);
        }
    }
    hidden.sort_by_key(|range| range.start);
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    for range in hidden {
        // A secret element inside of another one is hidden already.
        if range.start >= end {
            shown.push_str(&text[end..range.start]);
            shown.push_str(HIDDEN);
            end = range.end;
        }
    }
    shown.push_str(&text[end..]);
    Some(shown)
}

/// Hides the values of fields whose names tell that they are secret. Text that is no form comes out as it is.
pub(crate) fn form(text: &str) -> String {
    let fields = text.split('&').map(|field| match field.split_once('=') {
        Some((name, value)) if is_secret(name) || is_secret_text(value) => {
            Cow::Owned(format!("{name}={HIDDEN}"))
        }
        _ => Cow::Borrowed(field),
    });
    fields.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &str) {
        assert_eq!(payload(body.as_bytes()), expected);
    }

    #[test]
    fn secrets_are_hidden_wherever_they_stand() {
        check(r#"{"a":1,"password1":"x"}"#, r#"{"a":1,"password1":"******"}"#);
        check(r#"[{"b":{"api_token":["x"]}},"password"]"#, r#"[{"b":{"api_token":"******"}},"password"]"#);
        check("<a><Password>x</Password><b/></a>", "<a><Password>******</Password><b/></a>");
        check(
            "<p:a xmlns:p='u'><p:secrets n='1'><token>x</token>y</p:secrets></p:a>",
            "<p:a xmlns:p='u'><p:secrets n='1'>******</p:secrets></p:a>",
        );
        check("<a token=\"x\" b='1'/>", "<a token=\"******\" b='1'/>");
        check("<token/>", "<token/>");
        check("user=a&Password=b%20c&x", "user=a&Password=******&x");
        check("oauth_signature=a%26&oauth_nonce=1", "oauth_signature=******&oauth_nonce=1");
        check("plain text", "plain text");
        check("", "");
    }

    #[test]
    fn some_values_are_secret_whatever_they_are_called() {
        let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n";
        let document = serde_json::json!({ "value": key, "a": ["b", key] }).to_string();
        check(&document, r#"{"a":["b","******"],"value":"******"}"#);
        check(&format!("<a b=\"{key}\">{key}<c/></a>"), "<a b=\"******\">******<c/></a>");
        check(&format!("a=1&value={key}"), HIDDEN);
        assert_eq!(form(&format!("a=1&value={key}")), "a=1&value=******");
        check(key, HIDDEN);
        for secret in [r#"{"id": 8, "password1": "s3cret"}"#, "<a><token>s3cret</token></a>", &*document] {
            let wrapped = BASE64_STANDARD.encode(secret);
            check(&format!(r#"{{"payload":"{wrapped}"}}"#), r#"{"payload":"******"}"#);
            check(&format!("<a><payload>{wrapped}</payload></a>"), "<a><payload>******</payload></a>");
            let twice = BASE64_STANDARD.encode(format!(r#"{{"payload":"{wrapped}"}}"#));
            check(&format!(r#"{{"payload":"{twice}"}}"#), r#"{"payload":"******"}"#);
        }
        let harmless = format!(r#"{{"payload":"{}"}}"#, BASE64_STANDARD.encode(r#"{"id": 8}"#));
        check(&harmless, &harmless);
    }

    #[test]
    fn a_message_without_secrets_is_kept_as_it_is() {
        assert_eq!(without_secrets(br#"{"b": 1,  "a": [2]}"#), r#"{"b": 1,  "a": [2]}"#);
        assert_eq!(without_secrets(br#"{"b": 1,  "token": [2]}"#), r#"{"b":1,"token":"******"}"#);
        assert_eq!(without_secrets(br#"{"b": {"token": 1},  "b": 2}"#), r#"{"b":2}"#);
        assert_eq!(without_secrets(b"<a> <b/></a>"), "<a> <b/></a>");
        assert_eq!(without_secrets(b"password=x&y=1"), "password=******&y=1");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let shown = payload("ż".repeat(MAXIMUM_TEXT).as_bytes());
        assert!(shown.ends_with(".. (32768 bytes in all)"), "{}", &shown[shown.len() - 40..]);
    }

    #[test]
    fn headers_with_credentials_are_hidden() {
        let mut map = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Basic eDp5"),
            ("x-zato-password", "x"),
            ("x_api_key", "x"),
            ("set-cookie", "a=b"),
            ("accept", "*/*"),
        ] {
            map.insert(name, value.parse().unwrap());
        }
        let shown: Vec<(&str, Cow<'_, str>)> = headers(&map);
        let hidden = ["authorization", "x-zato-password", "x_api_key", "set-cookie"];
        let mut expected: Vec<(&str, Cow<'_, str>)> = hidden.map(|name| (name, HIDDEN.into())).to_vec();
        expected.push(("accept", "*/*".into()));
        assert_eq!(shown, expected);
    }

    proptest! {
        #[test]
        fn any_body_can_be_shown(body in prop::collection::vec(any::<u8>(), 0..200)) {
            payload(&body);
        }

        #[test]
        fn secrets_of_any_form_are_hidden(before in "[a-z]{0,3}", secret in "S3cret[a-zA-Zż<>&;\"' ]{0,9}", after in "[a-z]{0,3}") {
            let name = format!("{before}Token{after}");
            let json = serde_json::json!({"a": [{ name.as_str(): { "b": secret.as_str() } }]});
            let mut xml = format!("<a><{name} b='1'><c>").into_bytes();
            zato_xml::escape::text(&secret, &mut xml);
            xml.extend_from_slice(format!("</c><{name}/></{name}></a>").as_bytes());
            for body in [json.to_string().into_bytes(), xml] {
                let shown = payload(&body);
                prop_assert!(shown.contains(HIDDEN) && !shown.contains("S3cret"), "{shown}");
            }
        }
    }
}
