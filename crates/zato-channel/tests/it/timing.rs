//! Whether the time until a refusal, or its text, tells what was wrong.
//!
//! A measurement as much as a test: it prints how long refusals take, and how often somebody who compares two of them would
//! guess right which is which: half of the time if they tell nothing. The bound is wide, because other tests run beside it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use rcgen::{CertificateParams, DnType, KeyPair};
use zato_channel::{
    ChannelConfig, ClientCertificate, FailureDelays, Jwt, JwtKey, OAuth, Pages, SaltedDigest, Security,
    SecurityKind, Settings, SignatureMethod, Version, WsSecurity, XPath,
};
use zato_oauth::{Authorization, Credentials};
use zato_soap::UsernameToken;

use crate::support::{House, NOW, for_host, json, post, soap, with};

/// How many refusals of each sort are measured.
const CALLS: usize = 1_000;

/// The channels: of an active definition, of an inactive one, of one that was deleted, and one that never was.
const ACTIVE: &str = "/on";
const INACTIVE: &str = "/no";
const DELETED: &str = "/rm";
const NEVER: &str = "/nv";

type Call = Request<Full<Bytes>>;

/// A way to be refused.
struct Way {
    name: &'static str,
    request: Box<dyn Fn() -> Call>,
}

fn way(name: &'static str, request: impl Fn() -> Call + 'static) -> Way {
    Way { name, request: Box::new(request) }
}

/// Requests of one form, which differ in nothing but in what their senders may not learn.
type Alike = Vec<Way>;

/// What is wrong with a name and a secret, and what is wrong although they are right.
fn credentials(prove: impl Fn(&'static str, &str, &str) -> Call + Copy + 'static) -> Alike {
    vec![
        way("wrong password", move || prove(ACTIVE, "user", "drowssap")),
        way("unknown user", move || prove(ACTIVE, "resu", "password")),
        way("both", move || prove(ACTIVE, "resu", "drowssap")),
        way("inactive", move || prove(INACTIVE, "user", "password")),
        way("inactive and wrong", move || prove(INACTIVE, "user", "drowssap")),
    ]
}

/// A request that proves nothing, whatever the definition says.
fn malformed(name: &'static str, request: impl Fn(&'static str) -> Call + Copy + 'static) -> Alike {
    vec![way(name, move || request(ACTIVE)), way("the same, inactive", move || request(INACTIVE))]
}

/// How often the second of two answers takes longer if one of each sorted sample is taken at random: 0.5 tells nothing.
fn chance(first: &[Duration], second: &[Duration]) -> f64 {
    // Equal times count half, so everything is counted twice.
    let longer = second.iter().map(|time| {
        first.partition_point(|other| other < time) + first.partition_point(|other| other <= time)
    });
    longer.sum::<usize>() as f64 / (2 * first.len() * second.len()) as f64
}

/// What `right` proves lets it in once, and never again where it is good for one call only.
struct Scheme {
    name: &'static str,
    is_soap: bool,
    kind: SecurityKind,
    right: Box<dyn Fn(&'static str) -> Call>,
    ways: Vec<Alike>,
}

impl Scheme {
    fn house(&self) -> House {
        let failure_delays = FailureDelays { free: u32::MAX, ..FailureDelays::default() };
        let house = House::with(Pages::new(), Settings { failure_delays, ..Settings::default() });
        let greeter = house.greeter();
        for (id, path, is_active) in [(1, ACTIVE, true), (2, INACTIVE, false), (3, DELETED, true)] {
            let security = Security::new(id, "user", is_active, self.kind.clone()).unwrap();
            let channel = if self.is_soap {
                soap(id, path, "", Version::V11, &greeter)
            } else {
                json(id, path, &greeter)
            };
            house.put(ChannelConfig { security: Some(Arc::new(security)), ..channel });
        }
        house.channels.remove_security(3);
        house
    }

