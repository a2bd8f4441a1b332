//! The life of a definition of each type on a channel of each format: who gets in, and what everybody else reads.

use std::cell::Cell;

use serde_json::{Value, json};

use super::scheme::{Caller, Form, Scheme, Sent};
use crate::support::api::{json_channel, soap_channel, with};
use crate::support::{Launch, Reply, Server, eventually};

const ONE: &str = "secret-one-0123456789abcdef0123456789abcdef";
const TWO: &str = "secret-two-0123456789abcdef0123456789abcdef";

/// A definition with a secret, and a channel that it guards.
struct Life<'a> {
    caller: Caller<'a>,
    name: String,
    id: i64,
    calls: Cell<u32>,
}

impl<'a> Life<'a> {
    fn begin(server: &'a Server, scheme: Scheme, form: Form) -> Self {
        let user = format!("{form:?}-{scheme:?}").to_lowercase();
        let name = if scheme == Scheme::Account { user.clone() } else { format!("{scheme:?} for {form:?}") };
        let path = format!("/life/{user}");
        let caller = Caller { server, scheme, form, path, user };
        let definition = with(
            &scheme.definition(&caller.user),
            &json!({"cluster_id": 1, "name": name, "is_active": true}),
        );
        let id = server.api().id_of(&format!("{}.create", scheme.family()), &definition);
        let life = Self { caller, name, id, calls: Cell::new(0) };
        life.change_secret(ONE);
        life.open();
        life
    }

    /// Creates the channel.
    fn open(&self) {
        let Caller { path, form, .. } = &self.caller;
        let channel = match form {
            Form::Json => json_channel(path, path, "zato.ping"),
            Form::Xml => with(&json_channel(path, path, "zato.ping"), &json!({"data_format": "xml"})),
            Form::Soap => soap_channel(path, path, "life", "zato.ping"),
        };
        self.caller.server.api().create_http(&with(&channel, &json!({"security_id": self.id})));
    }

    fn change_secret(&self, secret: &str) {
        self.caller.server.keep_secret(secret);
        let input = json!({"id": self.id, "password1": secret, "password2": secret});
        let service = format!("{}.change-password", self.caller.scheme.family());
        self.caller.server.api().call(&service, &input).ok();
    }

    fn edit(&self, changes: &Value) {
        let definition = with(
            &self.caller.scheme.definition(&self.caller.user),
            &json!({"cluster_id": 1, "name": self.name, "is_active": true, "id": self.id}),
        );
        let service = format!("{}.edit", self.caller.scheme.family());
        self.caller.server.api().id_of(&service, &with(&definition, changes));
    }

    fn delete(&self) {
        let service = format!("{}.delete", self.caller.scheme.family());
        self.caller.server.api().call(&service, &json!({"id": self.id})).ok();
    }

    /// Each call comes from a client of its own, so that no call has to wait for what others did wrong.
    fn send(&self, sent: &Sent) -> Reply {
        self.calls.set(self.calls.get() + 1);
        let client = format!("198.51.{}.{}", self.calls.get() / 250, self.calls.get() % 250 + 1);
        let request = self.caller.server.request("POST", &self.caller.path).body(self.caller.body(sent));
        let request = request.header("X-Forwarded-For", &client);
        let request =
            if self.caller.form == Form::Soap { request.header("SOAPAction", "life") } else { request };
        sent.headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send()
    }

    #[track_caller]
    fn gets_in(&self, what: &str, secret: &str) {
        let reply = self.send(&self.caller.right(secret));
        assert_eq!(reply.status, 200, "{} {what}: {}", self.name, reply.text());
        assert!(reply.text().contains("zato"), "{} {what}: {}", self.name, reply.text());
    }

    /// Refused as everybody is: the text, without what differs in each reply.
    #[track_caller]
    fn refused(&self, what: &str, sent: &Sent) -> String {
        let reply = self.send(sent);
        let place = format!("{} {what}: {}", self.name, reply.text());
        assert_eq!(reply.status, 401, "{place}");
        assert_eq!(reply.header("WWW-Authenticate"), self.caller.scheme.challenge(), "{place}");
        // Callers don't learn what was wrong; operators do.
        let line = eventually(&place, || self.caller.server.log_lines(&["WARN", reply.cid()]).pop());
        assert!(line.contains("denied=") && line.contains("198.51."), "{line}");
        reply.text().replace(reply.cid(), "CID")
    }
}

#[track_caller]
fn check(scheme: Scheme) {
    let server = Launch::new().flag("--trusted-proxies", "127.0.0.0/8").start();
    for form in scheme.forms() {
        check_form(&server, scheme, *form);
    }
}

#[track_caller]
fn check_form(server: &Server, scheme: Scheme, form: Form) {
    let life = Life::begin(server, scheme, form);
    life.gets_in("at first", ONE);
    let expected = life.refused("nothing", &Sent::default());
    assert!(expected.contains(&format!("UNAUTHORIZED path_info:`{}`, cid:`CID`", life.caller.path)));
    for (what, sent) in life.caller.wrong(ONE) {
        assert_eq!(life.refused(what, &sent), expected, "{what}");
    }
    let first = life.caller.right(ONE);
    assert_eq!(life.send(&first).status, 200);
    if life.caller.is_used_up() {
        assert_eq!(life.refused("a second time", &first), expected);
    }

    life.change_secret(TWO);
    assert_eq!(life.refused("the former secret", &life.caller.right(ONE)), expected);
    life.gets_in("with the new secret", TWO);
    life.edit(&json!({"is_active": false}));
    assert_eq!(life.refused("inactive", &life.caller.right(TWO)), expected);
    life.edit(&json!({}));
    life.gets_in("active again", TWO);
    if scheme != Scheme::Account {
        life.edit(&json!({"name": format!("{} renamed", life.name)}));
        life.gets_in("renamed", TWO);
        life.edit(&json!({}));
    }

    let metrics = server.request("GET", "/zato/metrics").send().status(200);
    let counted = |reason: &str| {
        let mut lines = metrics.text().lines().filter(|line| line.starts_with("zato_security_denials_total"));
        lines.any(|line| {
            line.contains(&format!("definition=\"{}\"", life.name))
                && line.contains(&format!("reason=\"{reason}\""))
        })
    };
    assert!(counted("inactive"), "{}", metrics.text());

    life.delete();
    assert_eq!(life.send(&life.caller.right(TWO)).status, 404);
    assert_eq!(life.send(&Sent::default()).status, 404);
}

#[test]
fn basic_auth() {
    check(Scheme::Basic);
}

#[test]
fn technical_accounts() {
    check(Scheme::Account);
}

#[test]
fn api_keys() {
    check(Scheme::Key);
}

#[test]
fn tokens_with_the_password() {
    check(Scheme::TokenText);
}

#[test]
fn tokens_with_a_digest() {
    check(Scheme::TokenDigest);
}

#[test]
fn credentials_in_messages() {
    check(Scheme::Message);
}

#[test]
fn signatures() {
    check(Scheme::Signature);
}

#[test]
fn signatures_in_clear() {
    check(Scheme::PlainSignature);
}

#[test]
fn bearer_tokens() {
    check(Scheme::Bearer);
}
