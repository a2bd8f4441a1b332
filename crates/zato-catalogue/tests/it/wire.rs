//! Typed messages on the wire: the decoders and encoders of SimpleIO do to them what the API promises.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use zato_catalogue::{Call, Shape};

use crate::requests::{object, value};

/// The same message with all numbers and booleans as text, as many clients send it.
fn as_text(message: &Value) -> Value {
    match message {
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), as_text(value))).collect())
        }
        Value::Number(number) => Value::String(number.to_string()),
        Value::Bool(boolean) => Value::String(boolean.to_string()),
        other => other.clone(),
    }
}

/// What the message looks like as the content of a SOAP body.
fn xml(message: &impl Serialize) -> String {
    let mut out = Vec::new();
    zato_sio::to_xml(message, &mut out).expect("typed messages are made of types that XML has");
    String::from_utf8(out).expect("XML is written in UTF-8")
}

fn from_xml<T: DeserializeOwned>(text: &str) -> T {
    let document = zato_xml::parse(text, &zato_xml::Limits::default())
        .unwrap_or_else(|error| panic!("{error} in {text}"));
    zato_sio::from_xml(document.root_element()).unwrap_or_else(|error| panic!("{error} in {text}"))
}

fn check<C: Call>() {
    let service = C::SERVICE;
    for only_required in [true, false] {
        let message = object(service.input, only_required);
        let request: C = serde_json::from_value(message.clone()).expect("the message fits its descriptor");
        let lenient: C = zato_sio::from_json(as_text(&message).to_string().as_bytes())
            .unwrap_or_else(|error| panic!("{}: {error}", service.name));
        assert_eq!(json!(lenient), message, "{}", service.name);
        assert_eq!(json!(from_xml::<C>(&xml(&request))), message, "{}", service.name);
    }
    let item =
        Value::Object(service.output.iter().map(|output| (output.name.to_owned(), value(output))).collect());
    let message = match service.shape {
        Shape::List => json!([item]),
        Shape::Single => item,
        _ => return,
    };
    let response: C::Response = serde_json::from_value(message).expect("the message fits its descriptor");
    let text = xml(&response);
    let document = zato_xml::parse(&text, &zato_xml::Limits::default())
        .unwrap_or_else(|error| panic!("{error} in {text}"));
    let mut root = document.root_element();
    if service.shape == Shape::List {
        assert_eq!(root.tag_name().name(), "item_list");
        root = root.first_element_child().expect("there is one item");
    }
    assert_eq!(root.tag_name().name(), "item");
    let names: Vec<_> = root.children().map(|child| child.tag_name().name().to_owned()).collect();
    let expected: Vec<_> = service.output.iter().map(|output| output.name).collect();
    assert_eq!(names, expected, "{}: the WSDL promises this order", service.name);
}

#[test]
fn requests_are_read_from_text_and_from_xml_and_replies_are_in_order() {
    macro_rules! check_all {
        (() typed { $($request:ty,)* } raw { $($raw:ty,)* }) => { $(check::<$request>();)* };
    }
    zato_catalogue::for_each_built_service!(check_all);
}

#[test]
fn no_security_is_no_security_however_it_is_said() {
    use zato_catalogue::http_soap::create::Request;

    let base = r#""cluster_id":1,"name":"n","is_active":true,"connection":"channel","transport":"soap","is_internal":0,"url_path":"/""#;
    for security in ["", r#","security_id":null"#, r#","security_id":"""#, r#","security_id":"ZATO_NONE""#] {
        let request: Request = zato_sio::from_json(format!("{{{base}{security}}}").as_bytes()).unwrap();
        assert_eq!(request.security_id, None, "{security}");
    }
    let request: Request =
        zato_sio::from_json(format!("{{{base},\"security_id\":\" 7 \"}}").as_bytes()).unwrap();
    assert_eq!(request.security_id, Some(7));
}
