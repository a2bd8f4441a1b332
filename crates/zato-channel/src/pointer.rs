//! JSON Pointers, RFC 6901.
//!
//! Owns their syntax, which `serde_json` does not check, and hiding what one points to. It must not know why something is
//! hidden.

use std::str::FromStr;

use serde_json::Value;

/// A place in a JSON document.
///
/// ```
/// use serde_json::json;
/// use zato_channel::JsonPointer;
///
/// let pin: JsonPointer = "/cards/0/pin".parse()?;
/// let mut document = json!({"cards": [{"pin": "1234"}]});
/// pin.hide(&mut document, "***");
/// assert_eq!(document, json!({"cards": [{"pin": "***"}]}));
/// # Ok::<(), zato_channel::InvalidJsonPointer>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPointer(Box<str>);

/// A text is no JSON Pointer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no JSON Pointer of RFC 6901: it must be empty or begin with a slash, and have a 0 or 1 after each tilde"
)]
pub struct InvalidJsonPointer(String);

impl FromStr for JsonPointer {
    type Err = InvalidJsonPointer;

    fn from_str(text: &str) -> Result<Self, InvalidJsonPointer> {
        let begins = text.is_empty() || text.starts_with('/');
        let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        if begins && escapes { Ok(Self(text.into())) } else { Err(InvalidJsonPointer(text.to_owned())) }
    }
}

impl JsonPointer {
    /// Puts `instead` in the place, if the document has it.
    pub fn hide(&self, document: &mut Value, instead: &str) {
        if let Some(place) = document.pointer_mut(&self.0) {
            *place = instead.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(pointer: &str, expected: &Value) {
        let mut document = json!({"a": [1, {"b": 2}], "c/d": 3, "e~f": 4, "": 5, "01": 6});
        pointer.parse::<JsonPointer>().unwrap().hide(&mut document, "*");
        assert_eq!(&document, expected, "{pointer}");
    }

    #[test]
    fn what_is_pointed_to_is_hidden() {
        let whole = || json!({"a": [1, {"b": 2}], "c/d": 3, "e~f": 4, "": 5, "01": 6});
        let with = |name: &str| {
            let mut document = whole();
            document[name] = "*".into();
            document
        };
        check("/a", &with("a"));
        check("/a/1/b", &json!({"a": [1, {"b": "*"}], "c/d": 3, "e~f": 4, "": 5, "01": 6}));
        check("/c~1d", &with("c/d"));
        check("/e~0f", &with("e~f"));
        check("/", &with(""));
        check("", &json!("*"));
        for nothing in ["/a/01", "/a/-", "/a/2", "/b", "/a/0/x"] {
            check(nothing, &whole());
        }
    }

    #[test]
    fn what_is_no_pointer() {
        for text in ["a", "a/b", "/a~", "/a~2", "~0", " /a"] {
            let error = text.parse::<JsonPointer>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` is no JSON Pointer of RFC 6901")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn every_member_can_be_pointed_to(name in "[a~/01 ż]{0,6}", other in "[b-z]{1,6}") {
            let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            let mut document = json!({ name.as_str(): "S3cret", other.as_str(): 1 });
            pointer.parse::<JsonPointer>().unwrap().hide(&mut document, "*");
            prop_assert_eq!(document, json!({ name.as_str(): "*", other.as_str(): 1 }));
        }

        #[test]
        fn any_text_is_a_pointer_or_none(text in "[a~/01]{0,9}") {
            if let Ok(pointer) = text.parse::<JsonPointer>() {
                pointer.hide(&mut json!({"a": ["1"]}), "*");
            }
        }
    }
}