    /// Nobody learns from a refusal whether there is a user of that name, whether the definition is active, or whether a
    /// part of what was sent is right; and nobody learns that there has been a definition.
    #[track_caller]
    fn check(mut self) {
        let house = self.house();
        let let_in = house.call((self.right)(ACTIVE));
        assert!(!matches!(let_in.status.as_u16(), 401 | 404), "{} {let_in:?}", self.name);
        let right: Arc<dyn Fn(&'static str) -> Call> = Arc::from(self.right);
        let deleted = Arc::clone(&right);
        self.ways
            .push(vec![way("never there", move || right(NEVER)), way("deleted", move || deleted(DELETED))]);
        let mut times: Vec<Vec<Vec<Duration>>> =
            self.ways.iter().map(|ways| ways.iter().map(|_| Vec::with_capacity(CALLS)).collect()).collect();
        // All of them in turn, so that whatever else the machine does slows down all of them alike; and each of them as often
        // the first of its form, which pays for memory that no cache has.
        for call in 0..CALLS {
            for (ways, times) in self.ways.iter().zip(&mut times) {
                let mut said = None;
                for place in 0..ways.len() {
                    let turn = (call + place) % ways.len();
                    let (way, times) = (&ways[turn], &mut times[turn]);
                    let request = (way.request)();
                    let path = request.uri().path().to_owned();
                    let begun = Instant::now();
                    let reply = house.call(request);
                    times.push(begun.elapsed());
                    let expected = if [NEVER, DELETED].contains(&&*path) { 404 } else { 401 };
                    assert_eq!(reply.status.as_u16(), expected, "{} {} {reply:?}", self.name, way.name);
                    let mut headers = reply.headers;
                    headers.remove("x-zato-cid");
                    let text = (headers, reply.body.replace(&path, "PATH"));
                    assert_eq!(*said.get_or_insert_with(|| text.clone()), text, "{} {}", self.name, way.name);
                }
            }
        }
        for (ways, times) in self.ways.iter().zip(&mut times) {
            compare(self.name, ways, times);
        }
    }
}

/// Prints how long ways of one form take, and bounds how far each is from the first.
#[track_caller]
fn compare(scheme: &str, ways: &[Way], times: &mut [Vec<Duration>]) {
    for times in &mut *times {
        times.sort_unstable();
    }
    let at = |times: &[Duration], percent: usize| times[times.len() * percent / 100];
    for (way, some) in ways.iter().zip(&*times) {
        let (median, chance) = (at(some, 50), chance(&times[0], some));
        println!(
            "{scheme:15} {:32} p10 {:>9.1?} median {median:>9.1?} p90 {:>9.1?} longer than the first: {:.1} %",
            way.name,
            at(some, 10),
            at(some, 90),
            chance * 100.0,
        );
        let ratio = median.as_secs_f64() / at(&times[0], 50).as_secs_f64();
        assert!((0.5..2.0).contains(&ratio), "{scheme} {}: the median is {ratio:.2} of the other", way.name);
    }
}

fn authorized(path: &'static str, authorization: &str) -> Call {
    with(post(path, "{}"), "authorization", authorization)
}

fn message(path: &'static str, block: &str, elements: &str) -> Call {
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
    let prove = |path, user: &str, password: &str| {
        authorized(path, &format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))))
    };
    let (realm, username, password) = ("Test".to_owned(), "user".to_owned(), "password".into());
    Scheme {
        name: "basic_auth",
        is_soap: false,
        kind: SecurityKind::BasicAuth { realm, username, password },
        right: Box::new(move |path| prove(path, "user", "password")),
        ways: vec![
            credentials(prove),
            malformed("no header", |path| post(path, "{}")),
            malformed("another scheme", |path| authorized(path, "Bearer dXNlcjpwYXNzd29yZA==")),
            malformed("no base 64", |path| authorized(path, "Basic dXNlcjpwYXNzd29yZA=!")),
            malformed("no colon", |path| authorized(path, "Basic dXNlcnBhc3N3b3Jk")),
        ],
    }
    .check();
}

