//! Example messages: the ones that documents show. Their values are those of the catalogue, or stand for the type
//! where it has none.

use super::json::Json;
use super::model::{Element, Kind, Literal, Service, Shape};

/// A correlation ID in the default form.
pub(super) const CID: &str = "K26953467911284063757430145024";

/// The value of one element.
pub(super) fn value(element: &Element) -> Json {
    match &element.example {
        Some(Literal::Boolean(value)) => Json::Boolean(*value),
        Some(Literal::Integer(value)) => Json::Integer(*value),
        Some(Literal::Float(value)) => Json::Float(*value),
        Some(Literal::Text(value)) => Json::Text(value.clone()),
        Some(Literal::List(values)) => Json::texts(values.iter().map(String::as_str)),
        None => match element.kind {
            Kind::Text | Kind::AsIs => Json::from("..."),
            Kind::Integer => Json::Integer(1),
            Kind::Boolean => Json::Boolean(true),
            Kind::Float => Json::Float(0.5),
            Kind::Datetime => Json::from("2026-01-31T12:00:00"),
            Kind::Csv => Json::from("a,b"),
            Kind::List => Json::texts(["a", "b"]),
            Kind::Dict | Kind::Nested => Json::object([("key", Json::from("value"))]),
            Kind::ListOfDicts => Json::Array(vec![Json::object([("key", Json::from("value"))])]),
        },
    }
}

/// The body of a JSON request: all required elements, and the optional ones that have an example.
pub(super) fn request(service: &Service) -> Json {
    let shown = service.input.iter().filter(|element| element.required || element.example.is_some());
    Json::Object(shown.map(|element| (element.name.clone(), value(element))).collect())
}

/// The body of a JSON reply; none if there is no telling what it is.
pub(super) fn reply(service: &Service) -> Option<Json> {
    let mut reply = Json::Object(Vec::new());
    if service.is_enveloped() {
        let env = Json::object([
            ("details", Json::from("")),
            ("result", Json::from("ZATO_OK")),
            ("cid", Json::from(CID)),
        ]);
        reply = reply.with("zato_env", env);
    }
    let item =
        || Json::Object(service.output.iter().map(|output| (output.name.clone(), value(output))).collect());
    match service.shape {
        Shape::Raw => None,
        Shape::None => (service.envelope || !service.public).then_some(reply),
        Shape::Single if !service.public => Some(item()),
        Shape::List if !service.public => Some(Json::Array(vec![item()])),
        Shape::Single => Some(reply.with(&service.response, item())),
        Shape::List => Some(reply.with(&service.response, Json::Array(vec![item()]))),
    }
}

/// The SOAP request with the same values as the JSON one.
pub(super) fn soap_request(service: &Service) -> String {
    let mut children = String::new();
    for element in service.input.iter().filter(|element| element.required || element.example.is_some()) {
        children.push_str(&format!(
            "      <zato:{name}>{value}</zato:{name}>\n",
            name = element.name,
            value = xml(&value(element), "zato:")
        ));
    }
    let name = &service.request;
    let body = if children.is_empty() {
        format!("    <zato:{name}/>\n")
    } else {
        format!("    <zato:{name}>\n{children}    </zato:{name}>\n")
    };
    format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"\n    \
         xmlns:zato=\"https://zato.io/ns/20130518\">\n  \
         <soapenv:Body>\n{body}  </soapenv:Body>\n</soapenv:Envelope>\n"
    )
}

fn xml(value: &Json, prefix: &str) -> String {
    match value {
        Json::Boolean(value) => value.to_string(),
        Json::Integer(value) => value.to_string(),
        Json::Float(value) => value.to_string(),
        Json::Text(value) => escape(value),
        Json::Array(values) => {
            values.iter().map(|item| format!("<{prefix}item>{}</{prefix}item>", xml(item, prefix))).collect()
        }
        Json::Object(entries) => entries
            .iter()
            .map(|(key, value)| {
                format!(
                    "<{prefix}item><{prefix}key>{}</{prefix}key><{prefix}value>{}</{prefix}value></{prefix}item>",
                    escape(key),
                    xml(value, prefix)
                )
            })
            .collect(),
    }
}

/// Text as the content of an XML element or attribute.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
