//! Security definitions of all types: what they have in common, and what they do to channels and connections.

use http::HeaderValue;
use rcgen::{CertificateParams, DnType, KeyPair};
use serde_json::{Value, json};
use zato_odb::Read;
use zato_odb::model::{SecurityDefinition, SecurityKind};

use crate::support::{House, request, with, without};

/// The types with a user name and a password, and what else a definition of theirs is made of.
fn types() -> [(&'static str, &'static str, Value); 8] {
    [
        ("apikey", "API key", json!({"rate_limit": "10/s", "max_in_flight": 5})),
        ("aws", "AWS definition", json!({})),
        (
            "basic-auth",
            "HTTP Basic Auth definition",
            json!({"realm": "R", "rate_limit": null, "max_in_flight": null}),
        ),
        ("ntlm", "NTLM definition", json!({})),
        (
            "oauth",
            "OAuth definition",
            json!({"proto_version": "1.0", "sig_method": "HMAC-SHA1", "max_nonce_log": 25_000, "rate_limit": null, "max_in_flight": 1}),
        ),
        ("openstack", "OpenStack definition", json!({})),
        (
            "wss",
            "WS-Security definition",
            json!({
                "password_type": "clear_text", "reject_empty_nonce_creat": true, "reject_stale_tokens": false,
                "reject_expiry_limit": 60, "nonce_freshness_time": 120,
                "rate_limit": "1/d", "max_in_flight": null,
            }),
        ),
        (
            "xpath",
            "XPath security definition",
            json!({
                "username_expr": "//user", "password_expr": "//password", "rate_limit": "1/h", "max_in_flight": 2,
            }),
        ),
    ]
}

fn request_of(house: &House, name: &str, own: &Value) -> Value {
    let mut request = json!({"cluster_id": house.cluster_id, "name": name, "is_active": true, "username": format!("{name}-user")});
    request.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    request
}

#[tokio::test]
async fn definitions_of_every_type_are_kept_as_they_were_sent() {
    let house = House::new().await;
    for (family, noun, own) in types() {
        let service = |action: &str| format!("zato.security.{family}.{action}");
        let new = request_of(&house, family, &own);
        let id = house.create(&format!("security.{family}"), new.clone()).await;
        let taken = format!("{noun} [{family}] already exists on this cluster");
        house.fails(&service("create"), new.clone(), 409, &taken).await;
        let edited = with(with(new, "id", id), "is_active", false);
        house.ok(&service("edit"), edited.clone()).await;
        let list =
            house.ok(&service("get-list"), json!({"cluster_id": house.cluster_id, "query": family})).await;
        let shown = list.as_array().unwrap().iter().find(|item| item["id"] == id).unwrap();
        assert_eq!(shown, &without(edited, "cluster_id"), "{family}");
        let password = json!({"id": id, "password1": "p", "password2": "p"});
        house.ok(&service("change-password"), password).await;
        let empty = json!({"id": id, "password1": "", "password2": ""});
        if family == "wss" {
            house.fails(&service("change-password"), empty, 400, "Password must not be empty").await;
        } else {
            house.ok(&service("change-password"), empty).await;
        }
    }
    let list =
        house.ok("zato.security.get-list", json!({"cluster_id": house.cluster_id, "needs_internal": false}));
    let types: Vec<Value> =
        list.await.as_array().unwrap().iter().map(|item| item["sec_type"].clone()).collect();
    assert_eq!(
        types,
        ["apikey", "aws", "basic_auth", "ntlm", "oauth", "openstack", "wss", "xpath_sec"].map(Value::from)
    );
    for (family, _, _) in self::types() {
        let list = house
            .ok(&format!("zato.security.{family}.get-list"), json!({"cluster_id": house.cluster_id}))
            .await;
        let item = list.as_array().unwrap().iter().find(|item| item["name"] == family).unwrap();
        house.ok(&format!("zato.security.{family}.delete"), json!({"id": item["id"]})).await;
    }
}

