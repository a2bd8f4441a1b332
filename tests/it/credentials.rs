//! Callers of every type: right, wrong, missing, inactive, changed while in use, deleted.

use serde_json::{Value, json};

use crate::support::api::{json_channel, soap_channel, with};
use crate::support::envelope::soap_request;
use crate::support::{Reply, Server, python};

/// A definition of some type with a password, which guards a channel.
struct Guarded<'a> {
    server: &'a Server,
    family: &'a str,
    definition: Value,
    id: i64,
}

impl<'a> Guarded<'a> {
    fn new(server: &'a Server, family: &'a str, definition: Value, password: &str, channel: &Value) -> Self {
        let id = server.api().id_of(&format!("{family}.create"), &definition);
        let guarded = Self { server, family, definition, id };
        guarded.change_password(password);
        server.api().create_http(&with(channel, &json!({"security_id": id})));
        guarded
    }

    fn change_password(&self, password: &str) {
        self.server.keep_secret(password);
        let input = json!({"id": self.id, "password1": password, "password2": password});
        self.server.api().call(&format!("{}.change-password", self.family), &input).ok();
    }

    fn edit(&self, changes: &Value) {
        let input = with(&with(&self.definition, &json!({"id": self.id})), changes);
        self.server.api().id_of(&format!("{}.edit", self.family), &input);
    }

    fn delete(&self) {
        self.server.api().call(&format!("{}.delete", self.family), &json!({"id": self.id})).ok();
    }
}

fn definition(name: &str, fields: &Value) -> Value {
    with(&json!({"cluster_id": 1, "name": name, "is_active": true}), fields)
}

fn get(server: &Server, path: &str, headers: &[(&str, &str)]) -> Reply {
    let request = server.request("GET", path);
    headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send()
}

/// The life of a definition whose callers send their password in a header.
#[track_caller]
fn check_headers(family: &str, definition: Value, user: &[(&str, &str)], password: &str, challenge: &str) {
    let server = Server::start();
    let guarded = Guarded::new(
        &server,
        family,
        definition,
        "password-one",
        &json_channel("Guarded", "/guarded", "zato.ping"),
    );
    let send = |value: &str| get(&server, "/guarded", &[user, &[(password, value)]].concat());
    send("password-one").status(200);
    let missing = get(&server, "/guarded", &[]).status(401);
    let wrong = send("password-two").status(401);
    assert_eq!(wrong.header("WWW-Authenticate"), challenge);
    let text = |reply: &Reply| reply.text().replace(reply.cid(), "CID");
    assert_eq!(text(&missing), text(&wrong), "callers don't learn what was wrong");

    guarded.change_password("password-two");
    send("password-one").status(401);
    send("password-two").status(200);
    guarded.edit(&json!({"is_active": false}));
    send("password-two").status(401);
    guarded.edit(&json!({}));
    send("password-two").status(200);

    let metrics = server.request("GET", "/zato/metrics").send().status(200);
    for (reason, count) in [("missing", 1), ("password", 2), ("inactive", 1)] {
        let line = metrics.text().lines().find(|line| {
            line.starts_with("zato_security_denials_total")
                && line.contains(&format!("definition={}", guarded.definition["name"]))
                && line.contains(&format!("reason=\"{reason}\""))
        });
        assert!(line.is_some_and(|line| line.ends_with(&format!(" {count}"))), "{reason}: {line:?}");
    }
    guarded.delete();
    send("password-two").status(404);
}

#[test]
fn api_keys() {
    let key = definition("Partner", &json!({"username": "X-Partner-Key"}));
    check_headers("zato.security.apikey", key, &[], "x-partner-key", "zato-apikey");
}

#[test]
fn technical_accounts() {
    let account = definition("Night jobs", &json!({}));
    let user = [("X-Zato-User", "Night jobs")];
    check_headers("zato.security.tech-account", account, &user, "X-Zato-Password", "zato-tech-acc");
}

