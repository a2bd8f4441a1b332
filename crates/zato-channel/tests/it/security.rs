//! Who is let in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use rcgen::{CertificateParams, DnType, KeyPair};
use zato_channel::{
    ChannelConfig, ChannelError, ClientCertificate, Jwt, JwtKey, OAuth, Pages, SaltedDigest, Security,
    SecurityKind, Settings, SignatureMethod, Version, WsSecurity, XPath,
};
use zato_oauth::Authorization;
use zato_service::{Description, Raw, RawInput};
use zato_soap::UsernameToken;

use crate::support::{
    House, NOW, basic_auth, call, envelope, for_host, json, post, raw, soap, soap_request, with, xml,
};

fn basic(credentials: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(credentials))
}

fn guarded(house: &House) -> ChannelConfig {
    ChannelConfig { security: Some(basic_auth(1, "user", "pass")), ..json(1, "/json", &house.greeter()) }
}

#[test]
fn refused_callers_all_read_the_same() {
    let house = House::new();
    house.put(guarded(&house));
    for authorization in [
        None,
        Some("Bearer abc".to_owned()),
        Some("Basic".to_owned()),
        Some("Basic ???".to_owned()),
        Some(basic("user")),
        Some(basic("user:wrong")),
        Some(basic("other:pass")),
        Some(basic("user:pass ")),
    ] {
        let request = post("/json", "{");
        let request = match &authorization {
            Some(authorization) => with(request, "authorization", authorization),
            None => request,
        };
        let reply = house.call(request);
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{authorization:?}");
        assert_eq!(reply.header("www-authenticate"), "Basic realm=\"Test\"");
        assert_eq!(reply.details(), "UNAUTHORIZED path_info:`/json`, cid:`CID`");
    }
    let reply = house.call(with(post("/json", r#"{"name":"Ann"}"#), "authorization", &basic("user:pass")));
    assert_eq!(reply.status, StatusCode::OK);
}

#[test]
fn the_order_of_the_checks() {
    let house = House::new();
    let channel = guarded(&house);
    let status = |config: ChannelConfig| {
        house.put(config);
        house.call(with(post("/json", "{"), "content-encoding", "gzip")).status.as_u16()
    };
    assert_eq!(
        status(ChannelConfig { is_active: false, method: Some(http::Method::PUT), ..channel.clone() }),
        404
    );
    assert_eq!(status(ChannelConfig { method: Some(http::Method::PUT), ..channel.clone() }), 405);
    channel.service.configure(1, false, Duration::ZERO);
    assert_eq!(status(channel.clone()), 401);
    assert_eq!(status(ChannelConfig { security: None, ..channel.clone() }), 404);
    channel.service.configure(1, true, Duration::from_secs(1));
    assert_eq!(status(ChannelConfig { security: None, ..channel.clone() }), 415);
}

#[test]
fn a_definition_changes_in_all_its_channels() {
    let house = House::new();
    let channel = guarded(&house);
    house.put(channel.clone());
    house.put(ChannelConfig { id: 2, url_path: "/other".to_owned(), ..channel.clone() });
    house.put(ChannelConfig { id: 3, url_path: "/open".to_owned(), security: None, ..channel });
    let status = |path: &str, password: &str| {
        let request = post(path, r#"{"name":"Ann"}"#);
        house.call(with(request, "authorization", &basic(&format!("user:{password}")))).status.as_u16()
    };
    assert_eq!([status("/json", "pass"), status("/other", "pass")], [200, 200]);
    house.channels.put_security(&basic_auth(1, "user", "new"));
    assert_eq!([status("/json", "pass"), status("/other", "pass")], [401, 401]);
    assert_eq!([status("/json", "new"), status("/other", "new")], [200, 200]);
    house.channels.put_security(&basic_auth(99, "user", "pass"));
    assert_eq!(status("/json", "new"), 200);
    house.channels.remove_security(1);
    assert_eq!([status("/json", "new"), status("/other", "new"), status("/open", "new")], [404, 404, 200]);
}

fn ws_security(is_active: bool, strict: bool) -> Arc<Security> {
    let kind = SecurityKind::WsSecurity(WsSecurity {
        username: "user".to_owned(),
        password: "pass<&>".into(),
        reject_empty_nonce_creat: strict,
        reject_stale_tokens: strict,
        reject_expiry_limit: Duration::from_secs(60),
        nonce_freshness_time: Duration::from_secs(60),
    });
    Arc::new(Security::new(1, "tokens", is_active, kind).unwrap())
}

fn house_with(security: Arc<Security>) -> House {
    let house = House::new();
    let service = house.service(Description::new("caller"), |cx, ()| {
        Ok(serde_json::json!({"caller": cx.origin().caller.as_deref()}))
    });
    house.put(ChannelConfig { security: Some(security), ..soap(1, "/soap", "", Version::V11, &service) });
    house
}

fn message(header: &str) -> Request<Full<Bytes>> {
    let namespace = Version::V11.namespace();
    let message = format!(
        "<s:Envelope xmlns:s=\"{namespace}\"><s:Header>{header}</s:Header><s:Body><a/></s:Body></s:Envelope>"
    );
    soap_request("/soap", "", message)
}

#[track_caller]
fn check(house: &House, header: &str, is_let_in: bool) {
    let reply = house.call(message(header));
    if is_let_in {
        assert_eq!(reply.status, StatusCode::OK, "{header}: {reply:?}");
    } else {
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{header}: {reply:?}");
        assert_eq!(reply.header("www-authenticate"), "zato-wss");
        assert!(reply.body.contains("faultstring [UNAUTHORIZED path_info:`/soap`, cid:`CID`]"), "{reply:?}");
    }
}

#[test]
fn tokens_without_nonce_and_time() {
    let house = house_with(ws_security(true, false));
    let text = |username: &str, password: &str| UsernameToken::text(username, password).header_xml();
    check(&house, &text("user", "pass<&>"), true);
    check(&house, &text("user", "pass<&>"), true);
    check(&house, &text("User", "pass<&>"), false);
    check(&house, &text("user", "pass"), false);
    check(&house, "", false);
    check(&house, "<UsernameToken/>", false);
    check(&house, &text("user", "pass<&>").replace("PasswordText", "PasswordOther"), false);
    check(&house, &text("user", "pass<&>").replace("Type=", "Other="), false);
    // The time doesn't matter where tokens may be old; a nonce can't be used again where it needn't be there either.
    let old = UsernameToken::digest("user", "pass<&>", b"nonce", "2001-01-01T00:00:00.000Z");
    check(&house, &old.header_xml(), true);
    check(&house, &old.header_xml(), false);
    check(&house_with(ws_security(false, false)), &text("user", "pass<&>"), false);
    assert!(house.call(message(&text("user", "pass<&>"))).body.contains("tokens"));
}

#[test]
fn tokens_with_nonce_and_time() {
    let house = house_with(ws_security(true, true));
    let mut number = 0_u32;
    let mut digest = |created: &str| {
        number += 1;
        UsernameToken::digest("user", "pass<&>", number.to_be_bytes(), created).header_xml()
    };
    check(&house, &UsernameToken::text("user", "pass<&>").header_xml(), false);
    // An empty nonce is none.
    let empty = UsernameToken::digest("user", "pass<&>", b"", "2026-05-04T12:00:00.000Z");
    check(&house, &empty.header_xml(), false);
    for (created, is_let_in) in [
        ("2026-05-04T12:00:00.000Z", true),
        ("2026-05-04T11:59:00.000Z", true),
        ("2026-05-04T11:59:00Z", true),
        ("2026-05-04T13:59:30.5+02:00", true),
        ("2026-05-04T12:01:00.000Z", true),
        ("2026-05-04T11:58:59.999Z", false),
        ("2026-05-03T12:00:00.000Z", false),
        ("2025-05-04T12:00:00.000Z", false),
        ("2026-05-04T12:01:00.001Z", false),
        ("yesterday", false),
        ("", false),
    ] {
        check(&house, &digest(created), is_let_in);
    }
    let wrong = UsernameToken::digest("user", "wrong", b"nonce", "2026-05-04T12:00:00.000Z");
    check(&house, &wrong.header_xml(), false);
}

/// A nonce is used up by the token that it lets in, whatever becomes of the definition in the meantime.
#[test]
fn tokens_are_good_for_one_call() {
    let house = house_with(ws_security(true, true));
    let token = |created: &str| UsernameToken::digest("user", "pass<&>", b"nonce", created).header_xml();
    let wrong = UsernameToken::digest("user", "wrong", b"nonce", "2026-05-04T12:00:00.000Z");
    check(&house, &wrong.header_xml(), false);
    check(&house, &token("2026-05-04T12:00:00.000Z"), true);
    check(&house, &token("2026-05-04T12:00:00.000Z"), false);
    check(&house, &token("2026-05-04T12:00:01.000Z"), false);
    house.channels.put_security(&ws_security(false, true));
    house.channels.put_security(&ws_security(true, true));
    check(&house, &token("2026-05-04T12:00:00.000Z"), false);
    let denials = house.dispatcher.statistics().denials();
    let replayed = denials.iter().find(|denials| denials.reason == "replayed").unwrap();
    assert_eq!((&*replayed.definition, replayed.security_type, replayed.count), ("tokens", "wss", 3));
}

#[test]
fn what_is_no_message_proves_nothing() {
    let house = house_with(ws_security(true, false));
    for body in ["", "<a", "<a/>", "\u{FEFF}", "<!DOCTYPE a><a/>"] {
        let reply = house.call(soap_request("/soap", "", body));
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{body}: {reply:?}");
    }
}

#[test]
fn tokens_guard_soap_channels_only() {
    let house = House::new();
    let channel =
        ChannelConfig { security: Some(ws_security(true, false)), ..json(1, "/", &house.greeter()) };
    let error = house.channels.put(channel).unwrap_err();
    assert!(matches!(error, ChannelError::Security { .. }), "{error}");
}

/// One channel behind a definition of some type: what is answered without credentials, with right and with wrong ones.
#[track_caller]
fn check_headers(
    kind: &SecurityKind,
    challenge: &str,
    right: &[(&'static str, &str)],
    wrong: &[&[(&'static str, &str)]],
) {
    let house = House::new();
    let guarded = |is_active| {
        let security = Security::new(1, "Jobs", is_active, kind.clone()).unwrap();
        ChannelConfig { security: Some(Arc::new(security)), ..json(1, "/", &house.greeter()) }
    };
    let active = guarded(true);
    house.put(active.clone());
    let send = |headers: &[(&'static str, &str)]| {
        let request = post("/", r#"{"name":"Ann"}"#);
        house.call(headers.iter().fold(request, |request, (name, value)| with(request, name, value)))
    };
    assert_eq!(send(right).status, StatusCode::OK);
    for wrong in wrong.iter().chain([&[].as_slice()]) {
        let reply = send(wrong);
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{wrong:?}");
        assert_eq!(reply.header("www-authenticate"), challenge);
        assert_eq!(reply.details(), "UNAUTHORIZED path_info:`/`, cid:`CID`");
    }
    let inactive = Security::new(1, "Jobs", false, kind.clone()).unwrap();
    house.channels.put_security(&Arc::new(inactive));
    assert_eq!(send(right).status, StatusCode::UNAUTHORIZED);
    house.channels.remove_security(1);
    assert_eq!(send(right).status, StatusCode::NOT_FOUND);
    house.put(active);
    assert_eq!(send(right).status, StatusCode::OK);
    let denials = house.dispatcher.statistics().denials();
    let inactive = denials.iter().find(|denials| denials.reason == "inactive").unwrap();
    assert_eq!((&*inactive.definition, inactive.count), ("Jobs", 1));
    assert_eq!(denials.iter().map(|denials| denials.count).sum::<u64>(), wrong.len() as u64 + 2);
}

#[test]
fn signatures_of_oauth() {
    let house = House::new();
    let kind = SecurityKind::OAuth(OAuth {
        consumer_key: "crm".to_owned(),
        consumer_secret: "s3cret".into(),
        signature_method: SignatureMethod::HmacSha1,
        max_nonces: 100,
    });
    let security = |is_active| Arc::new(Security::new(1, "CRM", is_active, kind.clone()).unwrap());
    let service = house.service(Description::new("body"), |_, input: RawInput| Ok(Raw::new(input.body)));
    house.put(ChannelConfig { security: Some(security(true)), ..raw(1, "/signed", &service) });
    let signed = |form: Option<&str>, nonce: &str, timestamp: i64| {
        let request = zato_oauth::Request {
            method: "POST",
            scheme: "http",
            authority: "esb.example.com",
            path: "/signed",
            query: Some("a=%20b"),
            form,
        };
        let credentials =
            zato_oauth::Credentials { consumer_key: "crm", consumer_secret: "s3cret", token: None };
        let timestamp = u64::try_from(timestamp).unwrap();
        Authorization::sign(&request, &credentials, SignatureMethod::HmacSha1, timestamp, nonce).unwrap()
    };
    let reply = |authorization: &str, content_type: &str, body: &str| {
        let request = with(post("/signed?a=%20b", body.to_owned()), "authorization", authorization);
        house.call(with(for_host(request, "esb.example.com"), "content-type", content_type))
    };
    let send = |authorization: &str, content_type: &str, body: &str| {
        reply(authorization, content_type, body).status.as_u16()
    };
    let now = NOW.unix_timestamp();
    const FORM: &str = "application/x-www-form-urlencoded";
    let first = signed(None, "1", now);
    assert_eq!(send(&first, "application/json", "{}"), 200);
    assert_eq!(send(&first, "application/json", "{}"), 401, "a replay");
    assert_eq!(send(&signed(None, "2", now - 301), "text/plain", ""), 401, "too old");
    assert_eq!(send(&signed(Some("c=d"), "3", now), FORM, "c=d"), 200);
    assert_eq!(send(&signed(Some("c=d"), "4", now), FORM, "c=e"), 401, "another form");
    assert_eq!(send(&signed(None, "5", now), FORM, "c=d"), 401, "a form that isn't signed");
    assert_eq!(send("Basic dTpw", "text/plain", ""), 401);
    // A form that says too much is not read, and its sender learns no more than that it proves nothing.
    let long = "%".repeat(1024 * 1024);
    let (wrong, unread) =
        (reply(&signed(Some("c=d"), "4", now), FORM, "c=e"), reply(&signed(None, "4", now), FORM, &long));
    assert_eq!((unread.status, unread.body), (wrong.status, wrong.body));
    let denials = house.dispatcher.statistics().denials();
    let malformed = denials.iter().find(|denials| denials.reason == "malformed").unwrap();
    assert_eq!(malformed.count, 2, "no signature at all, and the long form");
    // The memory of nonces outlives changes of the definition and of the channel.
    house.channels.put_security(&security(false));
    assert_eq!(send(&signed(None, "6", now), "text/plain", ""), 401, "inactive");
    house.put(ChannelConfig { security: Some(security(true)), ..raw(1, "/signed", &service) });
    assert_eq!(send(&first, "application/json", "{}"), 401, "still a replay");
    assert_eq!(send(&signed(None, "7", now), "text/plain", ""), 200);
}

/// A channel that looks for its caller's proof all over a message.
fn put_searched(house: &House) {
    let rules = XPath {
        username: "ann".to_owned(),
        username_expr: "//user".to_owned(),
        password: "s3cret".into(),
        password_expr: None,
    };
    let security = Arc::new(Security::new(1, "XPath", true, SecurityKind::XPath(rules)).unwrap());
    house.put(ChannelConfig { security: Some(security), ..xml(1, "/xml", &house.greeter()) });
}

/// Each of these bodies is looked at before anybody is believed, and takes long.
#[test]
fn large_bodies_are_looked_at_beside_other_calls() {
    let house = House::new();
    put_searched(&house);
    house.put(json(2, "/json", &house.registry.find("demo.greet").unwrap()));
    let body = format!("<a>{}</a>", "<b/>".repeat(100_000));
    // One thread, on which calls are made in the order in which they come.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let answered = Arc::new(AtomicUsize::new(0));
    runtime.block_on(async {
        let large: Vec<_> = (0..8)
            .map(|_| {
                let (dispatcher, answered) = (house.dispatcher.clone(), Arc::clone(&answered));
                let request = post("/xml", body.clone());
                tokio::spawn(async move {
                    let reply = call(&dispatcher, request).await;
                    answered.fetch_add(1, SeqCst);
                    reply.status
                })
            })
            .collect();
        let dispatcher = house.dispatcher.clone();
        let small = tokio::spawn(async move { call(&dispatcher, post("/json", r#"{"name":"Ann"}"#)).await });
        assert_eq!(small.await.unwrap().status, StatusCode::OK);
        assert!(answered.load(SeqCst) < large.len(), "all others were answered before");
        for large in large {
            assert_eq!(large.await.unwrap(), StatusCode::UNAUTHORIZED);
        }
    });
}

/// What expressions need to look at a message is a multiple of its length.
#[test]
fn messages_are_searched_if_there_is_memory() {
    let house = House::with(Pages::new(), Settings { max_buffered_bytes: 1_000_000, ..Settings::default() });
    put_searched(&house);
    let status = |content: &str| house.call(post("/xml", format!("<a>{content}</a>"))).status;
    assert_eq!(status(&"x".repeat(100_000)), StatusCode::UNAUTHORIZED);
    assert_eq!(status(&"<b a='' b=''/>".repeat(2_000)), StatusCode::SERVICE_UNAVAILABLE);
}

#[test]
fn client_certificates() {
    let house = House::new();
    let rules = "CN=client\nO=Example".parse().unwrap();
    let security = Security::new(1, "Partners", true, SecurityKind::ClientCertificate(rules)).unwrap();
    house.put(ChannelConfig { security: Some(Arc::new(security)), ..json(1, "/", &house.greeter()) });
    let certificate = |name: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.distinguished_name.push(DnType::OrganizationName, "Example");
        ClientCertificate::new(params.self_signed(&KeyPair::generate().unwrap()).unwrap().der())
    };
    let send = |certificate: Option<ClientCertificate>| {
        // What a proxy would say of a certificate counts for nothing.
        let mut request = with(post("/", r#"{"name":"Ann"}"#), "x-zato-tls-cn", "client");
        if let Some(certificate) = certificate {
            request.extensions_mut().insert(certificate);
        }
        let reply = house.call(request);
        (reply.status.as_u16(), reply.header("www-authenticate").to_owned())
    };
    assert_eq!(send(Some(certificate("client"))).0, 200);
    assert_eq!(send(Some(certificate("other"))), (401, "zato-tls-channel-sec".to_owned()));
    assert_eq!(send(None).0, 401);
}

#[test]
fn bearer_tokens() {
    let secret = "0123456789abcdef0123456789abcdef";
    let token = |secret: &str, expires: i64| {
        let encode = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let claims = format!(r#"{{"exp":{expires},"iss":"idp"}}"#);
        let message = format!("{}.{}", encode(r#"{"alg":"HS256"}"#), encode(&claims));
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
        let signature = ring::hmac::sign(&key, message.as_bytes());
        format!("Bearer {message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    };
    let now = NOW.unix_timestamp();
    let key = JwtKey::Hs256(secret.into());
    check_headers(
        &SecurityKind::Jwt(Jwt {
            key,
            issuer: Some("idp".to_owned()),
            audience: None,
            leeway: Duration::from_secs(60),
        }),
        "Bearer",
        &[("authorization", &token(secret, now + 10))],
        &[
            &[("authorization", &token(secret, now - 61))],
            &[("authorization", &token("fedcba9876543210fedcba9876543210", now + 10))],
            &[("authorization", "Bearer a.b.c")],
            &[("authorization", "Basic dTpw")],
        ],
    );
}

#[test]
fn credentials_in_messages() {
    let house = House::new();
    let kind = SecurityKind::XPath(XPath {
        username: "ann".to_owned(),
        username_expr: "//*[local-name() = 'user']".to_owned(),
        password: "s3cret".into(),
        password_expr: Some("//*[local-name() = 'pass']".to_owned()),
    });
    let security = |is_active| Arc::new(Security::new(1, "Letters", is_active, kind.clone()).unwrap());
    let greeter = house.greeter();
    house.put(ChannelConfig { security: Some(security(true)), ..xml(1, "/xml", &greeter) });
    house.put(ChannelConfig {
        security: Some(security(true)),
        ..soap(2, "/soap", "", Version::V11, &greeter)
    });
    let message = |user: &str, pass: &str| {
        format!(
            "<demo_greet_request><name>A</name><user>{user}</user><pass>{pass}</pass></demo_greet_request>"
        )
    };
    let send = |message: &str| {
        let plain = house.call(post("/xml", message.to_owned()));
        let in_envelope = house.call(soap_request("/soap", "", envelope(message)));
        assert_eq!(plain.status, in_envelope.status, "{message}");
        if plain.status == StatusCode::UNAUTHORIZED {
            assert_eq!(in_envelope.header("www-authenticate"), "zato-xpath");
        }
        plain.status.as_u16()
    };
    assert_eq!(send(&message("ann", "s3cret")), 200);
    for (user, pass) in [("Ann", "s3cret"), ("ann", "S3cret"), ("ann", ""), ("", "s3cret"), ("", "")] {
        assert_eq!(send(&message(user, pass)), 401, "{user} {pass}");
    }
    assert_eq!(send("<a/>"), 401);
    for unreadable in ["", "<a", "{}", "<!DOCTYPE a><a/>"] {
        assert_eq!(house.call(post("/xml", unreadable)).status, StatusCode::UNAUTHORIZED, "{unreadable}");
    }
    house.channels.put_security(&security(false));
    assert_eq!(send(&message("ann", "s3cret")), 401);
    let refused =
        house.channels.put(ChannelConfig { security: Some(security(true)), ..json(3, "/json", &greeter) });
    assert_eq!(
        refused.unwrap_err().to_string(),
        "channel [channel 3]: definition [Letters] is of a type that guards XML and SOAP channels only"
    );
}

#[test]
fn api_keys() {
    check_headers(
        &SecurityKind::ApiKey { header: "X-API-Key".to_owned(), key: "s3cret".into() },
        "zato-apikey",
        &[("x-api-key", "s3cret")],
        &[&[("x-api-key", "S3cret")], &[("x-api-key", "")], &[("x-other", "s3cret")]],
    );
}

#[test]
fn technical_accounts() {
    check_headers(
        &SecurityKind::TechnicalAccount { password: SaltedDigest::of(&"s3cret".into(), "salt") },
        "zato-tech-acc",
        &[("x-zato-user", "Jobs"), ("x-zato-password", "s3cret")],
        &[
            &[("x-zato-user", "jobs"), ("x-zato-password", "s3cret")],
            &[("x-zato-user", "Jobs"), ("x-zato-password", "")],
            &[("x-zato-user", "Jobs")],
        ],
    );
}

/// A body that must not be asked for.
struct Unasked;

impl http_body::Body for Unasked {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        panic!("the body was asked for");
    }
}

#[test]
fn credentials_are_checked_before_the_body_is_asked_for() {
    let house = House::new();
    house.put(guarded(&house));
    let request = Request::post("/json")
        .header("host", "localhost")
        .header("expect", "100-continue")
        .body(Unasked)
        .unwrap();
    let reply = house.runtime.block_on(call(&house.dispatcher, request));
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
}