#[test]
fn technical_accounts() {
    let prove = |path, user: &str, password: &str| {
        with(with(post(path, "{}"), "x-zato-user", user), "x-zato-password", password)
    };
    Scheme {
        name: "tech_acc",
        is_soap: false,
        kind: SecurityKind::TechnicalAccount { password: SaltedDigest::of(&"password".into(), "salt") },
        right: Box::new(move |path| prove(path, "user", "password")),
        ways: vec![
            credentials(prove),
            malformed("no headers", |path| post(path, "{}")),
            malformed("no password", |path| with(post(path, "{}"), "x-zato-user", "user")),
            malformed("no user", |path| with(post(path, "{}"), "x-zato-password", "password")),
        ],
    }
    .check();
}

#[test]
fn api_keys() {
    let prove = |path, key: &str| with(post(path, "{}"), "x-api-key", key);
    Scheme {
        name: "apikey",
        is_soap: false,
        kind: SecurityKind::ApiKey { header: "X-API-Key".to_owned(), key: "password".into() },
        right: Box::new(move |path| prove(path, "password")),
        ways: vec![
            vec![
                way("wrong key", move || prove(ACTIVE, "drowssap")),
                way("the last byte is wrong", move || prove(ACTIVE, "passwore")),
                way("inactive", move || prove(INACTIVE, "password")),
                way("inactive and wrong", move || prove(INACTIVE, "drowssap")),
            ],
            malformed("no header", |path| post(path, "{}")),
            malformed("an empty one", move |path| prove(path, "")),
        ],
    }
    .check();
}

fn ws_security(is_strict: bool) -> SecurityKind {
    SecurityKind::WsSecurity(WsSecurity {
        username: "user".to_owned(),
        password: "password".into(),
        reject_empty_nonce_creat: is_strict,
        reject_stale_tokens: is_strict,
        reject_expiry_limit: Duration::from_secs(60),
        nonce_freshness_time: Duration::from_secs(60),
    })
}

#[test]
fn tokens_with_the_password() {
    let prove = |path, user: &str, password: &str| {
        message(path, &UsernameToken::text(user, password).header_xml(), "")
    };
    Scheme {
        name: "wss text",
        is_soap: true,
        kind: ws_security(false),
        right: Box::new(move |path| prove(path, "user", "password")),
        ways: vec![
            credentials(prove),
            malformed("no token", |path| message(path, "", "")),
            malformed("half a message", |path| post(path, "<s:Envelope")),
            malformed("another type of password", |path| {
                let token = UsernameToken::text("user", "password").header_xml();
                message(path, &token.replace("#PasswordText", "#PasswordOther"), "")
            }),
        ],
    }
    .check();
}

#[test]
fn tokens_with_a_digest() {
    const CREATED: &str = "2026-05-04T12:00:00.000Z";
    let made = |path, user: &str, password: &str, nonce: &str, created: &str| {
        message(path, &UsernameToken::digest(user, password, nonce, created).header_xml(), "")
    };
    let prove = move |path, user: &str, password: &str| made(path, user, password, "fresh", CREATED);
    let text = |path, password: &str| message(path, &UsernameToken::text("user", password).header_xml(), "");
    let mut ways = credentials(prove);
    ways.push(way("replayed", move || made(ACTIVE, "user", "password", "known", CREATED)));
    ways.push(way("replayed and wrong", move || made(ACTIVE, "user", "drowssap", "known", CREATED)));
    ways.push(way("replayed and inactive", move || made(INACTIVE, "user", "password", "known", CREATED)));
    for (name, created) in [("stale", "2026-05-04T11:58:59.000Z"), ("for later", "2026-05-04T12:02:00.000Z")]
    {
        ways.push(way(name, move || made(ACTIVE, "user", "password", "fresh", created)));
    }
    let yesterday = move |path, password: &str| made(path, "user", password, "fresh", "yesterday");
    Scheme {
        name: "wss digest",
        is_soap: true,
        kind: ws_security(true),
        right: Box::new(move |path| made(path, "user", "password", "known", CREATED)),
        ways: vec![
            ways,
            vec![
                way("wrong, without a nonce", move || text(ACTIVE, "drowssap")),
                way("right, without a nonce", move || text(ACTIVE, "password")),
                way("inactive, without a nonce", move || text(INACTIVE, "password")),
            ],
            vec![
                way("wrong, created at no time", move || yesterday(ACTIVE, "drowssap")),
                way("right, created at no time", move || yesterday(ACTIVE, "password")),
                way("inactive, created at no time", move || yesterday(INACTIVE, "password")),
            ],
            malformed("no token", |path| message(path, "", "")),
        ],
    }
    .check();
}

