//! How callers of each type of definition prove who they are, and how that goes wrong.
//!
//! Owns the requests. It must not know what they are answered.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zato_oauth::{Authorization, Credentials, SignatureMethod};
use zato_soap::UsernameToken;

use crate::support::Server;
use crate::support::envelope::SOAP;
use crate::support::http::basic_auth;

/// How a channel's messages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Xml,
    Soap,
}

/// How callers prove who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Basic,
    Account,
    Key,
    TokenText,
    TokenDigest,
    Message,
    Signature,
    PlainSignature,
    Bearer,
}

/// A request in the making.
#[derive(Clone, Debug, Default)]
pub(super) struct Sent {
    pub(super) headers: Vec<(String, String)>,
    /// What stands in the header of a SOAP envelope.
    pub(super) block: String,
    /// What stands in an XML message.
    pub(super) elements: String,
    /// What is sent in place of all that.
    pub(super) body: Option<&'static str>,
}

impl Sent {
    fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn body(&self, form: Form) -> String {
        let element = format!("<zato_ping_request>{}</zato_ping_request>", self.elements);
        match (self.body, form) {
            (Some(body), _) => body.to_owned(),
            (None, Form::Json) => "{}".to_owned(),
            (None, Form::Xml) => element,
            (None, Form::Soap) => format!(
                "<s:Envelope xmlns:s=\"{SOAP}\"><s:Header>{}</s:Header><s:Body>{element}</s:Body></s:Envelope>",
                self.block
            ),
        }
    }
}

/// A caller of one channel.
pub(super) struct Caller<'a> {
    pub(super) server: &'a Server,
    pub(super) scheme: Scheme,
    pub(super) form: Form,
    pub(super) path: String,
    /// The definition's user name, or what takes its place.
    pub(super) user: String,
}

impl Scheme {
    pub(super) fn family(self) -> &'static str {
        match self {
            Self::Basic => "zato.security.basic-auth",
            Self::Account => "zato.security.tech-account",
            Self::Key => "zato.security.apikey",
            Self::TokenText | Self::TokenDigest => "zato.security.wss",
            Self::Message => "zato.security.xpath",
            Self::Signature | Self::PlainSignature => "zato.security.oauth",
            Self::Bearer => "zato.security.jwt",
        }
    }

    /// What a definition has besides its name.
    pub(super) fn definition(self, user: &str) -> Value {
        match self {
            Self::Basic => json!({"username": user, "realm": "Tests"}),
            Self::Account => json!({}),
            Self::Key => json!({"username": user}),
            Self::TokenText | Self::TokenDigest => json!({
                "username": user, "password_type": "clear_text", "reject_stale_tokens": true,
                "reject_empty_nonce_creat": self == Self::TokenDigest, "reject_expiry_limit": 60,
                "nonce_freshness_time": 60,
            }),
            Self::Message => json!({"username": user, "username_expr": "//user", "password_expr": "//pass"}),
            Self::Signature | Self::PlainSignature => json!({
                "username": user, "proto_version": "1.0", "max_nonce_log": 1000,
                "sig_method": self.signature_method().as_str(),
            }),
            Self::Bearer => json!({"algorithm": "HS256", "issuer": "idp", "audience": "esb", "leeway": 10}),
        }
    }

    pub(super) fn challenge(self) -> &'static str {
        match self {
            Self::Basic => "Basic realm=\"Tests\"",
            Self::Account => "zato-tech-acc",
            Self::Key => "zato-apikey",
            Self::TokenText | Self::TokenDigest => "zato-wss",
            Self::Message => "zato-xpath",
            Self::Signature | Self::PlainSignature => "OAuth",
            Self::Bearer => "Bearer",
        }
    }

    /// The channels that a definition of the type can guard.
    pub(super) fn forms(self) -> &'static [Form] {
        match self {
            Self::TokenText | Self::TokenDigest => &[Form::Soap],
            Self::Message => &[Form::Xml, Form::Soap],
            _ => &[Form::Json, Form::Xml, Form::Soap],
        }
    }

    fn signature_method(self) -> SignatureMethod {
        if self == Self::PlainSignature { SignatureMethod::Plaintext } else { SignatureMethod::HmacSha1 }
    }
}

