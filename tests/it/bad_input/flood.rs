//! Callers who want to use up the server: what they get, what the server needs for them, and what others notice.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use super::still_works;
use crate::support::api::{json_channel, soap_channel, with};
use crate::support::raw::Raw;
use crate::support::wait::PATIENCE;
use crate::support::{Server, eventually};

/// How many connections are held open at once.
const IDLE: usize = 10_000;

/// The most memory that a server may ever have used under any of these, in MiB.
const PEAK: u64 = 512;

/// How long the slowest in a hundred calls of somebody else may take meanwhile, with the attackers on the same two cores.
const P99: Duration = Duration::from_millis(500);

/// The most memory that the server has used so far, in MiB.
fn peak(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

/// The 99th percentile of an ordinary caller's calls while `attack` runs.
fn p99_during(server: &Server, attack: impl FnOnce()) -> Duration {
    let over = Arc::new(AtomicBool::new(false));
    let caller = {
        let (over, address) = (Arc::clone(&over), server.address());
        thread::spawn(move || {
            let mut connection = Raw::open(address);
            let mut latencies = Vec::new();
            while !over.load(SeqCst) || latencies.len() < 200 {
                let begun = Instant::now();
                let reply = connection.send("GET /zato/ping HTTP/1.1\r\nHost: t\r\n\r\n").reply();
                assert_eq!(reply.expect("an ordinary caller is answered").status, 200);
                latencies.push(begun.elapsed());
            }
            latencies.sort_unstable();
            latencies[latencies.len() * 99 / 100]
        })
    };
    attack();
    over.store(true, SeqCst);
    caller.join().unwrap()
}

#[track_caller]
fn unharmed(what: &str, server: &Server, p99: Duration) {
    let peak = peak(server);
    println!("{what}: peak {peak} MiB, others' p99 {p99:?}");
    assert!(peak <= PEAK, "{what}: {peak} MiB");
    assert!(p99 <= P99, "{what}: p99 {p99:?}");
    still_works(server);
}

/// Clients that say nothing can't keep others out, nor fill the log.
#[test]
fn more_silent_connections_than_there_may_be() {
    let server = Server::start();
    server.limit_descriptors(256);
    let begun = Instant::now();
    let silent: Vec<_> = (0..300).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    let mut connection = Raw::open(server.address());
    let reply = connection.send("GET /zato/ping HTTP/1.1\r\nHost: t\r\n\r\n").reply();
    assert_eq!(reply.expect("an ordinary caller is answered").status, 200);
    let lines = server.log_lines(&["WARN", "can't accept connections"]).len() as u64;
    let elapsed = begun.elapsed().as_secs();
    assert!((1..=1 + elapsed / 10).contains(&lines), "{elapsed} s\n{}", server.log());
    drop(silent);
    still_works(&server);
}

#[test]
fn ten_thousand_idle_connections() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let server = Server::start();
    let p99 = p99_during(&server, || {
        let connections: Vec<_> = (0..IDLE).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
        // Half of them begin a request and never end it.
        for mut connection in connections.iter().step_by(2) {
            connection.write_all(b"GET /zato/ping HTTP/1.1\r\nHost: ").unwrap();
        }
        // The last one is served, so all of them have been accepted.
        let mut last = connections.last().unwrap();
        last.write_all(b"GET /zato/ping HTTP/1.1\r\nHost: t\r\n\r\n").unwrap();
        assert_eq!(last.read(&mut [0; 12]).unwrap(), 12);
    });
    unharmed("10,000 idle connections", &server, p99);
}

/// Sends as much as the server takes, and returns the status that it answers.
fn send_much(address: SocketAddr, head: &str, pieces: usize) -> Option<u16> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(head.as_bytes()).ok()?;
    let piece = [b'x'; 1 << 16];
    for _ in 0..pieces {
        if stream.write_all(&piece).is_err() {
            break;
        }
    }
    drop(stream.shutdown(Shutdown::Write));
    let mut reply = [0; 12];
    stream.read_exact(&mut reply).ok()?;
    str::from_utf8(&reply[9..]).ok()?.parse().ok()
}

#[test]
fn bodies_of_a_hundred_megabytes() {
    let server = Server::start();
    let length = 100 << 20;
    let announced = format!("POST /zato/ping HTTP/1.1\r\nHost: t\r\nContent-Length: {length}\r\n\r\n");
    let chunked = "POST /zato/ping HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n6400000\r\n";
    let p99 = p99_during(&server, || {
        thread::scope(|scope| {
            for head in [announced.as_str(), chunked] {
                for _ in 0..4 {
                    scope.spawn(|| {
                        // Whoever does not stop sending may see the connection end before the answer.
                        let status = send_much(server.address(), head, length >> 16);
                        assert!(matches!(status, Some(413) | None), "{status:?}");
                    });
                }
            }
        });
    });
    unharmed("bodies of 100 MB", &server, p99);
}

