//! `zato.http-soap.*`: what can be stored, how it is listed, and pings.

use serde_json::{Value, json};
use zato_odb::model::{SecurityDefinition, SecurityKind};

use crate::support::{House, with, without};

const CREATE: &str = "zato.http-soap.create";
const EDIT: &str = "zato.http-soap.edit";

#[tokio::test]
async fn what_no_object_can_have() {
    let house = House::new().await;
    house.create("http-soap", house.channel("Taken", "/taken")).await;
    let channel = || house.channel("A", "/a");
    let outgoing = || house.outgoing("A");
    let rows = [
        (with(channel(), "url_path", "a"), 400, "URL path:[a] must start with a slash /"),
        (
            with(channel(), "connection", "in"),
            400,
            "connection [in] is not allowed: it must be channel or outgoing",
        ),
        (
            with(channel(), "transport", "udp"),
            400,
            "transport [udp] is not allowed: it must be plain_http or soap",
        ),
        (with(channel(), "name", ""), 400, "name must not be empty"),
        (with(channel(), "cluster_id", 4711), 404, "No row was found: there is no cluster with id [4711]"),
        (
            with(channel(), "name", "Taken"),
            409,
            "An object of that name [Taken] already exists on this cluster",
        ),
        (with(channel(), "service", "nope"), 404, "Service [nope] does not exist on this cluster"),
        (without(channel(), "service"), 404, "Service [] does not exist on this cluster"),
        (
            with(channel(), "security_id", 4711),
            404,
            "No row was found: there is no security definition with id [4711]",
        ),
        (
            with(channel(), "sec_tls_ca_cert_id", 4711),
            404,
            "No row was found: there is no TLS CA certificate with id [4711]",
        ),
        (
            with(channel(), "url_path", "/a/{b"),
            400,
            "with letters, digits, spaces or `_ $ . - | = ~ ^` as its name",
        ),
        (with(channel(), "url_path", "/a?b"), 400, "`?` can't be part of a path"),
        (
            with(channel(), "method", "GET /"),
            400,
            "method [GET /] is not allowed: it must be an HTTP method such as POST",
        ),
        (
            with(channel(), "data_format", "yaml"),
            400,
            "data_format [yaml] is not allowed: it must be json, xml, csv, post or empty",
        ),
        (
            with(channel(), "transport", "soap"),
            400,
            "channel [A]: SOAP channels have data format xml, not json",
        ),
        (with(channel(), "url_params_pri", "path"), 400, "it must be qs-over-path or path-over-qs"),
        (
            with(channel(), "params_pri", "msg"),
            400,
            "it must be channel-params-over-msg or msg-over-channel-params",
        ),
        (
            with(channel(), "serialization_type", "xml"),
            400,
            "serialization_type [xml] is not allowed: it must be string",
        ),
        (
            with(channel(), "serialization_type", "suds"),
            400,
            "serialization_type [suds] is not allowed: it must be string",
        ),
        (with(channel(), "pool_size", 1_i64 << 40), 400, "it must be a number of 32 bits"),
        (
            with(outgoing(), "host", "example.com"),
            400,
            "host is invalid: it must begin with http:// or https://",
        ),
        (without(outgoing(), "host"), 400, "host is invalid: it must begin with http:// or https://"),
        (
            with(outgoing(), "host", "http://a:b@c"),
            400,
            "host is invalid: it must not contain credentials, which belong into a security definition",
        ),
        (
            with(outgoing(), "url_path", "/{a"),
            400,
            "url_path is invalid: the placeholder at byte 1 is not closed",
        ),
        (with(outgoing(), "pool_size", 0), 400, "pool_size [0] is not allowed: it must be 1 or more"),
        (with(outgoing(), "timeout", -1), 400, "timeout [-1] is not allowed: it must be 1 or more"),
        (with(outgoing(), "ping_method", "A B"), 400, "ping_method is invalid: it is not an HTTP method"),
        (with(outgoing(), "data_format", "yaml"), 400, "it must be json, xml, csv, post or empty"),
        (
            with(with(outgoing(), "transport", "soap"), "soap_version", "2.0"),
            400,
            "soap_version [2.0] is not allowed: it must be 1.1 or 1.2",
        ),
        (
            with(with(outgoing(), "transport", "soap"), "serialization_type", "suds"),
            400,
            "serialization_type [suds] is not allowed: it must be string",
        ),
        (with(channel(), "url_path", "/taken"), 409, "channel [Taken] does"),
        (with(channel(), "url_path", "/zato/health"), 409, "where the server itself answers"),
        (with(channel(), "url_path", "/zato/api/invoke/{x}"), 409, "channel [zato.api.invoke.json] does"),
        (
            with(channel(), "url_path", format!("/{}", "x".repeat(200))),
            400,
            "`url_path` is longer than 200 characters",
        ),
    ];
    for (request, status, message) in rows {
        house.fails(CREATE, request, status, message).await;
    }
}

