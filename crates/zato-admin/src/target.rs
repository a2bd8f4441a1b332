//! What services that run other services share: which payloads mean no input, and how a reply becomes JSON.
//!
//! Owns nothing of how a target is found.

use zato_service::{Error, Output};

/// Whether a JSON payload stands for no input at all. Clients that have nothing to send send an empty text or `null`.
pub(crate) fn is_no_input(payload: &[u8]) -> bool {
    matches!(payload.trim_ascii(), b"" | b"null" | b"\"\"")
}

/// A reply as a JSON document; `null` if there is no payload. A raw reply that isn't JSON becomes a JSON text.
pub(crate) fn reply_json(output: &dyn Output) -> Result<Vec<u8>, Error> {
    let mut document = Vec::new();
    match output.raw() {
        None => output.write_json(&mut document)?,
        Some(raw) if raw.body.is_empty() => document.extend_from_slice(b"null"),
        Some(_) => document = serde_json::to_vec(&output.to_value()?)?,
    }
    Ok(document)
}

#[cfg(test)]
mod tests {
    use zato_service::Raw;

    use super::*;

    #[test]
    fn no_input() {
        for payload in ["", " ", "null", "\"\"", " \"\"\n"] {
            assert!(is_no_input(payload.as_bytes()), "{payload:?}");
        }
        for payload in ["{}", "[]", "\" \"", "0", "nul"] {
            assert!(!is_no_input(payload.as_bytes()), "{payload:?}");
        }
    }

    #[test]
    fn replies_are_json() {
        let check = |output: &dyn Output, expected: &str| {
            assert_eq!(String::from_utf8(reply_json(output).unwrap()).unwrap(), expected);
        };
        check(&(), "null");
        check(&vec![1, 2], "[1,2]");
        check(&Raw::default(), "null");
        check(&Raw::new("{\"a\": 1}"), "{\"a\":1}");
        check(&Raw::new("a\"b"), "\"a\\\"b\"");
    }
}
