//! The audit log of channels: what is kept of calls, what is hidden, and what becomes of calls that are too many.

use http::HeaderValue;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use zato_odb::Read;
use zato_odb::model::{HttpSoap, HttpSoapAudit, HttpSoapAuditFilter, HttpSoapFilter};

use crate::support::{House, envelope, request, with};

/// A channel that is audited, and guarded if a password is given.
async fn audited_channel(house: &House, channel: Value) -> i64 {
    let id = house.create("http-soap", channel).await;
    house.invoke("zato.http-soap.set-audit-state", json!({"id": id, "audit_enabled": true})).await;
    id
}

/// The entries of a channel, oldest first.
async fn entries(house: &House, channel: i64) -> Vec<HttpSoapAudit> {
    let filter = HttpSoapAuditFilter { conn_id: Some(channel), ..HttpSoapAuditFilter::default() };
    house.odb.list(house.cluster_id, &filter).await.unwrap()
}

fn text(bytes: Option<&Vec<u8>>) -> &str {
    std::str::from_utf8(bytes.unwrap()).unwrap()
}

fn document(bytes: Option<&Vec<u8>>) -> Value {
    serde_json::from_slice(bytes.unwrap()).unwrap()
}

async fn hide(house: &House, channel: i64, kind: &str, names: &[&str]) {
    let patterns = json!({"id": channel, "audit_repl_patt_type": kind, "pattern_list": names});
    house.invoke("zato.http-soap.set-audit-replace-patterns", patterns).await;
}

#[tokio::test]
async fn an_entry_says_who_called_and_what_was_answered() {
    let mut house = House::new().await;
    let user = house.create("security.basic-auth", house.definition("partner")).await;
    house.set_password(user, "S3cret-word").await;
    let channel = audited_channel(&house, with(house.channel("Sum", "/sum"), "security_id", user)).await;
    let body = r#"{"a": 1, "b": 2, "password": "S3cret-word"}"#;
    let lost = house
        .audited(async |house| {
            let mut known =
                request("POST", "/sum?token=S3cret&x=1", Some(("partner-user", "S3cret-word")), body);
            // Anybody can write this.
            known.headers_mut().insert("x-forwarded-for", HeaderValue::from_static("10.0.0.7"));
            known.headers_mut().insert("x-api-key", HeaderValue::from_static("S3cret"));
            assert_eq!(house.send(known).await.status, 200);
            assert_eq!(house.send(request("POST", "/sum", None, body)).await.status, 401);
            assert_eq!(house.send(request("POST", "/zato/ping", None, body)).await.status, 200);
        })
        .await;
    assert_eq!(lost.dropped(), 0);
    let found = entries(&house, channel).await;
    let [known, unknown] = &*found else { panic!("{found:?}") };
    assert_eq!((known.name.as_str(), known.remote_addr.as_str()), ("Sum", "127.0.0.1"));
    assert_eq!((known.transport.as_str(), known.connection.as_str()), ("plain_http", "channel"));
    assert_eq!(known.user_token.as_deref(), Some("partner-user"));
    assert_eq!((known.auth_ok, known.invoke_ok), (Some(true), Some(true)));
    let head = document(known.req_headers.as_ref());
    assert_eq!((&head["method"], &head["path"]), (&json!("POST"), &json!("/sum")));
    assert_eq!(head["query"], "token=******&x=1");
    for hidden in ["authorization", "x-api-key"] {
        assert_eq!(head["headers"][hidden], "******");
    }
    let payload = document(known.req_payload.as_ref());
    assert_eq!(payload, json!({"a": 1, "b": 2, "password": "******"}));
    assert_eq!(document(known.resp_headers.as_ref())["status"], 200);
    assert_eq!(document(known.resp_headers.as_ref())["headers"]["x-zato-cid"], known.cid.as_str());
    assert!(text(known.resp_payload.as_ref()).contains('3'));
    assert!(known.resp_time.unwrap() >= known.req_time);

    assert_eq!((unknown.auth_ok, unknown.invoke_ok, &unknown.user_token), (Some(false), Some(false), &None));
    assert_eq!(unknown.remote_addr, "127.0.0.1");
    assert_eq!(text(unknown.req_payload.as_ref()), "");
    for entry in &found {
        let bytes = [&entry.req_headers, &entry.req_payload, &entry.resp_headers, &entry.resp_payload];
        let shown: Vec<&str> = bytes.into_iter().map(|bytes| text(bytes.as_ref())).collect();
        assert!(!shown.concat().contains("S3cret"), "{shown:?}");
    }
}

