//! The log: what an operator needs, with correlation ids, and never a secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::support::api::{json_channel, outgoing, user, with};
use crate::support::{Launch, Server, eventually};

#[track_caller]
fn one_line(server: &Server, texts: &[&str]) -> String {
    let lines = eventually(&format!("a log line with {texts:?}"), || {
        Some(server.log_lines(texts)).filter(|lines| !lines.is_empty())
    });
    assert_eq!(lines.len(), 1, "{lines:#?}");
    lines[0].clone()
}

#[test]
fn start_and_stop_are_logged() {
    let server = Server::start();
    one_line(&server, &["INFO", &server.address().to_string()]);
    let before = server.log().len();
    let stopped = server.stop();
    assert!(stopped.log[before..].to_lowercase().contains("stop"), "{}", &stopped.log[before..]);
}

/// One line per change: who changed what, and in which call.
#[test]
fn changes_of_the_configuration_are_logged() {
    let server = Server::start();
    let api = server.api();
    let changed = |service: &str, input: &serde_json::Value, name: &str| {
        let answer = api.call(service, input);
        let cid = answer.cid.clone();
        let payload = answer.ok();
        one_line(&server, &["INFO", &cid, "pubapi", name]);
        payload["id"].as_i64().unwrap_or_default()
    };
    let security = changed("zato.security.basic-auth.create", &user("Logged user"), "Logged user");
    let edited = with(&user("Logged user"), &json!({"id": security}));
    changed("zato.security.basic-auth.edit", &edited, "Logged user");
    let password = json!({"id": security, "password1": "password-logged", "password2": "password-logged"});
    server.keep_secret("password-logged");
    changed("zato.security.basic-auth.change-password", &password, "Logged user");
    let channel = json_channel("Logged channel", "/logged", "zato.ping");
    let id = changed("zato.http-soap.create", &channel, "Logged channel");
    changed("zato.http-soap.edit", &with(&channel, &json!({"id": id})), "Logged channel");
    changed("zato.http-soap.delete", &json!({"id": id}), "Logged channel");
    let service = api.service("zato.ping2");
    let input = json!({"id": service["id"], "is_active": true, "slow_threshold": 5});
    changed("zato.service.edit", &input, "zato.ping2");
    changed("zato.security.basic-auth.delete", &json!({"id": security}), "Logged user");
}

/// Through the invoker of services it is still the caller outside who changes something.
#[test]
fn who_changes_something_by_way_of_another_service_is_logged() {
    let server = Server::start();
    let payload = STANDARD.encode(user("Indirect").to_string());
    let input = json!({"name": "zato.security.basic-auth.create", "payload": payload, "data_format": "json"});
    let request = server.request("POST", "/zato/admin/invoke").json(&input);
    let reply = request.auth("admin.invoke", server.password("admin.invoke")).send().status(200);
    one_line(&server, &["INFO", reply.cid(), "admin.invoke", "Indirect"]);
    let request = server.request("POST", "/zato/api/invoke/zato.security.basic-auth.create");
    let request = request.auth("pubapi", server.password("pubapi")).json(&user("By path"));
    let reply = request.send().status(200);
    one_line(&server, &["INFO", reply.cid(), "pubapi", "By path"]);
}

#[test]
fn failed_calls_are_logged_with_their_reason() {
    let server = Server::start();
    let failed = server.api().call("zato.http-soap.delete", &json!({"id": 987_654}));
    one_line(&server, &["WARN", &failed.cid, "zato.http-soap.delete", "404"]);
    // Callers are not told what was wrong with their credentials; operators are.
    let refused = server.api().user("pubapi", "wrong-password-1").send("zato.ping", &json!({}));
    server.keep_secret("wrong-password-1");
    one_line(&server, &["WARN", refused.cid(), "401"]);
}

/// Calls that went well are no news.
#[test]
fn successful_calls_are_logged_at_debug_level_only() {
    let quiet = Server::start();
    // The server says that it is started, and takes over two duties, in any order.
    let before = eventually("the start is logged", || {
        let lines = ["zato_server::server: started", "leads the cluster", "the scheduler's jobs"];
        Some(quiet.log()).filter(|log| lines.iter().all(|line| log.contains(line)))
    });
    for _ in 0..20 {
        quiet.api().call("zato.ping", &json!({})).ok();
    }
    assert_eq!(quiet.log(), before);

    let loud = Launch::new().flag("--log", "debug").start();
    let cid = loud.api().call("zato.ping", &json!({})).cid;
    let lines =
        eventually("a line of the call", || Some(loud.log_lines(&[&cid])).filter(|lines| !lines.is_empty()));
    assert!(lines.iter().any(|line| line.contains("DEBUG") && line.contains("zato.ping")), "{lines:?}");
}

#[test]
fn an_access_log_has_a_line_per_call() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("access.log");
    let server = Launch::new().flag("--access-log", file.to_str().unwrap()).start();
    let ok = server.api().call("zato.ping", &json!({})).cid;
    let missing =
        server.request("GET", "/no/such?token=s3cret-in-a-query").send().status(404).cid().to_owned();
    server.stop();
    let text = std::fs::read_to_string(&file).unwrap();
    let line = |cid: &str| {
        text.lines().find(|line| line.contains(cid)).unwrap_or_else(|| panic!("no {cid} in {text}"))
    };
    for part in ["zato.ping", "200", "POST"] {
        assert!(line(&ok).contains(part), "{}", line(&ok));
    }
    for part in ["\"GET /no/such HTTP/1.1\" 404 ", " \"-\" \""] {
        assert!(line(&missing).contains(part), "{}", line(&missing));
    }
    assert!(!text.contains("s3cret"), "{text}");
}

#[test]
fn log_lines_can_be_json() {
    let server = Launch::new().flag("--log-format", "json").start();
    server.api().call("zato.http-soap.delete", &json!({"id": 987_654})).error(404, &[]);
    for line in server.log().lines() {
        assert!(line.parse::<serde_json::Value>().is_ok_and(|value| value.is_object()), "{line}");
    }
}

/// With everything logged that can be, through each way that a secret takes: what each server of these tests prints
/// is searched for its passwords when it ends.
#[test]
fn secrets_are_never_logged() {
    let server = Launch::new().flag("--log", "trace").start();
    let api = server.api();
    let id = api.create_user("Secret user", "password-secret-1");
    let channel = with(&json_channel("Secret", "/secret", "zato.ping"), &json!({"security_id": id}));
    api.create_http(&channel);
    let connection = with(&outgoing("Secret", "http://127.0.0.1:1", "/"), &json!({"security_id": id}));
    let connection = api.create_http(&connection);
    api.call("zato.http-soap.ping", &json!({"id": connection})).error(502, &[]);
    server.request("GET", "/secret").auth("Secret user", "password-secret-1").send().status(200);
    server.request("GET", "/secret").auth("Secret user", "password-secret-2").send().status(401);
    server.keep_secret("password-secret-2");
    api.change_password(id, "password-secret-3");
    let mismatch = json!({"id": id, "password1": "password-secret-4", "password2": "password-secret-5"});
    api.call("zato.security.basic-auth.change-password", &mismatch).error(400, &[]);
    let body = "{\"id\": 1, \"password1\": \"password-secret-4\", \"password2\": ";
    api.post("zato.security.basic-auth.change-password", body).status(400);
    server.keep_secret("password-secret-4");
    server.keep_secret("password-secret-5");
    for password in ["password-secret-1", "password-secret-2", "password-secret-3"] {
        let header = crate::support::http::basic_auth("Secret user", password);
        server.keep_secret(header.trim_start_matches("Basic "));
    }
}
