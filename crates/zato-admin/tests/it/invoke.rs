//! `zato.service.invoke`, and the channel that invokes a service by its path.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::support::{ADMIN_INVOKE_PASSWORD, House, PUBAPI_PASSWORD, envelope, request, with};

/// Invokes over `/zato/admin/invoke` and decodes the response.
async fn invoke(house: &House, body: Value, payload: &str) -> String {
    let body = with(body, "payload", BASE64_STANDARD.encode(payload));
    let reply = house
        .post("/zato/admin/invoke", Some(("admin.invoke", ADMIN_INVOKE_PASSWORD)), body.to_string())
        .await;
    let document = reply.document();
    assert_eq!(reply.status, 200, "{body}: {document}");
    let response = document["zato_service_invoke_response"]["response"].as_str().unwrap();
    assert!(!response.contains('\n'), "{response}");
    String::from_utf8(BASE64_STANDARD.decode(response).unwrap()).unwrap()
}

async fn id_of(house: &House, name: &str) -> i64 {
    let request = json!({"cluster_id": house.cluster_id, "name": name});
    house.ok("zato.service.get-by-name", request).await["id"].as_i64().unwrap()
}

#[tokio::test]
async fn payloads_and_replies() {
    let house = House::new().await;
    let cluster =
        json!({"cluster_id": house.cluster_id, "connection": "outgoing", "transport": "soap"}).to_string();
    let add_in_soap = envelope("<add><a>2</a><b>3</b></add>");
    let rows: [(&str, Value, &str, &str); 17] = [
        ("test.add", json!({"data_format": "json"}), r#"{"a": 2, "b": "3"}"#, r#"{"response":{"sum":5}}"#),
        ("test.add", json!({"data_format": "xml"}), "<add><a>2</a></add>", XML_SUM_2),
        ("test.add", json!({"data_format": "xml", "transport": "soap"}), &add_in_soap, XML_SUM_5),
        ("test.free", json!({"data_format": "json"}), r#"{"a":  2}"#, r#"got: {"a":  2}"#),
        ("test.free", json!({}), "free text", "got: free text"),
        ("test.free", json!({"data_format": "csv"}), "a,b", "got: a,b"),
        ("test.free", json!({}), "", "got: "),
        ("zato.ping", json!({"data_format": "json"}), "", r#"{"zato_ping_response":{"pong":"zato"}}"#),
        ("zato.ping", json!({"data_format": "json"}), "\"\"", r#"{"zato_ping_response":{"pong":"zato"}}"#),
        ("zato.ping", json!({"data_format": "json"}), "null", r#"{"zato_ping_response":{"pong":"zato"}}"#),
        ("zato.ping", json!({}), "", r#"{"zato_ping_response":{"pong":"zato"}}"#),
        (
            "zato.http-soap.get-list",
            json!({"data_format": "json"}),
            &cluster,
            r#"{"zato_http_soap_get_list_response":[]}"#,
        ),
        ("zato.helpers.echo", json!({"data_format": "json"}), r#"{"z": [1,  2]}"#, r#"{"z": [1,  2]}"#),
        ("zato.helpers.echo", json!({"data_format": "xml"}), "<x />", "<x />"),
        ("zato.helpers.input-logger", json!({"data_format": "json"}), "{}", ""),
        ("zato.helpers.tls-logger", json!({"data_format": "json"}), "", ""),
        ("zato.ping", json!({"data_format": "xml"}), "", XML_PONG),
    ];
    for (service, options, payload, expected) in rows {
        let found = invoke(&house, with(options, "name", service), payload).await;
        assert_eq!(without_cid(&found), expected, "{service} {payload}");
        if service != "zato.helpers.tls-logger" {
            continue;
        }
        let by_id = json!({"id": id_of(&house, "test.add").await, "data_format": "json"});
        assert_eq!(invoke(&house, by_id, r#"{"a": 1}"#).await, r#"{"response":{"sum":1}}"#);
    }
}

const XML_SUM_2: &str =
    "<response><zato_env><cid>K</cid><result>ZATO_OK</result></zato_env><item><sum>2</sum></item></response>";
const XML_SUM_5: &str =
    "<response><zato_env><cid>K</cid><result>ZATO_OK</result></zato_env><item><sum>5</sum></item></response>";
const XML_PONG: &str = "<zato_ping_response xmlns=\"https://zato.io/ns/20130518\"><zato_env><cid>K</cid>\
                        <result>ZATO_OK</result></zato_env><item><pong>zato</pong></item></zato_ping_response>";

/// Correlation ids differ from run to run.
fn without_cid(text: &str) -> String {
    match (text.find("<cid>K"), text.find("</cid>")) {
        (Some(start), Some(end)) => format!("{}<cid>K{}", &text[..start], &text[end..]),
        _ => text.to_owned(),
    }
}

#[tokio::test]
async fn a_target_runs_under_the_correlation_id_of_the_call() {
    let house = House::new().await;
    let body = json!({"name": "zato.ping", "data_format": "xml"});
    let reply = house.json("zato.service.invoke", body).await;
    let response = reply.document()["zato_service_invoke_response"]["response"].as_str().unwrap().to_owned();
    let response = String::from_utf8(BASE64_STANDARD.decode(response).unwrap()).unwrap();
    let cid = reply.headers["x-zato-cid"].to_str().unwrap();
    assert!(response.contains(&format!("<cid>{cid}</cid>")), "{response}");
}

#[tokio::test]
async fn what_cannot_be_invoked() {
    let house = House::new().await;
    let base64 = |text: &str| BASE64_STANDARD.encode(text);
    let rows = [
        (json!({}), 400, "Either the id or the name of a service is required"),
        (json!({"id": 1, "name": "test.add"}), 400, "Cannot accept both id:[1] and name:[test.add]"),
        (json!({"id": 4711}), 404, "No row was found: there is no service with id [4711]"),
        (json!({"name": "nope"}), 404, "No row was found: there is no service with name [nope]"),
        (json!({"name": "test.fail"}), 403, "Nobody may call this"),
        (
            json!({"name": "test.add", "payload": "{}"}),
            400,
            "payload is not base64: Invalid symbol 123, offset 0.",
        ),
        (json!({"name": "test.add", "data_format": "json"}), 400, "Missing required element `a`"),
        (
            json!({"name": "test.add", "payload": base64("text")}),
            400,
            "The service expects named elements, which are not read from bodies of its channel's data format; set data_format to json or xml",
        ),
        (
            json!({"name": "test.add", "payload": base64("<nope><a>1</a></nope>"), "data_format": "xml"}),
            400,
            "The payload's root element is [nope], but that of service [test.add] is [add]",
        ),
        (
            json!({"name": "zato.service.invoke"}),
            500,
            "A service cannot invoke itself, name:[zato.service.invoke]",
        ),
    ];
    for (body, status, message) in rows {
        house.fails("zato.service.invoke", body, status, message).await;
    }
    for (data_format, payload) in [("json", "{"), ("xml", "<a>"), ("xml", "<!DOCTYPE a><a/>")] {
        for is_async in [false, true] {
            let body = json!({"name": "test.add", "payload": base64(payload), "data_format": data_format, "async": is_async});
            assert_eq!(house.json("zato.service.invoke", body.clone()).await.status, 400, "{body}");
        }
    }
    let not_soap = json!({
        "name": "test.add", "payload": base64("<add/>"), "data_format": "xml", "transport": "soap",
    });
    assert_eq!(house.json("zato.service.invoke", not_soap).await.status, 400);
}

#[tokio::test]
async fn background_runs_have_a_correlation_id_of_their_own() {
    let house = House::new().await;
    let rows = [
        (json!({"name": "test.add", "data_format": "json", "async": true}), r#"{"a": 1}"#.to_owned()),
        (json!({"name": "test.add", "data_format": "json", "is_async": true}), r#"{"a": 1}"#.to_owned()),
        (
            json!({"id": id_of(&house, "test.add").await, "data_format": "json", "async": "true"}),
            r#"{"a": 1}"#.to_owned(),
        ),
        (json!({"name": "test.add", "data_format": "xml", "async": true}), "<add><a>1</a></add>".to_owned()),
        (
            json!({"name": "test.add", "data_format": "xml", "transport": "soap", "async": true}),
            envelope("<add><a>1</a></add>"),
        ),
        (json!({"name": "test.free", "async": true}), "text".to_owned()),
        (json!({"name": "test.free", "async": true, "data_format": "json"}), "\"\"".to_owned()),
    ];
    for (body, payload) in &rows {
        let cid = invoke(&house, body.clone(), payload).await;
        assert!(cid.starts_with('K') && cid.len() == 30, "{cid}");
    }
    house.environment.tasks().close();
    house.environment.tasks().wait().await;
    let successes =
        |name: &str| house.environment.registry().find(name).unwrap().statistics().snapshot().successes;
    assert_eq!((successes("test.add"), successes("test.free")), (5, 2));
}

#[tokio::test]
async fn newer_clients_get_the_response_alone() {
    let house = House::new().await;
    let body =
        json!({"name": "zato.ping", "data_format": "json", "skip_response_elem": true, "is_async": false});
    let reply = house.json("zato.service.invoke", body).await.document();
    let (_, response) = reply.as_object().unwrap().iter().find(|(name, _)| *name != "zato_env").unwrap();
    let response = BASE64_STANDARD.decode(response.as_str().unwrap()).unwrap();
    assert_eq!(response, br#"{"zato_ping_response":{"pong":"zato"}}"#);
}

#[tokio::test]
async fn services_are_invoked_by_their_path() {
    let house = House::new().await;
    let login = Some(("pubapi", PUBAPI_PASSWORD));
    let check = async |method: &str, target: &str, body: &str, status: u16, expected: &str| {
        let path = format!("/zato/api/invoke/{target}");
        let reply = house.send(request(method, &path, login, body.to_owned())).await;
        assert_eq!((reply.status, reply.text()), (status, expected), "{method} {target} {body}");
        assert_eq!(reply.headers["content-type"], "application/json");
    };
    check("POST", "test.add", r#"{"a": 2, "b": 3}"#, 200, r#"{"sum":5}"#).await;
    check("GET", "test.add", r#"{"a": 2}"#, 200, r#"{"sum":2}"#).await;
    check("GET", "test.add?a=2&b=3", "", 200, r#"{"sum":5}"#).await;
    check("DELETE", "test.add?b=4", r#"{"a": 2, "b": 3}"#, 200, r#"{"sum":6}"#).await;
    check("POST", "zato.ping", "null", 200, r#"{"pong":"zato"}"#).await;
    check("POST", "zato.ping", "", 200, r#"{"pong":"zato"}"#).await;
    check("POST", "zato.helpers.input-logger", "", 200, "{}").await;
    check("POST", "zato.helpers.echo", r#"{"a":1}"#, 200, r#"{"a":1}"#).await;
    check("POST", "test.free", "text", 200, r#""got: text""#).await;
    let failures = [
        ("test.add", "{}", 400, "Missing required element `a`"),
        ("test.add", "{", 400, "line 1"),
        ("test.add?a=x", "", 400, "Element `a`"),
        ("nope", "{}", 404, "There is no service of the name [nope]"),
        ("test.fail", "{}", 403, "Nobody may call this"),
    ];
    for (target, body, status, message) in failures {
        let reply = house.post(&format!("/zato/api/invoke/{target}"), login, body).await;
        assert_eq!(reply.status, status, "{target}: {}", reply.text());
        assert!(reply.text().contains(message), "{target}: {}", reply.text());
    }
    assert_eq!(house.post("/zato/api/invoke/zato.ping", None, "").await.status, 401);
}