#[tokio::test]
async fn an_api_key_guards_a_channel() {
    let house = House::new().await;
    let new =
        json!({"cluster_id": house.cluster_id, "name": "Key", "is_active": true, "username": "X-API-Key"});
    let id = house.create("security.apikey", new.clone()).await;
    let channel = house.create("http-soap", with(house.channel("A", "/a"), "security_id", id)).await;
    let call = async |header: &'static str, key: &'static str| {
        let mut request = request("POST", "/a", None, r#"{"a":1}"#);
        request.headers_mut().insert(header, HeaderValue::from_static(key));
        house.send(request).await.status
    };
    assert_eq!(call("x-api-key", "").await, 401);
    let password = |word: &str| json!({"id": id, "password1": word, "password2": word});
    house.ok("zato.security.apikey.change-password", password("first")).await;
    assert_eq!((call("x-api-key", "first").await, call("x-api-key", "second").await), (200, 401));
    house.ok("zato.security.apikey.change-password", password("second")).await;
    assert_eq!((call("x-api-key", "first").await, call("x-api-key", "second").await), (401, 200));
    let edited = with(with(new.clone(), "id", id), "username", "X-Other");
    house.ok("zato.security.apikey.edit", edited.clone()).await;
    assert_eq!((call("x-api-key", "second").await, call("x-other", "second").await), (401, 200));
    house.ok("zato.security.apikey.edit", with(edited, "is_active", false)).await;
    assert_eq!(call("x-other", "second").await, 401);
    house.ok("zato.security.apikey.delete", json!({"id": id})).await;
    assert_eq!(call("x-other", "second").await, 404);
    house.fails("zato.http-soap.delete", json!({"id": channel}), 404, &format!("with id [{channel}]")).await;

    let header = with(with(new, "name", "Bad"), "username", "X API");
    house.fails("zato.security.apikey.create", header, 400, "[X API] can't be the name of a header").await;
}

#[tokio::test]
async fn of_a_technical_account_only_a_digest_is_stored() {
    let house = House::new().await;
    let new = json!({"cluster_id": house.cluster_id, "name": "Batch", "is_active": true});
    let id = house.create("security.tech-account", new.clone()).await;
    house
        .fails(
            "zato.security.tech-account.create",
            new,
            409,
            "Technical account [Batch] already exists on this cluster",
        )
        .await;
    let got = house.ok("zato.security.tech-account.get-by-id", json!({"id": id})).await;
    let limits =
        json!({"id": id, "name": "Batch", "is_active": true, "rate_limit": null, "max_in_flight": null});
    assert_eq!(got, limits);
    house.create("http-soap", with(house.channel("A", "/a"), "security_id", id)).await;
    let call = async |password: &'static str| {
        let mut request = request("POST", "/a", None, r#"{"a":1}"#);
        request.headers_mut().insert("x-zato-user", HeaderValue::from_static("Batch"));
        request.headers_mut().insert("x-zato-password", HeaderValue::from_static(password));
        house.send(request).await.status
    };
    assert_eq!(call("").await, 401);
    let mut salts = Vec::new();
    for word in ["first", "second"] {
        let password = json!({"id": id, "password1": word, "password2": word});
        house.ok("zato.security.tech-account.change-password", password).await;
        let stored = house.odb.find::<SecurityDefinition>(id).await.unwrap().unwrap();
        let SecurityKind::TechnicalAccount { salt } = stored.kind else { panic!("a technical account") };
        let digest = stored.password.unwrap();
        assert_eq!((digest.expose().len(), salt.len()), (64, 32));
        salts.push(salt);
    }
    assert_ne!(salts[0], salts[1]);
    assert_eq!((call("first").await, call("second").await), (401, 200));
    let empty = json!({"id": id, "password1": "", "password2": ""});
    house.fails("zato.security.tech-account.change-password", empty, 400, "Password must not be empty").await;

    let own = json!({"id": id, "current_tech_account_name": "Batch"});
    let used = "Can't delete account [Batch], at least one client console uses it";
    house.fails("zato.security.tech-account.delete", own, 409, used).await;
    house
        .ok("zato.security.tech-account.delete", json!({"id": id, "current_tech_account_name": "Other"}))
        .await;
    assert_eq!(call("second").await, 404);
}

#[tokio::test]
async fn only_some_types_are_for_channels_and_only_some_for_connections() {
    let house = House::new().await;
    let mut ids = std::collections::HashMap::new();
    for (family, _, own) in types() {
        ids.insert(
            family,
            house.create(&format!("security.{family}"), request_of(&house, family, &own)).await,
        );
    }
    let create = "zato.http-soap.create";
    for (family, sec_type) in [("aws", "aws"), ("ntlm", "ntlm"), ("openstack", "openstack")] {
        let channel = with(house.channel(family, &format!("/{family}")), "security_id", ids[family]);
        house.fails(create, channel, 400, &format!("type {sec_type} can't guard a channel")).await;
        let plain = with(house.outgoing(family), "security_id", ids[family]);
        let message = format!("Only HTTP Basic Auth and API keys are supported, not [{sec_type}]");
        house.fails(create, plain, 400, &message).await;
    }
    house.create("http-soap", with(house.outgoing("Key"), "security_id", ids["apikey"])).await;
    let soap = with(with(house.outgoing("SOAP"), "security_id", ids["oauth"]), "transport", "soap");
    let message = "Security type must be HTTP Basic Auth, an API key or WS-Security, not [oauth]";
    house.fails(create, soap, 400, message).await;
}

fn authority() -> (String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "Test CA");
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    (format!("{}{certificate}", key.serialize_pem()), certificate)
}