#[test]
fn credentials_in_messages() {
    let prove = |path, user: &str, password: &str| {
        message(path, "", &format!("<user>{user}</user><pass>{password}</pass>"))
    };
    let kind = SecurityKind::XPath(XPath {
        username: "user".to_owned(),
        username_expr: "//user".to_owned(),
        password: "password".into(),
        password_expr: Some("//pass".to_owned()),
    });
    Scheme {
        name: "xpath_sec",
        is_soap: true,
        kind,
        right: Box::new(move |path| prove(path, "user", "password")),
        ways: vec![
            credentials(prove),
            malformed("no user", |path| message(path, "", "<pass>password</pass>")),
            malformed("no password", |path| message(path, "", "<user>user</user>")),
            malformed("half a message", |path| post(path, "<s:Envelope")),
        ],
    }
    .check();
}

/// A signature of somebody, by a method, with the name of a token, so many seconds ago.
#[derive(Clone, Copy)]
struct Signed<'a> {
    user: &'a str,
    password: &'a str,
    method: SignatureMethod,
    token: Option<&'a str>,
    age: i64,
    nonce: &'a str,
}

impl Signed<'_> {
    fn to(self, path: &'static str) -> Call {
        let signed = zato_oauth::Request {
            method: "POST",
            scheme: "http",
            authority: "esb.example.com",
            path,
            query: None,
            form: None,
        };
        let token = self.token.map(|token| (token, self.password));
        let credentials = Credentials { consumer_key: self.user, consumer_secret: self.password, token };
        let time = u64::try_from(NOW.unix_timestamp() - self.age).unwrap();
        let signed = Authorization::sign(&signed, &credentials, self.method, time, self.nonce).unwrap();
        with(for_host(post(path, "{}"), "esb.example.com"), "authorization", &signed)
    }
}

fn check_signatures(name: &'static str, method: SignatureMethod, another: SignatureMethod) {
    let right = Signed { user: "user", password: "password", method, token: None, age: 0, nonce: "known" };
    let wrong = Signed { password: "drowssap", ..right };
    let fresh = Signed { nonce: "fresh", ..right };
    let mut ways = credentials(move |path, user, password| Signed { user, password, ..fresh }.to(path));
    ways.push(way("replayed", move || right.to(ACTIVE)));
    ways.push(way("replayed and wrong", move || wrong.to(ACTIVE)));
    ways.push(way("replayed and inactive", move || right.to(INACTIVE)));
    ways.push(way("stale", move || Signed { age: 301, ..fresh }.to(ACTIVE)));
    ways.push(way("for later", move || Signed { age: -301, ..fresh }.to(ACTIVE)));
    let other = Signed { method: another, ..fresh };
    let unknown = Signed { token: Some("resu"), ..fresh };
    let wrong_password = |signed| Signed { password: "drowssap", ..signed };
    Scheme {
        name,
        is_soap: false,
        kind: SecurityKind::OAuth(OAuth {
            consumer_key: "user".to_owned(),
            consumer_secret: "password".into(),
            signature_method: method,
            max_nonces: 10,
        }),
        right: Box::new(move |path| right.to(path)),
        ways: vec![
            ways,
            vec![
                way("wrong, by another method", move || wrong_password(other).to(ACTIVE)),
                way("right, by another method", move || other.to(ACTIVE)),
                way("inactive, by another method", move || other.to(INACTIVE)),
            ],
            vec![
                way("wrong, with another token", move || wrong_password(unknown).to(ACTIVE)),
                way("right, with another token", move || unknown.to(ACTIVE)),
                way("inactive, with another token", move || unknown.to(INACTIVE)),
            ],
            malformed("no header", |path| post(path, "{}")),
            malformed("another scheme", |path| authorized(path, "Basic dXNlcjpwYXNzd29yZA==")),
            malformed("half a header", |path| authorized(path, "OAuth oauth_consumer_key=\"user\"")),
        ],
    }
    .check();
}

