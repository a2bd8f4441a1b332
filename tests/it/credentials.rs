//! Callers of every type: right, wrong, missing, malformed, inactive, changed while in use, deleted.

mod life;
mod scheme;

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::api::{json_channel, with};
use crate::support::{Format, Server, python};

fn definition(name: &str, fields: &Value) -> Value {
    with(&json!({"cluster_id": 1, "name": name, "is_active": true}), fields)
}

/// Creates a definition with a secret, and returns its id.
#[track_caller]
fn defined(server: &Server, family: &str, definition: &Value, secret: &str) -> i64 {
    let id = server.api().id_of(&format!("{family}.create"), definition);
    server.keep_secret(secret);
    let input = json!({"id": id, "password1": secret, "password2": secret});
    server.api().call(&format!("{family}.change-password"), &input).ok();
    id
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
        let id = defined(&server, "zato.security.oauth", &signed, "consumer-secret");
        let channel = json!({"data_format": null, "security_id": id});
        server.api().create_http(&with(&json_channel("Signed", &path, "zato.helpers.echo"), &channel));
        let variables = [
            ("ZATO_PATH", path.as_str()),
            ("ZATO_CONSUMER_KEY", "crm"),
            ("ZATO_CONSUMER_SECRET", "consumer-secret"),
            ("ZATO_SIGNATURE_METHOD", method),
        ];
        python::run("oauth_client.py", &server, &variables);
    }
}

/// A key pair made by openssl: the private key and the public one, in PEM.
fn key_pair(folder: &Path, kind: &[&str]) -> [String; 2] {
    let (private, public) = (folder.join("private.pem"), folder.join("public.pem"));
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).output().expect("openssl is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let (private, public) = (private.to_str().unwrap(), public.to_str().unwrap());
    openssl(&[&["genpkey", "-out", private], kind].concat());
    openssl(&["pkey", "-in", private, "-pubout", "-out", public]);
    [private, public].map(|file| std::fs::read_to_string(file).unwrap())
}

#[test]
fn tokens_of_pyjwt() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let [rsa, rsa_public] =
        key_pair(folder.path(), &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]);
    let [ec, ec_public] =
        key_pair(folder.path(), &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    let secret = "0123456789abcdef".repeat(4);
    let tokens = definition(
        "Tokens",
        &json!({"issuer": "https://idp.example.com", "audience": "orders", "leeway": 30}),
    );
    let family = "zato.security.jwt";
    let id = defined(&server, family, &with(&tokens, &json!({"algorithm": "HS256"})), &secret);
    let channel = json_channel("Tokens", "/tokens", "zato.ping");
    server.api().create_http(&with(&channel, &json!({"security_id": id})));
    for (algorithm, key, public_key) in [
        ("HS256", secret.as_str(), None),
        ("HS384", &secret, None),
        ("HS512", &secret, None),
        ("RS256", &rsa, Some(rsa_public.as_str())),
        ("ES256", &ec, Some(ec_public.as_str())),
        // The secret is still there.
        ("HS256", &secret, None),
    ] {
        let changes = json!({"id": id, "algorithm": algorithm, "public_key": public_key});
        server.api().id_of(&format!("{family}.edit"), &with(&tokens, &changes));
        let variables = [
            ("ZATO_JWT_ALGORITHM", algorithm),
            ("ZATO_JWT_KEY", key),
            ("ZATO_JWT_PUBLIC_KEY", public_key.unwrap_or_default()),
        ];
        python::run("jwt_client.py", &server, &variables);
    }
}

/// The types that are for outgoing connections alone: a channel with one of them would let in everybody or nobody.
#[test]
fn definitions_that_guard_no_channel_are_refused() {
    let server = Server::start();
    let api = server.api();
    let user = json!({"username": "somebody"});
    for (family, sec_type) in [("ntlm", "ntlm"), ("aws", "aws"), ("openstack", "openstack")] {
        let definition = definition(family, &user);
        let id = api.id_of(&format!("zato.security.{family}.create"), &definition);
        let channel = json_channel("Channel", "/channel", "zato.ping");
        let guarded = with(&channel, &json!({"security_id": id}));
        let reason = format!("type {sec_type} can't guard a channel");
        for format in Format::BOTH {
            let status = if format == Format::Soap { 500 } else { 400 };
            server.api_in(format).call("zato.http-soap.create", &guarded).error(status, &[&reason, family]);
        }
        server.request("GET", "/channel").send().status(404);
        // A channel that is there keeps what it has.
        let open = api.create_http(&channel);
        api.call("zato.http-soap.edit", &with(&guarded, &json!({"id": open}))).error(400, &[&reason]);
        server.request("GET", "/channel").send().status(200);
        api.delete_http(open);
    }
    // And the other way round: what callers bring along is nothing that the server could send.
    let tokens = definition("Tokens", &json!({"algorithm": "HS256"}));
    let id = api.id_of("zato.security.jwt.create", &tokens);
    let outgoing = crate::support::api::outgoing("Outgoing", "http://localhost", "/");
    api.call("zato.http-soap.create", &with(&outgoing, &json!({"security_id": id}))).error(400, &["[jwt]"]);
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
