//! Whether the time until a refusal tells what was wrong.
//!
//! A measurement as much as a test: it prints how long refusals take, and how often somebody who compares two of them would
//! guess right which is which: half of the time if they tell nothing. The bound is wide, because other tests run beside it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use zato_channel::{
    ChannelConfig, FailureDelays, OAuth, Pages, SaltedDigest, Security, SecurityKind, Settings,
    SignatureMethod, Version, WsSecurity, XPath,
};
use zato_oauth::{Authorization, Credentials};
use zato_soap::UsernameToken;

use crate::support::{House, NOW, json, post, soap, with};

/// How many refusals of each sort are measured.
const CALLS: usize = 2_000;

/// What is sent: a path, and the user's name and the password of somebody.
type Prove = fn(&'static str, &str, &str) -> Request<Full<Bytes>>;

/// How often the second of two answers takes longer if one of each sorted sample is taken at random: 0.5 tells nothing.
fn chance(first: &[Duration], second: &[Duration]) -> f64 {
    // Equal times count half, so everything is counted twice.
    let longer = second.iter().map(|time| {
        first.partition_point(|other| other < time) + first.partition_point(|other| other <= time)
    });
    longer.sum::<usize>() as f64 / (2 * first.len() * second.len()) as f64
}

/// Nobody learns from the time of a refusal whether there is a user of that name, or whether the definition is active.
#[track_caller]
fn check(what: &str, is_soap: bool, kind: &SecurityKind, prove: Prove) {
    let failure_delays = FailureDelays { free: u32::MAX, ..FailureDelays::default() };
    let house = House::with(Pages::new(), Settings { failure_delays, ..Settings::default() });
    let greeter = house.greeter();
    for (id, path, is_active) in [(1, "/on", true), (2, "/no", false)] {
        let security = Some(Arc::new(Security::new(id, "user", is_active, kind.clone()).unwrap()));
        let channel =
            if is_soap { soap(id, path, "", Version::V11, &greeter) } else { json(id, path, &greeter) };
        house.put(ChannelConfig { security, ..channel });
    }
    let mistakes = [
        ("wrong password", "/on", "user", "drowssap"),
        ("unknown user", "/on", "resu", "password"),
        ("both", "/on", "resu", "drowssap"),
        ("inactive", "/no", "user", "password"),
    ];
    let mut times = mistakes.map(|_| Vec::with_capacity(CALLS));
    // All of them in turn, so that whatever else the machine does slows down all of them alike.
    for _ in 0..CALLS {
        for ((_, path, user, password), times) in mistakes.iter().zip(&mut times) {
            let request = prove(path, user, password);
            let begun = Instant::now();
            let reply = house.call(request);
            times.push(begun.elapsed());
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{what} {reply:?}");
        }
    }
    for times in &mut times {
        times.sort_unstable();
    }
    let [known, ..] = &times;
    let at = |times: &[Duration], percent: usize| times[times.len() * percent / 100];
    for ((mistake, ..), times) in mistakes.iter().zip(&times) {
        let (median, chance) = (at(times, 50), chance(known, times));
        println!(
            "{what:10} {mistake:15} p10 {:>9.1?} median {median:>9.1?} p90 {:>9.1?} longer than with a wrong password: {:.1} %",
            at(times, 10),
            at(times, 90),
            chance * 100.0,
        );
        let ratio = median.as_secs_f64() / at(known, 50).as_secs_f64();
        assert!((0.6..1.6).contains(&ratio), "{what} {mistake}: the median is {ratio:.2} of the other");
    }
}

fn message(path: &'static str, block: &str, elements: &str) -> Request<Full<Bytes>> {
    let namespace = Version::V11.namespace();
    post(
        path,
        format!(
            "<s:Envelope xmlns:s=\"{namespace}\"><s:Header>{block}</s:Header><s:Body><r>{elements}</r></s:Body></s:Envelope>"
        ),
    )
}

#[test]
fn basic_auth() {
    let (realm, username, password) = ("Test".to_owned(), "user".to_owned(), "password".into());
    check(
        "basic_auth",
        false,
        &SecurityKind::BasicAuth { realm, username, password },
        |path, user, password| {
            let credentials = BASE64_STANDARD.encode(format!("{user}:{password}"));
            with(post(path, "{}"), "authorization", &format!("Basic {credentials}"))
        },
    );
}

#[test]
fn technical_accounts() {
    let kind = SecurityKind::TechnicalAccount { password: SaltedDigest::of(&"password".into(), "salt") };
    check("tech_acc", false, &kind, |path, user, password| {
        with(with(post(path, "{}"), "x-zato-user", user), "x-zato-password", password)
    });
}

fn ws_security() -> SecurityKind {
    SecurityKind::WsSecurity(WsSecurity {
        username: "user".to_owned(),
        password: "password".into(),
        reject_empty_nonce_creat: false,
        reject_stale_tokens: false,
        reject_expiry_limit: Duration::ZERO,
        nonce_freshness_time: Duration::ZERO,
    })
}

#[test]
fn tokens_with_the_password() {
    check("wss text", true, &ws_security(), |path, user, password| {
        message(path, &UsernameToken::text(user, password).header_xml(), "")
    });
}

#[test]
fn tokens_with_a_digest() {
    check("wss digest", true, &ws_security(), |path, user, password| {
        let token = UsernameToken::digest(user, password, b"nonce", "2026-05-04T12:00:00.000Z");
        message(path, &token.header_xml(), "")
    });
}

#[test]
fn credentials_in_messages() {
    let kind = SecurityKind::XPath(XPath {
        username: "user".to_owned(),
        username_expr: "//user".to_owned(),
        password: "password".into(),
        password_expr: Some("//pass".to_owned()),
    });
    check("xpath_sec", true, &kind, |path, user, password| {
        message(path, "", &format!("<user>{user}</user><pass>{password}</pass>"))
    });
}

#[test]
fn signatures() {
    let kind = SecurityKind::OAuth(OAuth {
        consumer_key: "user".to_owned(),
        consumer_secret: "password".into(),
        signature_method: SignatureMethod::HmacSha1,
        max_nonces: 10,
    });
    check("oauth", false, &kind, |path, user, password| {
        let signed = zato_oauth::Request {
            method: "POST",
            scheme: "http",
            authority: "esb.example.com",
            path,
            query: None,
            form: None,
        };
        let credentials = Credentials { consumer_key: user, consumer_secret: password, token: None };
        let now = u64::try_from(NOW.unix_timestamp()).unwrap();
        let signed =
            Authorization::sign(&signed, &credentials, SignatureMethod::HmacSha1, now, "nonce").unwrap();
        with(with(post(path, "{}"), "host", "esb.example.com"), "authorization", &signed)
    });
}