#[test]
fn signatures() {
    check_signatures("oauth hmac-sha1", SignatureMethod::HmacSha1, SignatureMethod::HmacSha256);
}

#[test]
fn signatures_in_clear() {
    check_signatures("oauth plaintext", SignatureMethod::Plaintext, SignatureMethod::HmacSha1);
}

#[test]
fn bearer_tokens() {
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const WRONG: &str = "fedcba9876543210fedcba9876543210";
    let token = |path, secret: &str, algorithm: &str, expires: i64, issuer: &str| {
        let encode = |text: String| BASE64_URL_SAFE_NO_PAD.encode(text);
        let claims = format!(r#"{{"exp":{},"iss":"{issuer}"}}"#, NOW.unix_timestamp() + expires);
        let message = format!("{}.{}", encode(format!(r#"{{"alg":"{algorithm}"}}"#)), encode(claims));
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
        let signature = BASE64_URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, message.as_bytes()));
        authorized(path, &format!("Bearer {message}.{signature}"))
    };
    let (key, issuer) = (JwtKey::Hs256(SECRET.into()), Some("idp".to_owned()));
    Scheme {
        name: "jwt",
        is_soap: false,
        kind: SecurityKind::Jwt(Jwt { key, issuer, audience: None, leeway: Duration::from_secs(60) }),
        right: Box::new(move |path| token(path, SECRET, "HS256", 300, "idp")),
        ways: vec![
            vec![
                way("wrong secret", move || token(ACTIVE, WRONG, "HS256", 300, "idp")),
                way("another issuer", move || token(ACTIVE, SECRET, "HS256", 300, "pdi")),
                way("expired", move || token(ACTIVE, SECRET, "HS256", -300, "idp")),
                way("inactive", move || token(INACTIVE, SECRET, "HS256", 300, "idp")),
                way("inactive and wrong", move || token(INACTIVE, WRONG, "HS256", 300, "idp")),
            ],
            malformed("another algorithm", move |path| token(path, SECRET, "HS512", 300, "idp")),
            malformed("no algorithm", move |path| token(path, SECRET, "none", 300, "idp")),
            malformed("no header", |path| post(path, "{}")),
            malformed("no token", |path| authorized(path, "Bearer")),
            malformed("something else", |path| authorized(path, "Bearer a.b.c")),
        ],
    }
    .check();
}

#[test]
fn client_certificates() {
    let certificate = |name: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        ClientCertificate::new(params.self_signed(&KeyPair::generate().unwrap()).unwrap().der())
    };
    let prove = |path, certificate: &ClientCertificate| {
        let mut request = post(path, "{}");
        request.extensions_mut().insert(certificate.clone());
        request
    };
    let (right, wrong) = (certificate("user"), certificate("resu"));
    let (inactive, inactive_and_wrong) = (right.clone(), wrong.clone());
    Scheme {
        name: "tls_channel_sec",
        is_soap: false,
        kind: SecurityKind::ClientCertificate("CN=user".parse().unwrap()),
        right: Box::new(move |path| prove(path, &right)),
        ways: vec![
            vec![
                way("another name", move || prove(ACTIVE, &wrong)),
                way("inactive", move || prove(INACTIVE, &inactive)),
                way("inactive and another name", move || prove(INACTIVE, &inactive_and_wrong)),
            ],
            malformed("no certificate", |path| post(path, "{}")),
        ],
    }
    .check();
}
