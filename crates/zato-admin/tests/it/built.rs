//! Every built service, driven by the catalogue: it answers in JSON and in SOAP, wants what it declares as required, and
//! refuses values of other types.

use serde_json::{Value, json};
use zato_catalogue::{ElementType, Service, Shape};

use crate::server;
use crate::support::{House, with, without};

/// For each built service a request that succeeds.
async fn requests(house: &House) -> Vec<(&'static Service, Value)> {
    let channel = house.create("http-soap", house.channel("Table", "/table")).await;
    let doomed_channel = house.create("http-soap", house.channel("Doomed", "/doomed")).await;
    let definition = house.create("security.basic-auth", house.definition("Table")).await;
    let doomed_definition = house.create("security.basic-auth", house.definition("Doomed")).await;
    let cluster_id = house.cluster_id;
    let add =
        house.ok("zato.service.get-by-name", json!({"cluster_id": cluster_id, "name": "test.add"})).await;
    let doomed_server = server::another(house).await;
    let request = |service: &str| match service {
        "zato.http-soap.create" => house.channel("New", "/new"),
        "zato.http-soap.edit" => {
            with(without(house.channel("Edited", "/edited"), "is_internal"), "id", channel)
        }
        "zato.http-soap.delete" => json!({"id": doomed_channel}),
        "zato.http-soap.get-list" => {
            json!({"cluster_id": cluster_id, "connection": "channel", "transport": "plain_http"})
        }
        "zato.security.get-list" | "zato.security.basic-auth.get-list" => json!({"cluster_id": cluster_id}),
        "zato.security.basic-auth.create" => house.definition("New"),
        "zato.security.basic-auth.edit" => with(house.definition("Edited"), "id", definition),
        "zato.security.basic-auth.change-password" => {
            json!({"id": definition, "password1": "new", "password2": "new"})
        }
        "zato.security.basic-auth.delete" => json!({"id": doomed_definition}),
        "zato.server.get-by-id" => json!({"id": house.server_id}),
        "zato.server.edit" => json!({"id": house.server_id, "name": "renamed"}),
        "zato.server.delete" => json!({"id": doomed_server}),
        "zato.service.get-list" => json!({"cluster_id": cluster_id, "name_filter": "*"}),
        "zato.service.get-by-name" => json!({"cluster_id": cluster_id, "name": "test.add"}),
        "zato.service.edit" => json!({"id": add["id"], "is_active": true, "slow_threshold": 10}),
        "zato.service.get-channel-list" => json!({"id": add["id"], "channel_type": "plain_http"}),
        "zato.service.invoke" => json!({"name": "zato.ping"}),
        "zato.ping"
        | "zato.ping2"
        | "zato.helpers.echo"
        | "zato.helpers.input-logger"
        | "zato.helpers.sio-input-logger"
        | "zato.info.get-info"
        | "zato.info.get-server-info" => json!({}),
        other => panic!("there is no request for {other}: add one"),
    };
    // A ping needs a peer, and has tests of its own; what isn't public has no channel to be called on.
    let services = zato_catalogue::services().iter();
    let built = services
        .filter(|service| service.is_built() && service.public && service.name != "zato.http-soap.ping");
    built.map(|service| (*service, request(service.name))).collect()
}

#[tokio::test]
async fn every_built_service_answers_in_json() {
    let house = House::new().await;
    for (service, request) in requests(&house).await {
        let reply = house.json(service.name, request).await;
        let text = reply.text();
        assert_eq!(reply.status, 200, "{}: {text}", service.name);
        if service.shape == Shape::Raw {
            continue;
        }
        let document = reply.document();
        assert_eq!(document.get("zato_env").is_some(), service.envelope, "{}: {text}", service.name);
        let payload = document.get(service.response_element);
        match service.shape {
            Shape::None => assert_eq!(payload, None, "{}: {text}", service.name),
            Shape::List => {
                let items =
                    payload.and_then(Value::as_array).unwrap_or_else(|| panic!("{}: {text}", service.name));
                items.iter().for_each(|item| check_elements(service, item));
            }
            _ => check_elements(service, payload.unwrap_or_else(|| panic!("{}: {text}", service.name))),
        }
    }
}

