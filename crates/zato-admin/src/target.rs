//! What services that run other services share: how a reply becomes JSON.
//!
//! Owns nothing of how a target is found.

use zato_service::{Error, Output};

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
