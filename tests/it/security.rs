//! HTTP Basic Auth definitions: who gets in, at which moment, and what goes with a deleted definition.

use serde_json::{Value, json};

use crate::support::api::{json_channel, outgoing, user, with};
use crate::support::backend::on_both_backends;
use crate::support::envelope::includes;
use crate::support::http::basic_auth;
use crate::support::{Backend, Format, Peer, PeerReply, Reply, Server};

on_both_backends!(
    only_the_new_password_works,
    a_deleted_definition_takes_its_channels_along,
    definitions_are_listed_without_passwords,
);

fn get(server: &Server, path: &str, username: &str, password: &str) -> Reply {
    server.request("GET", path).auth(username, password).send()
}

/// A definition with a password, and a channel that it guards.
fn guarded(server: &Server, name: &str, path: &str, password: &str) -> i64 {
    let id = server.api().create_user(name, password);
    let channel = with(&json_channel(name, path, "zato.ping"), &json!({"security_id": id}));
    server.api().create_http(&channel);
    id
}

fn only_the_new_password_works(backend: Backend) {
    let server = backend.launch().start();
    let id = guarded(&server, "Changing", "/changing", "password-0");
    for round in 0..6 {
        let [old, new] = [format!("password-{round}"), format!("password-{}", round + 1)];
        get(&server, "/changing", "Changing", &old).status(200);
        server.api_in(Format::BOTH[round % 2]).change_password(id, &new);
        get(&server, "/changing", "Changing", &old).status(401);
        get(&server, "/changing", "Changing", &new).status(200);
    }
}

#[test]
fn the_public_api_itself_follows_a_changed_password() {
    let server = Server::start();
    let input = json!({"cluster_id": 1, "needs_internal": true});
    let list = server.api().call("zato.security.get-list", &input).ok();
    let pubapi = list.as_array().unwrap().iter().find(|item| item["name"] == "pubapi").unwrap();
    server.api().change_password(pubapi["id"].as_i64().unwrap(), "pubapi-password-new");
    server.api().call("zato.ping", &json!({})).error(401, &[]);
    server.api().user("pubapi", "pubapi-password-new").call("zato.ping", &json!({})).ok();
}

#[test]
fn a_new_definition_has_a_password_that_nobody_knows() {
    let server = Server::start();
    let id = server.api().id_of("zato.security.basic-auth.create", &user("Nobody"));
    let channel = with(&json_channel("Nobody", "/nobody", "zato.ping"), &json!({"security_id": id}));
    server.api().create_http(&channel);
    for password in ["", "Nobody", "null", "None"] {
        get(&server, "/nobody", "Nobody", password).status(401);
    }
    // An empty password can be set on purpose, as in version 2.0.
    server.api().change_password(id, "");
    get(&server, "/nobody", "Nobody", "").status(200);
}

#[test]
fn passwords_must_match() {
    let server = Server::start();
    let id = guarded(&server, "Matching", "/matching", "password-kept");
    for format in Format::BOTH {
        let api = server.api_in(format);
        let status = if format == Format::Soap { 500 } else { 400 };
        let input = json!({"id": id, "password1": "first-word", "password2": "second-word"});
        let details = api
            .call("zato.security.basic-auth.change-password", &input)
            .error(status, &["Passwords need to be the same"]);
        assert!(!details.contains("first-word") && !details.contains("second-word"), "{details}");
        let input = json!({"id": id, "password1": "first-word"});
        api.call("zato.security.basic-auth.change-password", &input).error(status, &["password2"]);
    }
    server.keep_secret("first-word");
    server.keep_secret("second-word");
    get(&server, "/matching", "Matching", "password-kept").status(200);
}

#[test]
fn an_edit_reaches_every_channel_and_keeps_the_password() {
    let server = Server::start();
    let id = guarded(&server, "Before", "/edited", "password-edited");
    let edit = |change: Value| {
        let input = with(&with(&user("Before"), &json!({"id": id})), &change);
        server.api().id_of("zato.security.basic-auth.edit", &input);
    };
    edit(json!({"username": "after", "realm": "Other realm"}));
    get(&server, "/edited", "Before", "password-edited").status(401);
    get(&server, "/edited", "after", "password-edited").status(200);
    let challenge = server.request("GET", "/edited").send().status(401);
    assert_eq!(challenge.header("WWW-Authenticate"), "Basic realm=\"Other realm\"");

    // Renamed, it still guards the same channel.
    edit(json!({"name": "After", "username": "after"}));
    get(&server, "/edited", "after", "password-edited").status(200);
    server.request("GET", "/edited").send().status(401);
}

/// The original ignored the flag when it checked credentials, which is a defect.
#[test]
fn an_inactive_definition_lets_nobody_in() {
    let server = Server::start();
    let id = guarded(&server, "Sleeping", "/sleeping", "password-sleeping");
    let input = with(&user("Sleeping"), &json!({"id": id, "is_active": false}));
    server.api().id_of("zato.security.basic-auth.edit", &input);
    get(&server, "/sleeping", "Sleeping", "password-sleeping").status(401);
    server.api().id_of("zato.security.basic-auth.edit", &with(&input, &json!({"is_active": true})));
    get(&server, "/sleeping", "Sleeping", "password-sleeping").status(200);
}