#[tokio::test]
async fn security_types() {
    let house = House::new().await;
    let basic_auth = house.create("security.basic-auth", house.definition("basic")).await;
    let wss = ws_security(&house).await;
    let plain = |name: &str, id: i64| with(house.outgoing(name), "security_id", id);
    let soap = |name: &str, id: i64| {
        with(with(plain(name, id), "transport", "soap"), "url_path", format!("/{name}"))
    };
    house.create("http-soap", plain("A", basic_auth)).await;
    house.create("http-soap", soap("B", basic_auth)).await;
    house.create("http-soap", soap("C", wss)).await;
    let message = "Only HTTP Basic Auth and API keys are supported, not [wss]";
    house.fails(CREATE, plain("D", wss), 400, message).await;

    let channel =
        |name: &str, id: i64| with(house.channel(name, &format!("/channel/{name}")), "security_id", id);
    let soap = |name: &str, id: i64| with(with(channel(name, id), "transport", "soap"), "data_format", "xml");
    house.create("http-soap", soap("E", wss)).await;
    let message = "definition [wss] is of a type that guards SOAP channels only";
    house.fails(CREATE, channel("F", wss), 400, message).await;
    let message =
        "has_rbac [true] is not allowed: without a security definition there is nobody who could have a role";
    house.fails(CREATE, with(house.channel("G", "/g"), "has_rbac", true), 400, message).await;
    house.create("http-soap", with(channel("H", basic_auth), "has_rbac", true)).await;
}

/// A definition of a type that has no services of its own yet.
async fn ws_security(house: &House) -> i64 {
    let kind = SecurityKind::WsSecurity {
        password_type: "clear_text".to_owned(),
        reject_empty_nonce_creat: false,
        reject_stale_tokens: None,
        reject_expiry_limit: 60,
        nonce_freshness_time: None,
    };
    let mut tx = house.odb.begin().await.unwrap();
    let stored = tx.insert(&SecurityDefinition::new(house.cluster_id, "wss", "wss", kind)).await.unwrap();
    tx.commit().await.unwrap();
    stored.id
}

#[tokio::test]
async fn names_and_addresses_are_unique_where_they_must_be() {
    let house = House::new().await;
    let id = house.create("http-soap", house.channel("A", "/a")).await;
    // Another transport and another direction may have the same name; another SOAP action the same path.
    let soap = with(with(house.channel("A", "/a"), "transport", "soap"), "data_format", "xml");
    house.create("http-soap", with(soap.clone(), "soap_action", "one")).await;
    house.create("http-soap", with(with(soap.clone(), "soap_action", "two"), "name", "B")).await;
    house.create("http-soap", house.outgoing("A")).await;
    let message = "channel [B] does";
    house.fails(CREATE, with(with(soap, "soap_action", "two"), "name", "C"), 409, message).await;
    let message =
        "Outgoing connection [A] has the address [http://127.0.0.1:9/path] with SOAP action [] already";
    house.fails(CREATE, house.outgoing("B"), 409, message).await;
    house.create("http-soap", with(house.outgoing("B"), "host", "http://127.0.0.1:10")).await;

    house.create("http-soap", house.channel("Other", "/other")).await;
    let edit = |name: &str, path: &str| without(with(house.channel(name, path), "id", id), "is_internal");
    let message = "An object of that name [Other] already exists on this cluster";
    house.fails(EDIT, edit("Other", "/a"), 409, message).await;
    house.fails(EDIT, edit("A", "/other"), 409, "channel [Other] does").await;
    assert_eq!(house.ok(EDIT, edit("A", "/a")).await, json!({"id": id, "name": "A"}));
}

