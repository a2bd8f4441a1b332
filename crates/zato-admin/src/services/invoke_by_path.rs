//! The service behind `/zato/api/invoke/{service}`: runs the service that the URL names.
//!
//! Owns what such a call's input is made of and its bare reply. It must not know any target.

use std::borrow::Cow;

use serde_json::{Map, Value};
use zato_service::{Context, Description, Error, Input, Precedence, Raw, RawInput, Service};

use crate::target::reply_json;

/// Takes the target's input as JSON in the body, or as parameters of the query string, which win over namesakes in the
/// body. Replies with the target's payload as JSON and nothing around it; `{}` if there is no payload.
pub(crate) struct InvokeByPath;

/// Its name. It is no service of the catalogue: it can be reached through its channel only.
pub(crate) const NAME: &str = "zato.service.invoke-by-path";
/// What the channel's path captures.
pub(crate) const PLACEHOLDER: &str = "service";

impl Service for InvokeByPath {
    type Input = RawInput;
    type Output = Raw;

    fn description(&self) -> Description {
        Description::internal(NAME).response_element(None::<String>).without_json_envelope()
    }

    async fn handle(&self, cx: &mut Context, request: RawInput) -> Result<Raw, Error> {
        let captured = cx.origin().path_parameters.iter().find(|(name, _)| **name == *PLACEHOLDER);
        let (_, target) = captured.ok_or_else(|| Error::bad_request("The URL names no service"))?;
        let query = cx.origin().request.as_ref().and_then(|request| request.uri.query()).unwrap_or_default();
        let payload = if request.body.is_empty() { Input::Empty } else { Input::Json(&request.body) };
        let output = if query.is_empty() {
            cx.invoke_with(target, payload).await?
        } else {
            let elements = elements(query);
            let precedence = Precedence::Elements;
            cx.invoke_with(target, Input::With { payload: &payload, elements: &elements, precedence }).await?
        };
        let reply = reply_json(&*output)?;
        Ok(Raw::json(if reply == b"null" { b"{}".to_vec() } else { reply }))
    }
}

/// The parameters of a query string: a text each, or a list of texts for one that is repeated.
fn elements(query: &str) -> Map<String, Value> {
    let mut elements = Map::new();
    for (name, value) in query.split('&').filter(|field| !field.is_empty()).map(field) {
        let value = Value::from(value);
        match elements.get_mut(&*name) {
            None => {
                elements.insert(name.into_owned(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    elements
}

fn field(field: &str) -> (Cow<'_, str>, String) {
    let (name, value) = field.split_once('=').unwrap_or((field, ""));
    (unescape(name), unescape(value).into_owned())
}

fn unescape(text: &str) -> Cow<'_, str> {
    let spaced = if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    match spaced {
        Cow::Borrowed(text) => percent_encoding::percent_decode_str(text).decode_utf8_lossy(),
        Cow::Owned(text) => {
            Cow::Owned(percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parameters_of_the_query_string() {
        let check =
            |query: &str, expected: &Value| assert_eq!(&Value::Object(elements(query)), expected, "{query}");
        check("&", &json!({}));
        check("id=2", &json!({"id": "2"}));
        check("a=1&b=&c", &json!({"a": "1", "b": "", "c": ""}));
        check("a=1&a=2&a=3", &json!({"a": ["1", "2", "3"]}));
        check("a+b=c%20d%2B%C5%BC&e=%", &json!({"a b": "c d+ż", "e": "%"}));
    }
}