fn a_deleted_definition_takes_its_channels_along(backend: Backend) {
    let server = backend.launch().start();
    let id = guarded(&server, "Doomed", "/doomed/1", "password-doomed");
    let object = json!({"security_id": id});
    server.api().create_http(&with(&json_channel("Doomed 2", "/doomed/2", "zato.ping"), &object));
    let peer = Peer::start(|_| PeerReply::status(200));
    let connection = server.api().create_http(&with(&outgoing("Doomed", &peer.host(), "/"), &object));
    server.api().create_http(&json_channel("Survivor", "/survivor", "zato.ping"));
    server.api().call("zato.http-soap.ping", &json!({"id": connection})).ok();

    server.api().call("zato.security.basic-auth.delete", &json!({"id": id})).ok();
    for path in ["/doomed/1", "/doomed/2"] {
        get(&server, path, "Doomed", "password-doomed").status(404);
        server.request("GET", path).send().status(404);
    }
    server.api().call("zato.http-soap.ping", &json!({"id": connection})).error(404, &[]);
    server.request("GET", "/survivor").send().status(200);
    let names = |connection: &str| {
        let input = json!({"cluster_id": 1, "connection": connection, "transport": "plain_http"});
        server.api().names("zato.http-soap.get-list", &input)
    };
    assert_eq!(names("channel"), ["Survivor", "admin.invoke.json"]);
    assert_eq!(names("outgoing"), [""; 0]);

    // A restart reads the same from the database.
    let server = server.stop().start();
    server.request("GET", "/doomed/1").send().status(404);
    server.request("GET", "/survivor").send().status(200);
}

fn definitions_are_listed_without_passwords(backend: Backend) {
    let server = backend.launch().start();
    for name in ["Zebra", "aardvark", "Mule"] {
        server.api().create_user(name, &format!("password-of-{name}"));
    }
    let cluster = json!({"cluster_id": 1});
    for format in Format::BOTH {
        let api = server.api_in(format);
        let reply = api.send("zato.security.basic-auth.get-list", &cluster).status(200);
        assert!(!reply.text().contains("password"), "{}", reply.text());
        let names = api.names("zato.security.basic-auth.get-list", &cluster);
        for name in ["Zebra", "aardvark", "Mule", "pubapi", "admin.invoke"] {
            assert!(names.iter().any(|found| found == name), "{names:?}");
        }
        // The order must not depend on the database.
        assert!(names.is_sorted(), "{names:?}");

        let visible = api.names("zato.security.get-list", &json!({"cluster_id": 1, "needs_internal": false}));
        assert_eq!(visible, ["Mule", "Zebra", "aardvark"]);
        let of_type = |sec_type: &str| {
            let input = json!({"cluster_id": 1, "needs_internal": false, "sec_type": [sec_type]});
            api.names("zato.security.get-list", &input)
        };
        assert_eq!(of_type("basic_auth"), ["Mule", "Zebra", "aardvark"]);
        assert_eq!(of_type("wss"), [""; 0]);
    }
    let all = server.api().call("zato.security.get-list", &cluster).ok();
    let wss = all.as_array().unwrap().iter().find(|item| item["sec_type"] == "wss").unwrap();
    let expected = json!({
        "name": "zato.ping.soap.wss.clear_text", "password_type": "clear_text", "reject_empty_nonce_creat": false,
        "reject_stale_tokens": true, "reject_expiry_limit": 3600, "nonce_freshness_time": 3600,
    });
    includes(Format::Json, wss, &expected);
}

#[test]
fn duplicates_are_refused() {
    let server = Server::start();
    server.api().create_user("Taken", "password-taken");
    for format in Format::BOTH {
        let status = if format == Format::Soap { 500 } else { 409 };
        let api = server.api_in(format);
        let expected = "HTTP Basic Auth definition [Taken] already exists on this cluster";
        api.call("zato.security.basic-auth.create", &user("Taken")).error(status, &[expected]);
        // Two definitions of a type must not share a user name either, since a call could then match both.
        let input = with(&user("Other"), &json!({"username": "Taken"}));
        api.call("zato.security.basic-auth.create", &input).error(status, &["user name"]);
    }
}

/// Each wrong way to come with credentials gets the same answer, which helps nobody to guess.
#[test]
fn wrong_credentials_are_all_refused_alike() {
    let server = Server::start();
    guarded(&server, "K\u{f6}nig", "/alike", "pass:w\u{f6}rd with spaces");
    get(&server, "/alike", "K\u{f6}nig", "pass:w\u{f6}rd with spaces").status(200);

    let refuse = |authorization: Option<&str>| {
        let request = server.request("GET", "/alike");
        let reply = match authorization {
            None => request.send(),
            Some(value) => request.header("Authorization", value).send(),
        };
        let reply = reply.status(401);
        assert_eq!(reply.header("WWW-Authenticate"), "Basic realm=\"Tests\"", "{authorization:?}");
        let details = reply.json()["zato_env"]["details"].as_str().unwrap().replace(reply.cid(), "CID");
        (details, authorization.map(str::to_owned))
    };
    let (expected, _) = refuse(None);
    let right = basic_auth("K\u{f6}nig", "pass:w\u{f6}rd with spaces");
    for wrong in [
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic bm9jb2xvbg==",
        "Bearer abc",
        &basic_auth("K\u{f6}nig", "pass:w\u{f6}rd with space"),
        &basic_auth("K\u{f6}nig", "pass:w\u{f6}rd with spaces "),
        &basic_auth("K\u{f6}nig", ""),
        &basic_auth("k\u{f6}nig", "pass:w\u{f6}rd with spaces"),
        &basic_auth("", "pass:w\u{f6}rd with spaces"),
        &format!("{right}AAAA"),
    ] {
        let (details, authorization) = refuse(Some(wrong));
        assert_eq!(details, expected, "{authorization:?}");
    }
}
