//! Who is let in.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use zato_channel::{ChannelConfig, ChannelError, SaltedDigest, Security, SecurityKind, Version, WsSecurity};
use zato_service::Description;
use zato_soap::UsernameToken;

use crate::support::{House, basic_auth, call, json, post, soap, soap_request, with};

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
    let request = Request::post("/json").header("expect", "100-continue").body(Unasked).unwrap();
    let reply = house.runtime.block_on(call(&house.dispatcher, request));
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
}