#[test]
fn floods_of_headers() {
    let server = Server::start();
    let many: String = (0..5_000).map(|number| format!("X-Flood-{number}: {number}\r\n")).collect();
    let endless = "GET /zato/ping HTTP/1.1\r\nHost: t\r\nX-Endless: ";
    let p99 = p99_during(&server, || {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let mut connection = Raw::open(server.address());
                        connection.send(format!("GET /zato/ping HTTP/1.1\r\n{many}\r\n"));
                        let status = connection.reply().map(|reply| reply.status);
                        assert!(matches!(status, Some(431) | None), "{status:?}");
                    }
                    let status = send_much(server.address(), endless, 160);
                    assert!(matches!(status, Some(431) | None), "{status:?}");
                });
            }
        });
    });
    unharmed("floods of headers", &server, p99);
}

/// Guessing is slow for whoever guesses, and costs the owner of the account nothing.
#[test]
fn guessing_passwords() {
    let server = Server::start();
    let p99 = p99_during(&server, || {
        thread::scope(|scope| {
            for guesser in 0..8 {
                let server = &server;
                scope.spawn(move || {
                    let deadline = Instant::now() + Duration::from_secs(2);
                    let mut guesses = 0;
                    while Instant::now() < deadline {
                        let request = server.request("POST", "/zato/json/zato.ping");
                        let status = request.auth("pubapi", &format!("{guesser} {guesses}")).send().status;
                        assert!(matches!(status, 401 | 429), "{status}");
                        guesses += usize::from(status == 401);
                    }
                    assert!(guesses < 60, "{guesses} guesses in two seconds");
                });
            }
        });
    });
    unharmed("guessed passwords", &server, p99);
    eventually("the owner gets in", || {
        let request = server.request("POST", "/zato/json/zato.ping").body("{}");
        (request.auth("pubapi", server.password("pubapi")).send().status == 200).then_some(())
    });
}

/// Bodies that arrive a byte at a time hold no more memory than has arrived, and nobody waits for them.
#[test]
fn slow_bodies() {
    let server = Server::start();
    let head = "POST /zato/ping HTTP/1.1\r\nHost: t\r\nContent-Length: 10000000\r\n\r\n{";
    let p99 = p99_during(&server, || {
        let mut connections: Vec<_> =
            (0..1_000).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
        for connection in &mut connections {
            connection.write_all(head.as_bytes()).unwrap();
        }
        for _ in 0..5 {
            for connection in &mut connections {
                connection.write_all(b" ").unwrap();
            }
        }
    });
    unharmed("slow bodies", &server, p99);
}

/// Documents that are costly for parsers that trust them, from callers who need no credentials.
#[test]
fn costly_documents() {
    let server = Server::start();
    let api = server.api();
    let xml = with(&json_channel("XML", "/xml", "zato.ping"), &json!({"data_format": "xml"}));
    api.create_http(&xml);
    api.create_http(&soap_channel("SOAP", "/soap", "urn:call", "zato.ping"));
    let lists: String = (1..12)
        .map(|level| format!("<!ENTITY e{level} '{}'>", format!("&e{};", level - 1).repeat(10)))
        .collect();
    let entities = format!("<!DOCTYPE a [<!ENTITY e0 'lol'>{lists}]><a>&e11;</a>");
    let attributes: String = (0..200_000).map(|number| format!(" a{number}=''")).collect();
    let namespaces: String = (0..100_000).map(|number| format!(" xmlns:n{number}='urn:{number}'")).collect();
    let documents = [
        ("/zato/ping", "[".repeat(5_000_000)),
        ("/zato/ping", "{\"a\":".repeat(1_000_000)),
        (
            "/zato/ping",
            format!("{{{}\"z\": 0}}", (0..300_000).map(|n| format!("\"k{n}\": {n},")).collect::<String>()),
        ),
        ("/zato/ping", format!("{{\"a\": {}}}", "9".repeat(5_000_000))),
        ("/xml", "<a>".repeat(1_000_000)),
        ("/xml", format!("<a{attributes}/>")),
        ("/xml", format!("<a{namespaces}/>")),
        ("/xml", entities.clone()),
        ("/soap", entities),
        ("/soap", "<a>".repeat(1_000_000)),
    ];
    let p99 = p99_during(&server, || {
        thread::scope(|scope| {
            for (path, body) in &documents {
                let server = &server;
                scope.spawn(move || {
                    for _ in 0..3 {
                        let begun = Instant::now();
                        let request = server
                            .request("POST", path)
                            .header("SOAPAction", if *path == "/soap" { "urn:call" } else { "" });
                        let status = request.body(body.as_str()).send().status;
                        println!(
                            "{path} {} of {} bytes: {status} after {:?}",
                            body.get(..20).unwrap_or(body),
                            body.len(),
                            begun.elapsed()
                        );
                        assert!(matches!(status, 200 | 400 | 500), "{status}");
                    }
                });
            }
        });
    });
    unharmed("costly documents", &server, p99);
}
