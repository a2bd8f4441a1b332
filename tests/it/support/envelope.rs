//! The two envelopes of the public API, as its documentation shows them: requests are written, replies are read.
//!
//! Owns what is the same in every call. What a service answers is the tests' business.

use std::fmt::Write as _;

use roxmltree::{Document, Node};
use serde_json::{Map, Value};

use super::api::Format;
use super::http::Reply;

pub(crate) const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
pub(crate) const ZATO: &str = "https://zato.io/ns/20130518";

/// What a call came to.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) cid: String,
    /// What the reply warns of.
    pub(crate) warning: Option<String>,
    pub(crate) outcome: Result<Value, Failure>,
}

/// An error reply.
#[derive(Debug)]
pub(crate) struct Failure {
    /// `Client` or `Server`, in SOAP only.
    pub(crate) code: Option<String>,
    /// The report.
    pub(crate) details: String,
}

impl Answer {
    /// The payload of a call that must have succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        match self.outcome {
            Ok(payload) => {
                assert_eq!(self.status, 200);
                payload
            }
            Err(failure) => panic!("status {}: {}", self.status, failure.details),
        }
    }

    /// The report of a call that must have failed with a status, and with all of these texts in the report.
    #[track_caller]
    pub(crate) fn error(self, status: u16, texts: &[&str]) -> String {
        match self.outcome {
            Ok(payload) => panic!("no error but {payload}"),
            Err(failure) => {
                assert_eq!(self.status, status, "{}", failure.details);
                for text in texts {
                    assert!(failure.details.contains(text), "no [{text}] in: {}", failure.details);
                }
                failure.details
            }
        }
    }
}

/// The element around a service's requests. Services that the catalogue does not know take any.
fn request_element(service: &str) -> &str {
    zato_catalogue::by_name(service).map_or("request", |service| service.request_element)
}

/// The element around a service's replies.
fn response_element(service: &str) -> &str {
    zato_catalogue::by_name(service).map_or("response", |service| service.response_element)
}

/// A SOAP request of the form that the documentation shows.
pub(crate) fn soap_request(service: &str, input: &Value) -> String {
    let root = request_element(service);
    let mut elements = String::new();
    for (name, value) in input.as_object().expect("the input is an object") {
        write_element(&mut elements, name, value);
    }
    soap_envelope(&format!("<zato:{root}>{elements}</zato:{root}>"))
}

/// An envelope with the prefix `zato` declared.
pub(crate) fn soap_envelope(body: &str) -> String {
    format!(
        r#"<soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns:zato="{ZATO}"><soapenv:Header/><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"#
    )
}

