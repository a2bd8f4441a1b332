//! Parameters of a request's URL as elements of a service's input.
//!
//! Owns their collection and which of two of the same name counts. It must not know how a message is decoded: the
//! elements are handed over beside it.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use zato_service::{Origin, Precedence};

/// What becomes of the parameters in a request's URL: those of the query string, and what the channel's path captures.
///
/// Services that read bodies themselves never see them as input, only as the origin of their call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UrlParameters {
    /// Whether they count as elements of the service's input. They do by default.
    pub are_input: bool,
    /// Which of two parameters of the same name counts. That of the query string does by default.
    pub over: ParameterPrecedence,
    /// Which of a parameter and an element of the message counts. The parameter does by default.
    pub message: Precedence,
}

/// Which of two parameters of the same name counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ParameterPrecedence {
    /// That of the query string.
    #[default]
    Query,
    /// That of the path.
    Path,
}

impl Default for UrlParameters {
    fn default() -> Self {
        Self { are_input: true, over: ParameterPrecedence::default(), message: Precedence::default() }
    }
}

impl UrlParameters {
    /// The parameters of a call, if it has some and they count.
    pub(crate) fn elements(self, origin: &Origin) -> Option<Map<String, Value>> {
        let query = origin.request.as_ref().and_then(|request| request.uri.query()).unwrap_or_default();
        if !self.are_input || (query.is_empty() && origin.path_parameters.is_empty()) {
            return None;
        }
        let mut elements = query_elements(query);
        for (name, value) in &origin.path_parameters {
            if self.over == ParameterPrecedence::Path || !elements.contains_key(&**name) {
                elements.insert(name.as_ref().to_owned(), value.as_str().into());
            }
        }
        Some(elements)
    }
}

/// The parameters of a query string: a text each, or a list of texts for one that is repeated.
pub fn query_elements(query: &str) -> Map<String, Value> {
    let mut elements = Map::new();
    for (name, value) in query.split('&').filter(|pair| !pair.is_empty()).map(pair) {
        match elements.get_mut(&*name) {
            None => {
                elements.insert(name.into_owned(), value.into());
            }
            Some(Value::Array(values)) => values.push(value.into()),
            Some(first) => *first = Value::from(vec![first.take(), value.into()]),
        }
    }
    elements
}

/// Splits `name=value` of a query string.
fn pair(pair: &str) -> (Cow<'_, str>, String) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    (decoded(name), decoded(value).into_owned())
}

fn decoded(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let text = text.replace('+', " ");
        Cow::Owned(percent_decode_str(&text).decode_utf8_lossy().into_owned())
    } else {
        percent_decode_str(text).decode_utf8_lossy()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(
        parameters: UrlParameters,
        uri: &str,
        captured: &[(&str, &str)],
        expected: impl Into<Option<Value>>,
    ) {
        let (request, ()) = http::Request::get(uri).body(()).unwrap().into_parts();
        let path_parameters =
            captured.iter().map(|(name, value)| ((*name).into(), (*value).to_owned())).collect();
        let origin = Origin { request: Some(request), path_parameters, ..Origin::default() };
        assert_eq!(parameters.elements(&origin).map(Value::Object), expected.into(), "{uri}");
    }

    #[test]
    fn parameters_become_elements() {
        let all = UrlParameters::default();
        check(all, "/", &[], None);
        check(all, "/?", &[], None);
        check(all, "/?a=1&b=&c&&d=%C5%BC+%2B", &[], json!({"a": "1", "b": "", "c": "", "d": "\u{17c} +"}));
        check(all, "/?a=1&a=2&a=3", &[], json!({"a": ["1", "2", "3"]}));
        check(all, "/?a=%FF", &[], json!({"a": "\u{FFFD}"}));
        check(all, "/?a=1", &[("a", "2"), ("b", "3")], json!({"a": "1", "b": "3"}));
        let path = UrlParameters { over: ParameterPrecedence::Path, ..all };
        check(path, "/?a=1&c=4", &[("a", "2"), ("b", "3")], json!({"a": "2", "b": "3", "c": "4"}));
        check(UrlParameters { are_input: false, ..all }, "/?a=1", &[("b", "3")], None);
    }
}