#[tokio::test]
async fn patterns_hide_places_in_messages() {
    let mut house = House::new().await;
    let cluster_id = house.cluster_id;
    let named = |name: &str, value: &str| json!({"cluster_id": cluster_id, "name": name, "value": value});
    house.create("message.json-pointer", named("b", "/b")).await;
    let sum = house.create("message.json-pointer", named("sum", "/response/sum")).await;
    let namespace = house.create("message.namespace", named("z", "urn:z")).await;
    house.create("message.xpath", named("b", "//z:b")).await;
    let json_channel = audited_channel(&house, house.channel("Sum", "/sum")).await;
    let soap = with(with(house.channel("Soap", "/soap"), "transport", "soap"), "data_format", "xml");
    let soap_channel = audited_channel(&house, soap).await;
    hide(&house, json_channel, "json-pointer", &["b", "sum"]).await;
    hide(&house, soap_channel, "xpath", &["b"]).await;
    let patterns =
        house.invoke("zato.http-soap.get-audit-replace-patterns", json!({"id": json_channel})).await;
    assert_eq!(patterns, json!({"patterns_json_pointer": ["b", "sum"], "patterns_xpath": []}));
    let config = house.invoke("zato.http-soap.get-audit-config", json!({"id": soap_channel})).await;
    let expected = json!({
        "audit_enabled": true, "audit_back_log": 1440, "audit_max_payload": 0, "audit_repl_patt_type": "xpath",
    });
    assert_eq!(config, expected);

    let message = "<z:add xmlns:z='urn:z'><a>1</a><z:b>77</z:b></z:add>";
    let calls = async |house: &House| {
        house.send(request("POST", "/sum", None, r#"{"a": 1, "b": 77}"#)).await;
        house.send(request("POST", "/sum", None, "b=77")).await;
        house.send(request("POST", "/soap", None, envelope(message))).await;
    };
    house.audited(calls).await;
    let found = entries(&house, json_channel).await;
    assert_eq!(text(found[0].req_payload.as_ref()), r#"{"a":1,"b":"******"}"#);
    assert!(text(found[1].req_payload.as_ref()).starts_with("(not kept"));
    let of_soap = entries(&house, soap_channel).await;
    let shown = text(of_soap[0].req_payload.as_ref());
    assert!(shown.contains("<a>1</a><z:b>******</z:b>"), "{shown}");

    // A pattern that can't be used any more hides everything; one that is gone hides nothing.
    house.ok("zato.message.namespace.delete", json!({"id": namespace})).await;
    house.ok("zato.message.json-pointer.delete", json!({"id": sum})).await;
    let patterns =
        house.invoke("zato.http-soap.get-audit-replace-patterns", json!({"id": json_channel})).await;
    assert_eq!(patterns["patterns_json_pointer"], json!(["b"]));
    house.audited(calls).await;
    let of_soap = entries(&house, soap_channel).await;
    assert!(text(of_soap[1].req_payload.as_ref()).starts_with("(not kept"));
    hide(&house, soap_channel, "xpath", &[]).await;
    hide(&house, json_channel, "json-pointer", &[]).await;
    house.audited(calls).await;
    let found = entries(&house, json_channel).await;
    assert_eq!(text(found[4].req_payload.as_ref()), r#"{"a": 1, "b": 77}"#);
    let of_soap = entries(&house, soap_channel).await;
    assert!(text(of_soap[2].req_payload.as_ref()).contains("<z:b>77</z:b>"));
}

#[tokio::test]
async fn messages_within_messages_are_not_kept() {
    let mut house = House::new().await;
    let all: Vec<HttpSoap> = house.odb.list(house.cluster_id, &HttpSoapFilter::default()).await.unwrap();
    let id = all.iter().find(|channel| channel.name == "zato.service.invoke.json").unwrap().id;
    house.invoke("zato.http-soap.set-audit-state", json!({"id": id, "audit_enabled": true})).await;
    house
        .audited(async |house| {
            house.invoke("zato.http-soap.get-audit-config", json!({"id": id})).await;
        })
        .await;
    let found = entries(&house, id).await;
    let payload = document(found[0].req_payload.as_ref());
    assert_eq!(
        (&payload["name"], &payload["payload"]),
        (&json!("zato.http-soap.get-audit-config"), &json!("******"))
    );
    assert_eq!(
        document(found[0].resp_payload.as_ref())["zato_service_invoke_response"]["response"],
        "******"
    );
}

#[tokio::test]
async fn payloads_are_cut_and_entries_are_let_go_of() {
    let mut house = House::new().await;
    let channel = audited_channel(&house, house.channel("Sum", "/sum")).await;
    let config = json!({"id": channel, "audit_max_payload": 8, "audit_back_log": 30});
    house.invoke("zato.http-soap.set-audit-config", config).await;
    let call = async |house: &House| {
        house.send(request("POST", "/sum", None, r#"{"a": 1, "b": 2}"#)).await;
    };
    house.audited(call).await;
    let mut found = entries(&house, channel).await;
    assert_eq!(text(found[0].req_payload.as_ref()), r#"{"a": 1,"#);
    // What is older than the back log goes when the next calls are stored.
    let mut old = found.remove(0);
    old.req_time = OffsetDateTime::now_utc() - Duration::minutes(31);
    old.cid = "K-old".to_owned();
    let younger = HttpSoapAudit {
        cid: "K-younger".to_owned(),
        req_time: old.req_time + Duration::minutes(2),
        ..old.clone()
    };
    let tx = house.odb.begin().await.unwrap();
    tx.insert_audit(&[old, younger]).await.unwrap();
    tx.commit().await.unwrap();
    house.audited(call).await;
    let cids: Vec<String> = entries(&house, channel).await.into_iter().map(|entry| entry.cid).collect();
    assert_eq!((cids.len(), cids[1].as_str()), (3, "K-younger"), "{cids:?}");

    house.invoke("zato.http-soap.set-audit-state", json!({"id": channel, "audit_enabled": false})).await;
    house.audited(call).await;
    assert_eq!(entries(&house, channel).await.len(), 3);
}

/// Nobody stores anything while these calls are made, and none of them waits for that.
#[tokio::test]
async fn calls_beyond_the_queue_are_answered_and_counted() {
    const CALLS: u64 = 10_000;
    let mut house = House::new().await;
    let channel = audited_channel(&house, house.channel("Sum", "/sum")).await;
    let gone = audited_channel(&house, house.channel("Gone", "/gone")).await;
    let lost = house
        .audited(async |house| {
            assert_eq!(house.send(request("POST", "/gone", None, r#"{"a": 1}"#)).await.status, 200);
            for _ in 0..CALLS {
                assert_eq!(house.send(request("POST", "/sum", None, r#"{"a": 1}"#)).await.status, 200);
            }
            // A channel that is deleted takes its entries along, those to come as well.
            house.ok("zato.http-soap.delete", json!({"id": gone})).await;
        })
        .await;
    let stored =
        house.odb.count::<HttpSoapAudit>(house.cluster_id, &HttpSoapAuditFilter::default()).await.unwrap();
    assert!(lost.dropped() > 0 && stored > 0, "{stored} stored, {} dropped", lost.dropped());
    assert_eq!(stored + lost.dropped(), CALLS);
    assert_eq!(entries(&house, channel).await.len() as u64, stored);
}

#[tokio::test]
async fn entries_are_shown_in_batches() {
    let mut house = House::new().await;
    let channel = audited_channel(&house, house.channel("Sum", "/sum")).await;
    house
        .audited(async |house| {
            for a in 0..7 {
                house.send(request("POST", "/sum", None, format!("{{\"a\": {a}, \"b\": 100}}"))).await;
            }
        })
        .await;
    let batch = |number: i64| json!({"conn_id": channel, "current_batch": number, "batch_size": 3});
    let info = async |number| house.invoke("zato.http-soap.get-audit-batch-info", batch(number)).await;
    let expected = |has_previous: bool, has_next: bool, next: i64, previous: i64| {
        json!({
            "total_results": 7, "num_batches": 3, "has_previous": has_previous, "has_next": has_next,
            "next_batch_number": next, "previous_batch_number": previous,
        })
    };
    assert_eq!(info(1).await, expected(false, true, 2, 0));
    assert_eq!(info(3).await, expected(true, false, 0, 2));
    assert_eq!(info(9).await, expected(true, false, 0, 3));
    let list = async |request| house.invoke("zato.http-soap.get-audit-item-list", request).await;
    assert_eq!(list(batch(3)).await.as_array().unwrap().len(), 1);
    let found = list(json!({"conn_id": channel, "query": "\"a\": 6"})).await;
    let [found] = &**found.as_array().unwrap() else { panic!("{found}") };
    assert_eq!((&found["invoke_ok"], &found["remote_addr"]), (&json!(true), &json!("127.0.0.1")));

    let cid = &found["cid"];
    let data = json!({
        "cid": cid, "invoke_ok": false, "resp_time": "2026-02-28T12:00:00", "resp_headers": {"set-cookie": "S3cret"},
        "resp_payload": {"password": "S3cret", "sum": 106},
    });
    house.invoke("zato.http-soap.set-audit-response-data", data).await;
    let item = house.invoke("zato.http-soap.get-audit-item", json!({"id": found["id"]})).await;
    assert_eq!(item["resp_payload"], r#"{"password":"******","sum":106}"#);
    assert_eq!((&item["invoke_ok"], &item["auth_ok"]), (&json!(false), &json!(true)));
    assert!(item["resp_time_utc"].as_str().unwrap().starts_with("2026-02-28T12:00:00"), "{item}");
    assert!(!item.to_string().contains("S3cret"), "{item}");
    assert_eq!(item["req_payload"], "{\"a\": 6, \"b\": 100}");
}