fn write_element(out: &mut String, name: &str, value: &Value) {
    let result = match value {
        Value::Null => Ok(()),
        Value::Array(items) => {
            let items: String =
                items.iter().map(|item| format!("<zato:item>{}</zato:item>", text(item))).collect();
            write!(out, "<zato:{name}>{items}</zato:{name}>")
        }
        scalar => write!(out, "<zato:{name}>{}</zato:{name}>", escape(&text(scalar))),
    };
    result.expect("a string takes all that is written");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A scalar as XML has it: the common form in which replies of both formats are compared.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Fails the test unless the object has these elements with these values; others are free.
///
/// Values are compared as they are in JSON, and as texts in XML.
#[track_caller]
pub(crate) fn includes(format: Format, actual: &Value, expected: &Value) {
    for (name, expected) in expected.as_object().expect("expected elements are an object") {
        let found = actual.get(name).unwrap_or_else(|| panic!("no {name} in {actual}"));
        match format {
            Format::Json => assert_eq!(found, expected, "{name} in {actual}"),
            Format::Soap => assert_eq!(text(found), text(expected), "{name} in {actual}"),
        }
    }
}

/// Reads a JSON reply.
#[track_caller]
pub(crate) fn read_json(service: &str, reply: &Reply) -> Answer {
    let document = reply.json();
    assert_eq!(reply.header("Content-Type"), "application/json");
    let answer =
        |outcome| Answer { status: reply.status, cid: reply.cid().to_owned(), warning: None, outcome };
    let env = document["zato_env"].as_object().unwrap_or_else(|| panic!("no zato_env: {document}"));
    assert_eq!(env["cid"], reply.cid(), "{document}");
    match env["result"].as_str() {
        Some("ZATO_OK") => {
            let details = env["details"].as_str().unwrap_or_default();
            let name = response_element(service);
            let keys: Vec<_> =
                document.as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect();
            assert!(keys.iter().all(|key| ["zato_env", "_meta", name].contains(key)), "{document}");
            let warning = remark(service, details);
            Answer { warning, ..answer(Ok(document.get(name).cloned().unwrap_or(Value::Null))) }
        }
        Some("ZATO_ERROR") => {
            assert_eq!(document.as_object().map(Map::len), Some(1), "{document}");
            let details = env["details"].as_str().unwrap().to_owned();
            answer(Err(Failure { code: None, details }))
        }
        _ => panic!("no result: {document}"),
    }
}

/// Reads a SOAP reply: the payload has texts only, since XML has no other scalars.
#[track_caller]
pub(crate) fn read_soap(service: &str, reply: &Reply) -> Answer {
    let document =
        Document::parse(reply.text()).unwrap_or_else(|error| panic!("no XML ({error}): {reply:?}"));
    let answer =
        |outcome| Answer { status: reply.status, cid: reply.cid().to_owned(), warning: None, outcome };
    let envelope = document.root_element();
    assert!(envelope.has_tag_name((SOAP, "Envelope")), "{}", reply.text());
    let body = child(envelope, (SOAP, "Body"));
    let content = body.first_element_child().unwrap_or_else(|| panic!("an empty Body: {}", reply.text()));
    if content.has_tag_name((SOAP, "Fault")) {
        return answer(Err(read_fault(content, reply)));
    }
    assert!(content.has_tag_name((ZATO, response_element(service))), "{}", reply.text());
    let env = content.first_element_child().expect("zato_env comes first");
    assert!(env.has_tag_name((ZATO, "zato_env")), "{}", reply.text());
    assert_eq!(child(env, (ZATO, "cid")).text(), Some(reply.cid()));
    assert_eq!(child(env, (ZATO, "result")).text(), Some("ZATO_OK"), "{}", reply.text());
    let details = env.children().find(|node| node.has_tag_name((ZATO, "details")));
    let warning = remark(service, details.and_then(|details| details.text()).unwrap_or_default());
    let payload = match env.next_sibling_element() {
        None => Value::Null,
        Some(item) if item.has_tag_name((ZATO, "item")) => read_item(item),
        Some(list) => {
            assert!(list.has_tag_name((ZATO, "item_list")), "{}", reply.text());
            list.children().filter(Node::is_element).map(read_item).collect()
        }
    };
    Answer { warning, ..answer(Ok(payload)) }
}

/// `faultstring` is `cid [..], faultstring [..]`.
#[track_caller]
fn read_fault(fault: Node<'_, '_>, reply: &Reply) -> Failure {
    let code = child(fault, "faultcode").text().unwrap_or_default();
    let code = code.strip_prefix("SOAP-ENV:").unwrap_or_else(|| panic!("faultcode [{code}]"));
    let text = child(fault, "faultstring").text().unwrap_or_default();
    let details = text
        .strip_prefix(&format!("cid [{}], faultstring [", reply.cid()))
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or_else(|| panic!("faultstring: {text}"));
    Failure { code: Some(code.to_owned()), details: details.to_owned() }
}

fn read_item(item: Node<'_, '_>) -> Value {
    assert!(item.has_tag_name((ZATO, "item")), "{item:?}");
    let elements = item.children().filter(Node::is_element);
    let pairs = elements.map(|element| {
        assert_eq!(element.tag_name().namespace(), Some(ZATO), "{element:?}");
        let is_nil = element.attribute(("http://www.w3.org/2001/XMLSchema-instance", "nil")) == Some("true");
        let value = if is_nil { Value::Null } else { element.text().unwrap_or_default().into() };
        (element.tag_name().name().to_owned(), value)
    });
    Value::Object(pairs.collect())
}

/// The details of a reply that is well, which one kind of objects has: those that are stored, and for which there is no client.
#[track_caller]
fn remark(service: &str, details: &str) -> Option<String> {
    assert!(details.is_empty() || service.contains("jms-wmq"), "{service}: {details}");
    (!details.is_empty()).then(|| details.to_owned())
}

#[track_caller]
fn child<'a, 'i, 'n>(node: Node<'a, 'i>, name: impl Into<roxmltree::ExpandedName<'n, 'n>>) -> Node<'a, 'i> {
    let name = name.into();
    node.children()
        .find(|child| child.has_tag_name(name))
        .unwrap_or_else(|| panic!("no {name:?} in {node:?}"))
}
