//! What of a message the audit log must not show.
//!
//! Owns how the patterns of a channel are applied, and what becomes of a message that they can't be applied to. It must
//! not know where the patterns are stored.

use serde_json::Value;
use zato_channel::{JsonPointer, XPathExpression};
use zato_sio::check_names;

use crate::mask;

/// Instead of a message of which nobody can say what has to be hidden.
const NOT_KEPT: &str = "(not kept, because it can't be searched for what has to be hidden)";

/// What has to be hidden besides what is secret by its name.
#[derive(Debug, Default)]
pub(crate) struct Hidden {
    /// Places in JSON documents.
    pub(crate) pointers: Vec<JsonPointer>,
    /// Places in XML documents.
    pub(crate) xpaths: Vec<XPathExpression>,
    /// Whether there is a pattern that can't be used any more: nothing is kept then.
    pub(crate) is_broken: bool,
}

impl Hidden {
    /// A message as the log keeps it, cut to a number of bytes unless that is 0.
    ///
    /// Documents of JSON and XML are searched by their patterns, and forms by the names of their fields. A message that
    /// looks like a document without being one, such as the beginning of a longer one, is not kept, nor is one that the channel's
    /// patterns mean nothing to: what should be hidden could stand anywhere in it.
    pub(crate) fn kept(&self, message: &[u8], limit: usize) -> Vec<u8> {
        let shown = if message.is_empty() {
            String::new()
        } else {
            self.searched(message).unwrap_or_else(|| NOT_KEPT.to_owned())
        };
        cut(shown, limit)
    }

    fn searched(&self, message: &[u8]) -> Option<String> {
        if self.is_broken {
            return None;
        }
        if let Ok(document) = serde_json::from_slice::<Value>(message) {
            return self.json(message, &document);
        }
        let text = String::from_utf8_lossy(message);
        if text.trim_start().starts_with('<') {
            return self.xml(&text);
        }
        let is_other = !text.trim_start().starts_with(['{', '[']) && !self.has_patterns();
        is_other.then(|| mask::form(&text))
    }

    fn json(&self, message: &[u8], document: &Value) -> Option<String> {
        if self.pointers.is_empty() && self.has_patterns() {
            return None;
        }
        let mut hidden = document.clone();
        for pointer in &self.pointers {
            pointer.hide(&mut hidden, mask::HIDDEN);
        }
        let hidden = mask::value(hidden);
        if hidden == *document && check_names(message).is_ok() {
            // Without a secret, and with nothing in it that wasn't looked at, the message is kept as it was written.
            return Some(String::from_utf8_lossy(message).into_owned());
        }
        Some(hidden.to_string())
    }

    fn xml(&self, text: &str) -> Option<String> {
        if self.xpaths.is_empty() && self.has_patterns() {
            return None;
        }
        let hidden = match &*self.xpaths {
            [] => None,
            xpaths => Some(XPathExpression::hide(xpaths, text, mask::HIDDEN).ok()?),
        };
        mask::xml(hidden.as_deref().unwrap_or(text))
    }

    fn has_patterns(&self) -> bool {
        !self.pointers.is_empty() || !self.xpaths.is_empty()
    }
}

/// At most so many bytes of a text, or all of them if the limit is 0.
fn cut(mut text: String, limit: usize) -> Vec<u8> {
    if limit > 0 {
        text.truncate(text.floor_char_boundary(limit));
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hidden(pointers: &[&str], xpaths: &[&str]) -> Hidden {
        Hidden {
            pointers: pointers.iter().map(|pointer| pointer.parse().unwrap()).collect(),
            xpaths: xpaths.iter().map(|xpath| XPathExpression::new(xpath, []).unwrap()).collect(),
            is_broken: false,
        }
    }

    #[track_caller]
    fn check(hidden: &Hidden, message: &str, expected: &str) {
        let shown = String::from_utf8(hidden.kept(message.as_bytes(), 0)).unwrap();
        assert_eq!(shown, expected, "{message}");
    }

    #[test]
    fn patterns_are_applied_to_documents_of_their_kind() {
        let both = hidden(&["/card/pin", "/id"], &["//pin", "//@id"]);
        check(&both, r#"{"card": {"pin": 1, "no": 2}}"#, r#"{"card":{"no":2,"pin":"******"}}"#);
        check(&both, r#"{"card": 1,  "Password": "x"}"#, r#"{"Password":"******","card":1}"#);
        check(
            &both,
            "<a id='1'><pin>2</pin><token>3</token></a>",
            "<a id=\"******\"><pin>******</pin><token>******</token></a>",
        );
        check(&both, r#"{"card":  1}"#, r#"{"card":  1}"#);
        check(&both, r#"{"card": {"pin": 1}, "card":  2}"#, r#"{"card":2}"#);
        check(&both, r#"{"x": {"password": 1}, "x":  2}"#, r#"{"x":2}"#);
        check(&both, "<a> <b/></a>", "<a> <b/></a>");
        check(&both, "", "");
    }

    #[test]
    fn what_cannot_be_searched_is_not_kept() {
        let (none, pointers, xpaths) = (Hidden::default(), hidden(&["/pin"], &[]), hidden(&[], &["//pin"]));
        for message in [
            r#"{"pin": 1"#,
            "[",
            "[1, 2, ",
            r#" {"token": "1"#,
            "<a>",
            "<a><token>1",
            "<!DOCTYPE a><a/>",
            " {",
        ] {
            check(&none, message, NOT_KEPT);
            check(&pointers, message, NOT_KEPT);
        }
        check(&none, "pin,1\n2", "pin,1\n2");
        check(&none, "pin=1&password=2", "pin=1&password=******");
        for message in ["pin,1\n2", "<a><pin>1</pin></a>"] {
            check(&pointers, message, NOT_KEPT);
        }
        for message in ["pin=1", r#"{"pin": 1}"#] {
            check(&xpaths, message, NOT_KEPT);
        }
        check(&Hidden { is_broken: true, ..Hidden::default() }, "{}", NOT_KEPT);
    }

    #[test]
    fn messages_are_cut_after_they_were_searched() {
        let hidden = hidden(&["/pin"], &[]);
        let message = r#"{"a":"żółw","pin":"1234"}"#.as_bytes();
        assert_eq!(hidden.kept(message, 0), r#"{"a":"żółw","pin":"******"}"#.as_bytes());
        assert_eq!(hidden.kept(message, 7), r#"{"a":""#.as_bytes());
        assert_eq!(hidden.kept(message, 8), r#"{"a":"ż"#.as_bytes());
        assert_eq!(hidden.kept(message, 1000), hidden.kept(message, 0));
    }

    proptest! {
        #[test]
        fn any_message_can_be_shown(message in prop::collection::vec(any::<u8>(), 0..100), limit in 0_usize..40) {
            for hidden in [Hidden::default(), hidden(&["/a"], &["//a"])] {
                let shown = hidden.kept(&message, limit);
                prop_assert!(limit == 0 || shown.len() <= limit);
            }
        }

        #[test]
        fn a_hidden_member_is_never_shown(secret in "S3cret[a-z\"\\\\ ż]{0,9}", limit in 0_usize..200) {
            let message = serde_json::json!({"a": 1, "card": {"pin": secret, "x": [secret.as_str()]}}).to_string();
            let shown = hidden(&["/card"], &[]).kept(message.as_bytes(), limit);
            prop_assert!(!String::from_utf8_lossy(&shown).contains("S3c"));
        }
    }
}