fn from_now(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap() + seconds
}

/// A text that no other call of this process gets.
fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("nonce-{}", COUNT.fetch_add(1, Relaxed))
}

/// A token as RFC 7519 has it, signed with HMAC and SHA-256 whatever its header says.
fn token(header: &Value, claims: &Value, secret: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, message.as_bytes()));
    format!("Bearer {message}.{signature}")
}

fn text(user: &str, secret: &str) -> Sent {
    let block = UsernameToken::text(user, secret).header_xml().to_string();
    Sent { block, ..Sent::default() }
}

fn digest(user: &str, secret: &str, nonce: &[u8], seconds: i64) -> Sent {
    let created = OffsetDateTime::from_unix_timestamp(from_now(seconds)).unwrap();
    let created = created.format(&Rfc3339).unwrap();
    let block = UsernameToken::digest(user, secret, nonce, &created).header_xml().to_string();
    Sent { block, ..Sent::default() }
}

fn message(user: &str, secret: &str) -> Sent {
    Sent { elements: format!("<user>{user}</user><pass>{secret}</pass>"), ..Sent::default() }
}

impl Caller<'_> {
    /// The body of a request.
    pub(super) fn body(&self, sent: &Sent) -> String {
        sent.body(self.form)
    }

    /// A request of somebody who knows the user's name and a secret.
    pub(super) fn right(&self, secret: &str) -> Sent {
        self.of(&self.user, secret)
    }

    fn of(&self, user: &str, secret: &str) -> Sent {
        let sent = Sent::default();
        match self.scheme {
            Scheme::Basic => sent.header("Authorization", basic_auth(user, secret)),
            Scheme::Account => sent.header("X-Zato-User", user).header("X-Zato-Password", secret),
            Scheme::Key => sent.header(user, secret),
            Scheme::TokenText => text(user, secret),
            Scheme::TokenDigest => digest(user, secret, unique().as_bytes(), 0),
            Scheme::Message => message(user, secret),
            Scheme::Signature | Scheme::PlainSignature => {
                self.signature(user, secret, self.scheme.signature_method(), 0)
            }
            Scheme::Bearer => self.bearer(secret, &json!({})),
        }
    }

    /// Whatever is wrong, in words, and the request.
    pub(super) fn wrong(&self, secret: &str) -> Vec<(&'static str, Sent)> {
        let authorization = |text: &str| Sent::default().header("Authorization", text);
        let mut wrong = vec![
            ("another secret", self.of(&self.user, "another-secret-0123456789abcdef0123456789")),
            ("a longer secret", self.of(&self.user, &format!("{secret}x"))),
            ("nothing", Sent::default()),
        ];
        if !matches!(self.scheme, Scheme::Key | Scheme::Bearer) {
            wrong.push(("another user", self.of("nobody", secret)));
            wrong.push(("another user and secret", self.of("nobody", "another-secret")));
        }
        wrong.extend(match self.scheme {
            Scheme::Basic => vec![
                ("no scheme", authorization(&STANDARD.encode(format!("{}:{secret}", self.user)))),
                ("another scheme", authorization("Bearer abc")),
                ("no base64", authorization("Basic !!!")),
                ("no colon", authorization(&format!("Basic {}", STANDARD.encode(&self.user)))),
                ("no credentials", authorization("Basic")),
            ],
            Scheme::Account => vec![
                ("no password", Sent::default().header("X-Zato-User", self.user.as_str())),
                ("no user", Sent::default().header("X-Zato-Password", secret)),
                ("an empty user", self.of("", secret)),
            ],
            Scheme::Key => {
                vec![
                    ("another header", self.of("X-Other", secret)),
                    ("an empty key", self.of(&self.user, "")),
                ]
            }
            Scheme::TokenText => vec![
                ("no token", Sent { block: "<other/>".to_owned(), ..Sent::default() }),
                ("half a message", Sent { body: Some("<s:Envelope"), ..Sent::default() }),
                ("no message", Sent { body: Some(""), ..Sent::default() }),
                ("another type of password", self.altered(secret, "#PasswordText", "#PasswordOther")),
                ("no name", self.altered(secret, ">soap-tokentext<", "><")),
            ],
            Scheme::TokenDigest => vec![
                ("a clear password without a nonce", text(&self.user, secret)),
                ("an old token", digest(&self.user, secret, unique().as_bytes(), -90)),
                ("a token from the future", digest(&self.user, secret, unique().as_bytes(), 90)),
                ("an altered time", self.altered(secret, "Z</", "9Z</")),
            ],
            Scheme::Message => vec![
                ("no user", Sent { elements: format!("<pass>{secret}</pass>"), ..Sent::default() }),
                ("no password", Sent { elements: format!("<user>{}</user>", self.user), ..Sent::default() }),
                ("half a message", Sent { body: Some("<zato_ping_request"), ..Sent::default() }),
                ("no message", Sent { body: Some(""), ..Sent::default() }),
            ],
            Scheme::Signature | Scheme::PlainSignature => vec![
                ("another scheme", authorization("Basic dTpw")),
                ("no parameters", authorization("OAuth")),
                ("half of them", authorization("OAuth oauth_consumer_key=\"crm\"")),
                ("another method", self.signature(&self.user, secret, SignatureMethod::HmacSha256, 0)),
                ("an old one", self.signature(&self.user, secret, self.scheme.signature_method(), -400)),
            ],
            Scheme::Bearer => vec![
                ("no token", authorization("Bearer")),
                ("something else", authorization("Bearer a.b.c")),
                ("another scheme", authorization("Basic dTpw")),
                ("an expired one", self.bearer(secret, &json!({"exp": from_now(-20)}))),
                ("one that never expires", self.bearer(secret, &json!({"exp": null}))),
                ("one for later", self.bearer(secret, &json!({"nbf": from_now(60)}))),
                ("another issuer", self.bearer(secret, &json!({"iss": "other"}))),
                ("for somebody else", self.bearer(secret, &json!({"aud": "crm"}))),
                ("no algorithm", authorization(&token(&json!({"alg": "none"}), &self.claims(), secret))),
                ("another one", authorization(&token(&json!({"alg": "HS512"}), &self.claims(), secret))),
            ],
        });
        wrong
    }

    /// Whether a request is good for one call only.
    pub(super) fn is_used_up(&self) -> bool {
        matches!(self.scheme, Scheme::TokenDigest | Scheme::Signature)
    }

    /// A right token in which something is not as it was.
    fn altered(&self, secret: &str, from: &str, to: &str) -> Sent {
        let right = self.right(secret);
        let block = right.block.replace(from, to);
        assert_ne!(block, right.block, "{from} is not in a token");
        Sent { block, ..right }
    }

    fn signature(&self, user: &str, secret: &str, method: SignatureMethod, seconds: i64) -> Sent {
        let authority = self.server.address().to_string();
        let request = zato_oauth::Request {
            method: "POST",
            scheme: "http",
            authority: &authority,
            path: &self.path,
            query: None,
            form: None,
        };
        let credentials = Credentials { consumer_key: user, consumer_secret: secret, token: None };
        let timestamp = u64::try_from(from_now(seconds)).unwrap();
        let signed = Authorization::sign(&request, &credentials, method, timestamp, &unique()).unwrap();
        Sent::default().header("Authorization", &*signed)
    }

    fn claims(&self) -> Value {
        json!({"exp": from_now(300), "iss": "idp", "aud": ["esb", "crm"], "sub": self.user})
    }

    fn bearer(&self, secret: &str, changes: &Value) -> Sent {
        let mut claims = self.claims();
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        Sent::default().header("Authorization", token(&json!({"alg": "HS256"}), &claims, secret))
    }
}
