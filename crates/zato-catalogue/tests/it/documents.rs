//! The OpenAPI and WSDL documents: well-formed, complete, and free of dangling references.

use std::collections::BTreeSet;

use serde_json::Value;
use zato_catalogue::{OPENAPI, Service, WSDL, WSDL_ADDRESS, services, wsdl};

const WSDL_NAMESPACE: &str = "http://schemas.xmlsoap.org/wsdl/";
const SOAP_NAMESPACE: &str = "http://schemas.xmlsoap.org/wsdl/soap/";

fn built() -> impl Iterator<Item = &'static Service> {
    services().iter().copied().filter(|service| service.is_built())
}

#[test]
fn openapi_has_a_path_for_every_built_service() {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    let mut operations = BTreeSet::new();
    for service in built() {
        let folder = if service.public { "json" } else { "api/invoke" };
        let operation = &paths[&format!("/zato/{folder}/{}", service.name)]["post"];
        assert_eq!(operation["summary"], service.doc);
        assert_eq!(operation["tags"][0], service.family);
        assert!(operations.insert(operation["operationId"].as_str().unwrap()));
        for status in
            ["200", "400", "401", "403", "404", "409", "413", "415", "429", "500", "502", "503", "504"]
        {
            assert!(operation["responses"][status].is_object(), "{} {status}", service.name);
        }
    }
    assert_eq!(paths.len(), built().count() + 1, "there is one path more, /zato/ping");
}

#[test]
fn openapi_refers_to_what_is_there() {
    #[track_caller]
    fn check(document: &Value, value: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
                }
                members.values().for_each(|member| check(document, member));
            }
            Value::Array(items) => items.iter().for_each(|item| check(document, item)),
            _ => {}
        }
    }
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    check(&document, &document);
}

#[test]
fn wsdl_has_an_operation_for_every_built_public_service() {
    let document = roxmltree::Document::parse(WSDL).unwrap();
    let binding = document.descendants().find(|node| node.has_tag_name((WSDL_NAMESPACE, "binding"))).unwrap();
    let actions: BTreeSet<_> = binding
        .descendants()
        .filter(|node| node.has_tag_name((SOAP_NAMESPACE, "operation")))
        .map(|node| node.attribute("soapAction").unwrap())
        .collect();
    let expected: BTreeSet<_> =
        built().filter(|service| service.public).map(|service| service.name).collect();
    assert_eq!(actions, expected);
}

#[test]
fn wsdl_declares_each_element_once_and_refers_to_what_is_there() {
    let document = roxmltree::Document::parse(WSDL).unwrap();
    let schema = document.descendants().find(|node| node.tag_name().name() == "schema").unwrap();
    let mut globals = BTreeSet::new();
    for node in schema.children().filter(roxmltree::Node::is_element) {
        let key = (node.tag_name().name() == "element", node.attribute("name").unwrap());
        assert!(globals.insert(key), "{key:?} is declared twice");
    }
    let messages: BTreeSet<_> = document
        .descendants()
        .filter(|node| node.has_tag_name((WSDL_NAMESPACE, "message")))
        .map(|node| node.attribute("name").unwrap())
        .collect();
    for node in document.descendants() {
        for attribute in node.attributes() {
            let Some(name) = attribute.value().strip_prefix("tns:") else { continue };
            let found = match attribute.name() {
                "element" => globals.contains(&(true, name)),
                "message" => messages.contains(name),
                "type" if node.tag_name().name() == "binding" => name == "zato",
                "type" => globals.contains(&(false, name)),
                "binding" => name == "zato",
                other => panic!("{other} refers to {name}"),
            };
            assert!(found, "{} is not declared", attribute.value());
        }
    }
}

#[test]
fn the_address_is_replaced_and_escaped() {
    let text = wsdl("https://example.com/zato/soap?a=1&b=\"<2>\"");
    assert!(!text.contains(WSDL_ADDRESS));
    let document = roxmltree::Document::parse(&text).unwrap();
    let address = document.descendants().find(|node| node.has_tag_name((SOAP_NAMESPACE, "address"))).unwrap();
    assert_eq!(address.attribute("location"), Some("https://example.com/zato/soap?a=1&b=\"<2>\""));
}