/// Every declared element is there, in order, and no other one.
#[track_caller]
fn check_elements(service: &Service, item: &Value) {
    let found: Vec<&str> = item.as_object().unwrap().keys().map(String::as_str).collect();
    let mut declared: Vec<&str> = service.output.iter().map(|element| element.name).collect();
    let mut sorted = found.clone();
    sorted.sort_unstable();
    declared.sort_unstable();
    assert_eq!(sorted, declared, "{}", service.name);
    for element in service.output.iter().filter(|element| element.required) {
        assert!(!item[element.name].is_null(), "{}: {}", service.name, element.name);
    }
}

#[tokio::test]
async fn every_built_service_answers_in_soap() {
    let house = House::new().await;
    for (service, request) in requests(&house).await {
        let elements: String = request
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                format!("<z:{name}>{text}</z:{name}>")
            })
            .collect();
        let reply = house.soap(service.name, &elements).await;
        let text = reply.text();
        assert_eq!(reply.status, 200, "{}: {text}", service.name);
        if service.shape == Shape::Raw {
            continue;
        }
        let document = roxmltree::Document::parse(text).unwrap();
        let has = |name: &str| document.descendants().any(|node| node.tag_name().name() == name);
        assert!(has(service.response_element) && has("zato_env"), "{}: {text}", service.name);
        assert_eq!(has("item"), service.shape != Shape::None, "{}: {text}", service.name);
    }
}

#[tokio::test]
async fn what_is_required_must_be_there() {
    let house = House::new().await;
    for (service, request) in requests(&house).await {
        for element in service.input.iter().filter(|element| element.required) {
            let message = format!("Missing required element `{}`", element.name);
            house.fails(service.name, without(request.clone(), element.name), 400, &message).await;
        }
    }
}

#[tokio::test]
async fn values_of_another_type_are_refused() {
    let house = House::new().await;
    for (service, request) in requests(&house).await {
        for element in service.input {
            let wrong = match element.kind {
                ElementType::Integer | ElementType::Boolean => json!("neither"),
                ElementType::Text => json!({"an": "object"}),
                _ => continue,
            };
            let reply = house.json(service.name, with(request.clone(), element.name, wrong)).await;
            let details = reply.document()["zato_env"]["details"].as_str().unwrap().to_owned();
            assert_eq!(reply.status, 400, "{} {}: {details}", service.name, element.name);
            assert!(details.contains(&format!("Element `{}`", element.name)), "{}: {details}", service.name);
        }
    }
}

#[tokio::test]
async fn ids_that_nothing_has_are_not_found() {
    let house = House::new().await;
    for (service, request) in requests(&house).await {
        if service.input.iter().any(|element| element.name == "id" && element.required) {
            let noun = match service.family {
                "security.basic-auth" => "HTTP Basic Auth definition",
                "http-soap" => "HTTP/SOAP object",
                "server" => "server",
                _ => "service",
            };
            let message = format!("No row was found: there is no {noun} with id [4711]");
            house.fails(service.name, with(request, "id", 4711), 404, &message).await;
        }
    }
}

#[tokio::test]
async fn faults_say_the_same_as_json_errors() {
    let house = House::new().await;
    let reply = house.soap("zato.security.basic-auth.delete", "<z:id>4711</z:id>").await;
    assert_eq!(reply.status, 404);
    assert!(reply.text().contains("No row was found: there is no HTTP Basic Auth definition with id [4711]"));
    let reply = house.soap("zato.security.basic-auth.delete", "").await;
    assert_eq!(reply.status, 500);
    assert!(reply.text().contains("<faultcode>SOAP-ENV:Client</faultcode>"), "{}", reply.text());
    assert!(reply.text().contains("Missing required element `id`"), "{}", reply.text());
    let reply = house.soap("zato.security.basic-auth.delete", "<z:id>one</z:id>").await;
    assert!(reply.text().contains("Element `id`: expected an integer"), "{}", reply.text());
}
