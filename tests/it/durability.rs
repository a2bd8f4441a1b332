//! What was answered is stored, whatever happens next.

use std::fs;
use std::thread;

use serde_json::json;

use crate::support::api::{json_channel, user, with};
use crate::support::backend::on_both_backends;
use crate::support::postgres::Database;
use crate::support::{Backend, Launch, Server, eventually};

on_both_backends!(an_answered_change_survives_a_crash, no_answered_change_is_lost, a_restart_changes_nothing);

/// The power goes at the worst moment: right after the reply.
fn an_answered_change_survives_a_crash(backend: Backend) {
    let mut server = backend.launch().start();
    let security = server.api().create_user("Crash", "password-crash-0");
    let channel = with(&json_channel("Crash", "/crash/0", "zato.ping"), &json!({"security_id": security}));
    let id = server.api().create_http(&channel);
    for round in 1..=4 {
        let [path, password] = [format!("/crash/{round}"), format!("password-crash-{round}")];
        server.api().edit_http(id, &with(&channel, &json!({"url_path": path})));
        server.api().change_password(security, &password);
        server = server.kill().start();
        server.request("GET", &path).auth("Crash", &password).send().status(200);
        server.request("GET", &format!("/crash/{}", round - 1)).send().status(404);
    }
    server.api().delete_http(id);
    let server = server.kill().start();
    server.request("GET", "/crash/4").send().status(404);
}

/// The power goes at any moment, while changes are under way.
fn no_answered_change_is_lost(backend: Backend) {
    let server = backend.launch().start();
    let created: Vec<String> = thread::scope(|scope| {
        let create = |creator: usize| {
            let mut created = Vec::new();
            for number in 0.. {
                let name = format!("Creator {creator} number {number}");
                let request = server.request("POST", "/zato/json/zato.security.basic-auth.create");
                let request = request.auth("pubapi", server.password("pubapi")).json(&user(&name));
                match request.try_send() {
                    Ok(reply) if reply.status == 200 => created.push(name),
                    Ok(reply) => panic!("{reply:?}"),
                    // The server is gone.
                    Err(_) => break,
                }
                if creator == 0 && number == 20 {
                    server.crash();
                }
            }
            created
        };
        let creators = [0, 1].map(|creator| scope.spawn(move || create(creator)));
        creators.map(|creator| creator.join().unwrap()).concat()
    });
    let server = server.kill().start();
    let names = server.api().names("zato.security.basic-auth.get-list", &json!({"cluster_id": 1}));
    for name in &created {
        assert!(names.contains(name), "{name} was answered and is lost");
    }
    // What was stored but not answered before the crash is whole: it can be used and deleted.
    for name in names.iter().filter(|name| name.starts_with("Creator")) {
        let input = with(&user(name), &json!({"name": format!("{name} again"), "username": name}));
        server.api().call("zato.security.basic-auth.create", &input).error(409, &["user name"]);
    }
}

fn a_restart_changes_nothing(backend: Backend) {
    let server = backend.launch().start();
    let security = server.api().create_user("Restart", "password-restart");
    let object = json!({"security_id": security});
    server.api().create_http(&with(&json_channel("Restart", "/restart/{name}", "zato.ping"), &object));
    let inactive = json!({"is_active": false});
    server.api().create_http(&with(&json_channel("Inactive", "/restart/inactive", "zato.ping"), &inactive));
    let lists = |server: &Server| {
        let channels = json!({"cluster_id": 1, "connection": "channel", "transport": "plain_http"});
        let services = json!({"cluster_id": 1, "name": "zato.ping"});
        [
            server.api().call("zato.http-soap.get-list", &channels).ok(),
            server.api().call("zato.security.get-list", &json!({"cluster_id": 1})).ok(),
            server.api().call("zato.service.get-by-name", &services).ok()["id"].clone(),
        ]
    };
    let before = lists(&server);
    let server = server.stop().start();
    assert_eq!(lists(&server), before);
    server.request("GET", "/restart/any").auth("Restart", "password-restart").send().status(200);
    server.request("GET", "/restart/any").send().status(401);
    server.request("GET", "/restart/inactive").send().status(404);
}

/// What an operator deleted on purpose must not come back with the next start.
#[test]
fn a_deleted_default_channel_stays_deleted() {
    let server = Server::start();
    let id = server.api().service("zato.ping2")["id"].clone();
    let input = json!({"id": id, "channel_type": "plain_http"});
    for channel in server.api().call("zato.service.get-channel-list", &input).ok().as_array().unwrap() {
        server.api().delete_http(channel["id"].as_i64().unwrap());
    }
    server.request("GET", "/zato/ping2").send().status(404);
    let server = server.stop().start();
    server.request("GET", "/zato/ping2").send().status(404);
    server.request("GET", "/zato/ping").send().status(200);
}

/// Servers of one cluster share a database and a key, and learn of each other's changes.
#[test]
fn a_change_reaches_the_other_servers_of_a_cluster() {
    let database = Database::create();
    let first = Launch::new().flag("--odb", database.url()).flag("--server-name", "first").start();
    let home = crate::support::launch::Home::new();
    fs::create_dir(home.data()).unwrap();
    for file in ["secret.key", "credentials.json"] {
        fs::copy(first.data().join(file), home.data().join(file)).unwrap();
    }
    let second = Launch::new().flag("--odb", database.url()).flag("--server-name", "second").start_in(home);
    assert_eq!(second.password("pubapi"), first.password("pubapi"));

    let security = first.api().create_user("Shared", "password-shared-1");
    let channel = with(&json_channel("Shared", "/shared", "zato.ping"), &json!({"security_id": security}));
    let id = first.api().create_http(&channel);
    let status = |server: &Server, password: &str| {
        server.request("GET", "/shared").auth("Shared", password).send().status
    };
    assert_eq!(status(&first, "password-shared-1"), 200);
    eventually("the channel is at the second server", || {
        (status(&second, "password-shared-1") == 200).then_some(())
    });

    second.api().change_password(security, "password-shared-2");
    assert_eq!(status(&second, "password-shared-1"), 401);
    eventually("the password is at the first server", || {
        (status(&first, "password-shared-2") == 200).then_some(())
    });
    assert_eq!(status(&first, "password-shared-1"), 401);

    second.api().delete_http(id);
    assert_eq!(status(&second, "password-shared-2"), 404);
    eventually("the channel is gone", || (status(&first, "password-shared-2") == 404).then_some(()));
}
