//! What a request says about the form of its body.
//!
//! Owns the few headers that matter before a body is read as text. It must not know data formats: the channel decides
//! those, whatever the request's media type is.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, header};

const SOAP_ACTION: HeaderName = HeaderName::from_static("soapaction");

/// Refuses text that is declared to be in another charset than UTF-8, and compressed bodies.
pub(crate) fn check(headers: &HeaderMap) -> Result<(), String> {
    for coding in headers.get_all(header::CONTENT_ENCODING) {
        let coding = coding.as_bytes().trim_ascii();
        if !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity") {
            let coding = String::from_utf8_lossy(coding);
            return Err(format!(
                "Content-Encoding `{}` is not supported; send the body as it is",
                shortened(&coding)
            ));
        }
    }
    let Some(media_type) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let Some(charset) = parameter(media_type, "charset") else { return Ok(()) };
    if ["utf-8", "utf8", "us-ascii", "ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known)) {
        Ok(())
    } else {
        Err(format!("Charset `{}` is not supported; all messages are in UTF-8", shortened(&charset)))
    }
}

/// The SOAP action that a request names, without quotes; empty for one that names none.
pub(crate) fn soap_action(headers: &HeaderMap) -> Cow<'_, str> {
    let Some(action) = headers.get(SOAP_ACTION) else { return Cow::Borrowed("") };
    let action = action.as_bytes();
    let unquoted = action.strip_prefix(b"\"").and_then(|action| action.strip_suffix(b"\"")).unwrap_or(action);
    String::from_utf8_lossy(unquoted)
}

/// The SOAP action where SOAP 1.2 has it: RFC 3902 makes it a parameter of the media type.
pub(crate) fn action_parameter(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    parameter(headers.get(header::CONTENT_TYPE)?, "action")
}

/// A parameter of a media type, unquoted. The syntax is that of RFC 9110, section 5.6.6; what isn't in it is skipped.
fn parameter<'a>(media_type: &'a HeaderValue, wanted: &str) -> Option<Cow<'a, str>> {
    let media_type = media_type.as_bytes();
    let start = media_type.iter().position(|byte| *byte == b';')?;
    let mut rest = &media_type[start..];
    while let Some(after) = rest.strip_prefix(b";") {
        let end = after.iter().position(|byte| matches!(byte, b'=' | b';')).unwrap_or(after.len());
        let name = after[..end].trim_ascii();
        let Some(value) = after[end..].strip_prefix(b"=") else {
            rest = &after[end..];
            continue;
        };
        let value = value.trim_ascii_start();
        let (value, after) = match value.strip_prefix(b"\"") {
            Some(quoted) => unquoted(quoted),
            None => {
                let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
                (String::from_utf8_lossy(value[..end].trim_ascii()), &value[end..])
            }
        };
        if name.eq_ignore_ascii_case(wanted.as_bytes()) {
            return Some(value);
        }
        let next = after.iter().position(|byte| *byte == b';').unwrap_or(after.len());
        rest = &after[next..];
    }
    None
}

/// A quoted string up to its closing quote, and what follows that.
fn unquoted(quoted: &[u8]) -> (Cow<'_, str>, &[u8]) {
    let mut value = Vec::new();
    let mut bytes = quoted.iter().enumerate();
    while let Some((place, byte)) = bytes.next() {
        match byte {
            b'"' => return (Cow::Owned(String::from_utf8_lossy(&value).into_owned()), &quoted[place + 1..]),
            b'\\' => value.extend(bytes.next().map(|(_, escaped)| *escaped)),
            other => value.push(*other),
        }
    }
    (Cow::Owned(String::from_utf8_lossy(&value).into_owned()), &[])
}

/// Enough of a caller's text to recognise it by.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    const MAXIMUM: usize = 300;
    match text.char_indices().nth(MAXIMUM) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_charset(content_type: &str, is_accepted: bool) {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, content_type.parse().unwrap())]);
        assert_eq!(check(&headers).is_ok(), is_accepted, "{content_type}");
    }

    #[test]
    fn utf_8_is_the_only_charset() {
        check_charset("application/json", true);
        check_charset("", true);
        check_charset("text/xml;charset=utf-8", true);
        check_charset("text/xml; a=b; Charset=\"UTF8\" ; c=d", true);
        check_charset("text/xml; charset=us-ascii", true);
        check_charset("text/xml; note=\"charset=latin1; \\\" charset=latin2\"; charset=utf-8", true);
        check_charset("text/xml; charset", true);
        check_charset("text/xml;;;", true);
        check_charset("text/xml; charset=iso-8859-1", false);
        check_charset("text/xml; charset=\"utf-16\"", false);
        check_charset("text/xml; note; charset=latin2", false);
        check_charset("text/xml; charset=", false);
    }

    #[test]
    fn compressed_bodies_are_refused() {
        let refusal = |coding: &str| {
            let headers = HeaderMap::from_iter([(header::CONTENT_ENCODING, coding.parse().unwrap())]);
            check(&headers).err()
        };
        assert_eq!(refusal("identity"), None);
        assert_eq!(refusal(" Identity"), None);
        assert_eq!(
            refusal("gzip").as_deref(),
            Some("Content-Encoding `gzip` is not supported; send the body as it is")
        );
    }

    #[track_caller]
    fn check_action(header: Option<&str>, expected: &str) {
        let headers = header.map(|action| ("soapaction".parse().unwrap(), action.parse().unwrap()));
        assert_eq!(soap_action(&HeaderMap::from_iter(headers)), expected, "{header:?}");
    }

    #[test]
    fn soap_actions_lose_a_pair_of_quotes() {
        check_action(None, "");
        check_action(Some(""), "");
        check_action(Some("\"\""), "");
        check_action(Some("\""), "\"");
        check_action(Some("zato.ping"), "zato.ping");
        check_action(Some("\"zato.ping\""), "zato.ping");
        check_action(Some("\"zato.ping"), "\"zato.ping");
        check_action(Some("zato.ping\""), "zato.ping\"");
        check_action(Some("\"\"zato.ping\"\""), "\"zato.ping\"");
    }

    #[test]
    fn soap_1_2_has_the_action_in_the_media_type() {
        let action = |content_type: &str| {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, content_type.parse().unwrap())]);
            action_parameter(&headers).map(Cow::into_owned)
        };
        assert_eq!(
            action("application/soap+xml; charset=utf-8; action=\"zato.ping\"").as_deref(),
            Some("zato.ping")
        );
        assert_eq!(action("application/soap+xml;action=urn:a;x=y").as_deref(), Some("urn:a"));
        assert_eq!(action("application/soap+xml; action=\"a\\\"b;c\"").as_deref(), Some("a\"b;c"));
        assert_eq!(action("application/soap+xml"), None);
    }

    #[test]
    fn long_texts_are_shortened_between_characters() {
        assert_eq!(shortened("short"), "short");
        let long = "ż".repeat(301);
        assert_eq!(shortened(&long), format!("{}…", "ż".repeat(300)));
    }
}