#[tokio::test]
async fn certificates_of_connections() {
    let house = House::new().await;
    let (pair, certificate) = authority();
    let new = |name: &str, value: &str| json!({"cluster_id": house.cluster_id, "name": name, "is_active": true, "value": value});
    let ca = house.ok("zato.security.tls.ca-cert.create", new("CA", &certificate)).await;
    assert_eq!(ca["info"], "CN=Test CA");
    let taken = "A TLS CA cert [CA] already exists on this cluster";
    house.fails("zato.security.tls.ca-cert.create", new("CA", &certificate), 409, taken).await;
    let bad = "value is invalid: there is no certificate in it";
    house.fails("zato.security.tls.ca-cert.create", new("Bad", "none"), 400, bad).await;
    let key = house.ok("zato.security.tls.key-cert.create", new("Pair", &pair)).await;
    assert_eq!(key["info"], "EC; 256 bits; CN=Test CA");
    house
        .fails(
            "zato.security.tls.key-cert.create",
            new("No key", &certificate),
            400,
            "value is invalid: there is no private key in it",
        )
        .await;
    let list = house.ok("zato.security.tls.key-cert.get-list", json!({"cluster_id": house.cluster_id})).await;
    assert_eq!((&list[0]["value"], &list[0]["username"]), (&json!(pair), &json!("Pair")));

    let outgoing = with(house.outgoing("CRM"), "host", "https://127.0.0.1:9");
    let outgoing =
        with(with(outgoing, "security_id", key["id"].clone()), "sec_tls_ca_cert_id", ca["id"].clone());
    let id = house.create("http-soap", outgoing.clone()).await;
    let edited = without(with(outgoing, "id", id), "is_internal");
    house.ok("zato.http-soap.edit", edited.clone()).await;
    let without_ca = without(edited, "sec_tls_ca_cert_id");
    let message = "TLS CA certs is a required field if TLS keys/certs are used";
    house.fails("zato.http-soap.edit", without_ca, 400, message).await;
    let renamed = with(new("Other CA", &certificate), "id", ca["id"].clone());
    assert_eq!(house.ok("zato.security.tls.ca-cert.edit", renamed).await["info"], "CN=Test CA");
    assert!(house.environment.outgoing().plain_http("CRM").is_ok());

    // A connection is gone with whom it trusts.
    house.ok("zato.security.tls.ca-cert.delete", json!({"id": ca["id"]})).await;
    assert!(house.environment.outgoing().plain_http("CRM").is_err());
    let unknown = with(house.outgoing("New"), "sec_tls_ca_cert_id", ca["id"].clone());
    house
        .fails(
            "zato.http-soap.create",
            unknown,
            404,
            &format!("there is no TLS CA certificate with id [{}]", ca["id"]),
        )
        .await;
}
