//! Callers and operators at the same time: each sees one whole configuration, never half of one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};

use crate::support::api::{Api, json_channel, user, with};
use crate::support::backend::on_both_backends;
use crate::support::launch::Home;
use crate::support::postgres::{Database, PASSWORD};
use crate::support::{Backend, Format, Launch, Server};

on_both_backends!(one_of_many_creations_wins);

/// Nobody is turned away while a channel changes under load, and every caller gets one of the two services whole.
#[test]
fn a_change_is_seen_whole_or_not_at_all() {
    let server = Server::start();
    let channel = json_channel("Changing", "/changing", "zato.ping");
    let id = server.api().create_http(&channel);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = [0, 0];
                    while !is_over.load(Ordering::SeqCst) {
                        let reply = server.request("GET", "/changing").send().status(200).json();
                        let which = [&reply["zato_ping_response"], &reply["zato_ping2_response"]];
                        let which = which.iter().position(|payload| payload["pong"] == "zato");
                        seen[which.unwrap_or_else(|| panic!("{reply}"))] += 1;
                    }
                    seen
                })
            })
            .collect();
        for round in 0..30 {
            let service = if round % 2 == 0 { "zato.ping2" } else { "zato.ping" };
            server.api().edit_http(id, &with(&channel, &json!({"service": service})));
        }
        is_over.store(true, Ordering::SeqCst);
        let seen = callers.into_iter().map(|caller| caller.join().unwrap());
        let total = seen.fold([0, 0], |total, seen| [total[0] + seen[0], total[1] + seen[1]]);
        assert!(total.iter().all(|count| *count > 0), "the callers saw no change: {total:?}");
    });
}

fn one_of_many_creations_wins(backend: Backend) {
    let server = backend.launch().start();
    for round in 0..3 {
        let name = format!("Wanted {round}");
        let statuses: Vec<u16> = thread::scope(|scope| {
            let create = || server.api().call("zato.security.basic-auth.create", &user(&name)).status;
            let creators = [(); 6].map(|()| scope.spawn(create));
            creators.map(|creator| creator.join().unwrap()).to_vec()
        });
        let count = |status: u16| statuses.iter().filter(|found| **found == status).count();
        assert_eq!((count(200), count(409)), (1, 5), "{statuses:?}");
        let names = server.api().names("zato.security.basic-auth.get-list", &json!({"cluster_id": 1}));
        assert_eq!(names.iter().filter(|found| **found == name).count(), 1, "{names:?}");
    }
}

/// Different objects can be created at once, and all of them are there.
#[test]
fn many_operators_can_work_at_once() {
    let server = Server::start();
    thread::scope(|scope| {
        for operator in 0..8 {
            let server = &server;
            scope.spawn(move || {
                for number in 0..5 {
                    let path = format!("/{operator}/{number}");
                    server.api().create_http(&json_channel(&format!("Channel {path}"), &path, "zato.ping"));
                    server.request("GET", &path).send().status(200);
                }
            });
        }
    });
    let input = json!({"cluster_id": 1, "connection": "channel", "transport": "plain_http"});
    let list: Value = server.api().call("zato.http-soap.get-list", &input).ok();
    let own = list.as_array().unwrap().iter().filter(|item| item["is_internal"] == false);
    assert_eq!(own.count(), 40);
}

/// Whoever comes first creates the cluster; the others find it.
#[test]
fn servers_of_a_cluster_can_start_at_once() {
    let key = Server::start().stop();
    let database = Database::create();
    let servers = thread::scope(|scope| {
        let (key, database) = (&key, &database);
        let start = move |number: usize| {
            let home = Home::new();
            std::fs::create_dir(home.data()).unwrap();
            std::fs::copy(key.home.data().join("secret.key"), home.data().join("secret.key")).unwrap();
            let launch =
                Launch::new().flag("--odb", database.url()).flag("--server-name", format!("server{number}"));
            let launch = launch.variable("ZATO_PUBAPI_PASSWORD", "at-once-pubapi");
            launch.variable("ZATO_ADMIN_INVOKE_PASSWORD", "at-once-admin").start_in(home)
        };
        let starts = [1, 2, 3].map(|number| scope.spawn(move || start(number)));
        starts.map(|start| start.join().unwrap())
    });
    let api = |server| Api::new(server, Format::Json, "pubapi", "at-once-pubapi");
    for server in &servers {
        server.keep_secret(PASSWORD);
        server.keep_secret("at-once-pubapi");
        api(server).call("zato.ping", &json!({})).ok();
    }
    let info = api(&servers[0]).post("zato.info.get-info", "").json();
    let names: Vec<_> = info.as_object().unwrap().keys().collect();
    assert_eq!(names, ["server1", "server2", "server3"]);
}