#[tokio::test]
async fn defaults_are_stored() {
    let house = House::new().await;
    let definition = house.create("security.basic-auth", house.definition("crm")).await;
    let channel = with(without(house.channel("A", "/a"), "data_format"), "security_id", definition);
    let id = house.create("http-soap", with(channel.clone(), "host", "ignored")).await;
    let listed = list(&house, "channel", "plain_http").await;
    let stored = listed.iter().find(|item| item["id"] == id).unwrap().clone();
    let expected = json!({
        "id": id, "name": "A", "is_active": true, "is_internal": false, "url_path": "/a",
        "service_id": stored["service_id"], "service_name": "test.add", "security_id": definition,
        "security_name": "crm", "sec_type": "basic_auth", "method": null, "soap_action": "", "soap_version": null,
        "data_format": null, "host": "", "ping_method": "HEAD", "pool_size": 20, "merge_url_params_req": true,
        "url_params_pri": "qs-over-path", "params_pri": "channel-params-over-msg", "serialization_type": "string",
        "timeout": 10, "sec_tls_ca_cert_id": null, "has_rbac": false, "rate_limit": null, "max_in_flight": null,
        "cors_origins": null,
    });
    assert_eq!(stored, expected);

    // What an edit leaves out falls back to its default, which for this one flag is another one.
    let edit = without(with(with(channel, "id", id), "security_id", "ZATO_NONE"), "is_internal");
    house.ok(EDIT, edit).await;
    let listed = list(&house, "channel", "plain_http").await;
    let mut expected = with(with(expected, "merge_url_params_req", false), "security_id", Value::Null);
    expected = with(with(expected, "security_name", Value::Null), "sec_type", Value::Null);
    assert_eq!(listed.iter().find(|item| item["id"] == id), Some(&expected));

    let sent = with(with(house.channel("B", "/b"), "merge_url_params_req", false), "is_internal", true);
    let id = house.create("http-soap", sent).await;
    house.ok(EDIT, without(with(house.channel("B", "/b2"), "id", id), "is_internal")).await;
    let listed = list(&house, "channel", "plain_http").await;
    let stored = listed.iter().find(|item| item["id"] == id).unwrap();
    assert_eq!((&stored["merge_url_params_req"], &stored["is_internal"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn methods_are_in_upper_case() {
    let house = House::new().await;
    house.create("http-soap", with(house.channel("A", "/a"), "method", "post")).await;
    assert_eq!(house.post("/a", None, r#"{"a":1}"#).await.status, 200);
    house.create("http-soap", with(house.outgoing("CRM"), "ping_method", "get")).await;
    assert_eq!(list(&house, "outgoing", "plain_http").await[0]["ping_method"], "GET");
}

#[tokio::test]
async fn lists_hide_what_is_internal() {
    let house = House::new().await;
    for name in ["b", "a"] {
        house.create("http-soap", house.channel(name, &format!("/{name}"))).await;
    }
    house.create("http-soap", house.outgoing("zato.outgoing")).await;
    assert_eq!(names(&list(&house, "channel", "plain_http").await), ["a", "admin.invoke.json", "b"]);
    assert!(list(&house, "outgoing", "plain_http").await.is_empty());
    assert!(list(&house, "channel", "soap").await.is_empty());
    assert!(list(&house, "channel", "udp").await.is_empty());
    assert!(list(&house, "in", "soap").await.is_empty());

    let house = House::with(|settings| settings.return_internal_objects = true).await;
    let soap = list(&house, "channel", "soap").await;
    assert!(names(&soap).contains(&"zato.http-soap.create"), "{soap:?}");
}

async fn list(house: &House, connection: &str, transport: &str) -> Vec<Value> {
    let request = json!({"cluster_id": house.cluster_id, "connection": connection, "transport": transport});
    house.ok("zato.http-soap.get-list", request).await.as_array().unwrap().clone()
}

fn names(list: &[Value]) -> Vec<&str> {
    list.iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn pings_report_what_the_other_side_did() {
    let house = House::new().await;
    let ping = "zato.http-soap.ping";
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    let request = with(with(house.outgoing("CRM"), "host", host.as_str()), "is_active", false);
    let id = house.create("http-soap", request).await;
    let answer = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        let length = tokio::io::AsyncReadExt::read(&mut socket, &mut request).await.unwrap();
        let reply = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut socket, reply).await.unwrap();
        String::from_utf8(request[..length].to_vec()).unwrap()
    };
    let (request, reply) = tokio::join!(answer, house.ok(ping, json!({"id": id})));
    assert!(request.starts_with("HEAD /path HTTP/1.1\r\n"), "{request}");
    let info: Vec<&str> = reply["info"].as_str().unwrap().lines().collect();
    assert!(info[0].ends_with(&format!(" (UTC) HEAD {host}/path")), "{info:?}");
    assert_eq!(info[1], "Code: 404");
    assert!(info[2].starts_with("Response time: 0:00:0"), "{info:?}");

    drop(listener);
    let reply = house.json(ping, json!({"id": id})).await;
    assert_eq!(reply.status, 502, "{}", reply.text());
    assert!(reply.text().contains("CRM"), "{}", reply.text());
    house.fails(ping, json!({"id": 4711}), 404, "there is no HTTP/SOAP object with id [4711]").await;
    let channel = house.create("http-soap", house.channel("A", "/a")).await;
    let message =
        format!("The object with id [{channel}] is the channel [A]: only outgoing connections can be pinged");
    house.fails(ping, json!({"id": channel}), 400, &message).await;
}
