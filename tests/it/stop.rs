//! Stopping: what is waited for, what is not, and which signals there are.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::thread;

use serde_json::json;

use crate::support::api::outgoing;
use crate::support::http::basic_auth;
use crate::support::raw::Raw;
use crate::support::{Launch, Peer, Server, eventually};

#[test]
fn sigterm_finishes_what_is_in_flight() {
    let (peer, release) = Peer::held();
    let server = Server::start();
    let id = server.api().create_http(&outgoing("Slow", &peer.host(), "/slow"));
    thread::scope(|scope| {
        let call = scope.spawn(|| server.api().call("zato.http-soap.ping", &json!({"id": id})).ok());
        eventually("the call reaches the peer", || peer.requests().pop());
        server.terminate();
        eventually("new connections are refused", || {
            TcpStream::connect(server.address())
                .err()
                .filter(|error| error.kind() == ErrorKind::ConnectionRefused)
        });
        release.send(()).unwrap();
        let info = call.join().unwrap();
        assert!(info["info"].as_str().unwrap().contains("Code: 200"), "{info}");
    });
    let (status, stopped) = server.ended();
    assert!(status.success(), "{status}\n{}", stopped.log);
}

/// From the moment that a server says that it is there, it can be stopped like any other.
#[test]
fn sigterm_is_heeded_from_the_first_moment() {
    for _ in 0..5 {
        Server::start().stop();
    }
}

/// Ctrl-C in a terminal is no crash either.
#[test]
fn sigint_stops_it_like_sigterm() {
    let server = Server::start();
    server.interrupt();
    let (status, stopped) = server.ended();
    assert!(status.success(), "{status}\n{}", stopped.log);
}

/// Service managers send it to have files read again, and a terminal when it is closed.
#[test]
fn sighup_stops_nothing() {
    let server = Server::start();
    server.hang_up();
    eventually("the signal is logged", || server.log_lines(&["INFO", "SIGHUP"]).pop());
    server.request("GET", "/zato/ping").send().status(200);
    server.stop();
}

/// Whoever has not asked for anything yet has nothing to wait for, and may be silent for as long as it likes.
#[test]
fn clients_that_ask_for_nothing_do_not_keep_it() {
    let server = Launch::new().flag("--shutdown-timeout", "300").start();
    let mut clients = [(); 5].map(|()| Raw::open(server.address()));
    clients[1].send("GET / HT");
    clients[2].send("GET /zato/ping HTTP/1.1\r\nHost: t\r\nX-Half: he");
    for client in &mut clients[3..] {
        client.send("GET /zato/ping HTTP/1.1\r\nHost: t\r\n\r\n");
        assert_eq!(client.reply().unwrap().status, 200);
    }
    clients[4].send("GET /zato/ping HT");
    let stopped = server.stop();
    assert!(!stopped.log.contains("WARN"), "{}", stopped.log);
    for mut client in clients {
        assert_eq!(String::from_utf8_lossy(&client.rest()), "");
    }
}

/// A call that never ends must not keep a server from stopping.
#[test]
fn what_takes_too_long_is_given_up() {
    let (peer, release) = Peer::held();
    let folder = tempfile::tempdir().unwrap();
    // Its writer waits for all who may have something to write.
    let access_log = folder.path().join("access.log");
    let launch = Launch::new().flag("--shutdown-timeout", "1");
    let server = launch.flag("--access-log", access_log.to_str().unwrap()).start();
    let id = server.api().create_http(&outgoing("Stuck", &peer.host(), "/stuck"));
    thread::scope(|scope| {
        let call = scope.spawn(|| {
            let mut connection = Raw::open(server.address());
            let auth = basic_auth("pubapi", server.password("pubapi"));
            let body = json!({"id": id}).to_string();
            connection.send(format!(
                "POST /zato/json/zato.http-soap.ping HTTP/1.1\r\nHost: t\r\nAuthorization: {auth}\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            ));
            connection.rest()
        });
        eventually("the call reaches the peer", || peer.requests().pop());
        server.terminate();
        assert_eq!(String::from_utf8_lossy(&call.join().unwrap()), "");
    });
    let (status, stopped) = server.ended();
    assert!(status.success(), "{status}\n{}", stopped.log);
    let warnings: Vec<_> = stopped.log.lines().filter(|line| line.contains("WARN")).collect();
    assert!(matches!(warnings[..], [line] if line.contains("connections=1 ")), "{}", stopped.log);
    drop(release);
}