#[test]
fn signatures_of_oauthlib() {
    for (number, method) in (1..).zip(["HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT"]) {
        let server = Server::start();
        let path = format!("/signed/{number}");
        let signed = definition(
            "Signed",
            &json!({"username": "crm", "proto_version": "1.0", "sig_method": method, "max_nonce_log": 1000}),
        );
        let channel =
            with(&json_channel("Signed", &path, "zato.helpers.echo"), &json!({"data_format": null}));
        Guarded::new(&server, "zato.security.oauth", signed, "consumer-secret", &channel);
        let variables = [
            ("ZATO_PATH", path.as_str()),
            ("ZATO_CONSUMER_KEY", "crm"),
            ("ZATO_CONSUMER_SECRET", "consumer-secret"),
            ("ZATO_SIGNATURE_METHOD", method),
        ];
        python::run("oauth_client.py", &server, &variables);
    }
}

#[test]
fn credentials_in_messages() {
    let server = Server::start();
    let expressions = json!({
        "username": "ann",
        "username_expr": "//*[local-name() = 'user']",
        "password_expr": "//*[local-name() = 'pass']",
    });
    let letters = definition("Letters", &expressions);
    let channel = soap_channel("Letters", "/letters", "letter", "zato.ping");
    let guarded = Guarded::new(&server, "zato.security.xpath", letters, "password-inside", &channel);
    let send = |user: &str, pass: &str| {
        let message = soap_request("zato.ping", &json!({"user": user, "pass": pass}));
        server.request("POST", "/letters").header("SOAPAction", "letter").body(message).send()
    };
    send("ann", "password-inside").status(200);
    send("ann", "other").status(401);
    send("bob", "password-inside").status(401);
    guarded.edit(&json!({"username": "bob"}));
    send("bob", "password-inside").status(200);
    guarded.edit(&json!({"is_active": false}));
    send("ann", "password-inside").status(401);
    guarded.delete();
    send("ann", "password-inside").status(404);
}

#[test]
fn roles() {
    let server = Server::start();
    let api = server.api();
    let reader = api.create_user("Reader", "password-reader");
    let guard = json!({"security_id": reader, "has_rbac": true});
    api.create_http(&with(&json_channel("Roles", "/roles", "zato.ping"), &guard));
    let send = |method: &str| server.request(method, "/roles").auth("Reader", "password-reader").send();
    let refused = send("GET").status(403);
    assert_eq!(refused.json()["zato_env"]["details"], "You are not allowed to access this URL");

    let list = |family: &str| {
        let items =
            api.call(&format!("zato.security.rbac.{family}.get-list"), &json!({"cluster_id": 1})).ok();
        items.as_array().unwrap().clone()
    };
    let id_of = |items: &[Value], name: &str| {
        let found = items.iter().find(|item| item["name"] == name);
        found.unwrap_or_else(|| panic!("{name} in {items:?}"))["id"].as_i64().unwrap()
    };
    let root = id_of(&list("role"), "Root");
    let read = id_of(&list("permission"), "Read");
    let create = |family: &str, fields: &Value| {
        let input = with(&json!({"cluster_id": 1}), fields);
        let created = api.call(&format!("zato.security.rbac.{family}.create"), &input).ok();
        created["id"].as_i64().expect("an id is a number")
    };
    let readers = create("role", &json!({"name": "Readers", "parent_id": root}));
    let service_id = api.service("zato.ping")["id"].clone();
    let allowed =
        create("role-permission", &json!({"role_id": root, "service_id": service_id, "perm_id": read}));
    create("client-role", &json!({"client_def": "sec_def:::basic_auth:::Reader", "role_id": readers}));
    // The role inherits what its parent may.
    send("GET").status(200);
    send("POST").status(403);
    server.request("GET", "/roles").auth("Reader", "password-other").send().status(401);
    api.call("zato.security.rbac.role-permission.delete", &json!({"id": allowed})).ok();
    send("GET").status(403);
}
