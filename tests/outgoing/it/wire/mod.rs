//! The same calls made by the `requests` library of Python and by this project are the same requests on the wire.
//!
//! The cases are in `cases.json`; each is performed by `python/perform.py` and by this module, with one recording server. What
//! differs on purpose is in [`decided`], and nowhere else.

mod case;
mod decided;

use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::sync::{Arc, Mutex};

use case::Case;

use crate::support::own_file;
use crate::support::peer::python;
use crate::support::recorder::{Request, Server};

/// A server that keeps what it is sent, by the number of the case.
struct Recorder {
    server: Server,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Recorder {
    fn start() -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let server = Server::start(move |_, stream| {
            while let Some(request) = Request::read(stream) {
                let answer = answer(stream, &request);
                kept.lock().unwrap().push(request);
                if stream.write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
        });
        Self { server, requests }
    }

    fn requests_of(&self, index: usize) -> Vec<Request> {
        let index = index.to_string();
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|request| request.header("x-case") == Some(&*index)).cloned().collect()
    }
}

/// The path says how it is answered: with a redirect (`/redirect/302/landing`), one to the same server by another host name
/// (`/elsewhere/302/landing`), a cookie (`/cookie/a=1`), or a cookie and a redirect.
fn answer(stream: &TcpStream, request: &Request) -> String {
    let port = stream.local_addr().unwrap().port();
    let decoded = |text: &str| percent_decoded(text);
    let parts: Vec<&str> = request.target.splitn(4, '/').skip(1).collect();
    let (status, headers) = match *parts {
        ["redirect", status, rest] => (status, format!("Location: /{}\r\n", rest.replace("%23", "#"))),
        ["elsewhere", status, rest] => (status, format!("Location: http://localhost:{port}/{rest}\r\n")),
        ["cookie", cookie] => ("200", format!("Set-Cookie: {}\r\n", decoded(cookie))),
        ["cookie-redirect", cookie] => {
            ("302", format!("Set-Cookie: {}; Path=/\r\nLocation: /landing\r\n", decoded(cookie)))
        }
        _ => ("200", String::new()),
    };
    format!("HTTP/1.1 {status} Said\r\n{headers}Content-Length: 0\r\n\r\n")
}

fn percent_decoded(text: &str) -> String {
    text.replace("%20", " ").replace("%2F", "/").replace("%22", "\"")
}

#[tokio::test]
async fn both_clients_send_the_same() {
    let file = own_file("it/wire/cases.json");
    let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert!(cases.len() >= 60);

    let expected = Recorder::start();
    let output = Command::new(python())
        .arg(own_file("python/perform.py"))
        .arg(&file)
        .arg(expected.server.address.to_string())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let sent = Recorder::start();
    let mut differences = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        case.perform(&sent.server.host(), index).await;
        let (theirs, ours) = (expected.requests_of(index), sent.requests_of(index));
        assert!(!theirs.is_empty(), "{}: nothing was recorded", case.name);
        let compare = |requests: &[Request], port: u16| {
            requests.iter().map(|request| decided::essence(request, port)).collect::<Vec<_>>()
        };
        let (theirs, ours) =
            (compare(&theirs, expected.server.address.port()), compare(&ours, sent.server.address.port()));
        if theirs != ours && !decided::differ(&case.name) {
            differences.push(format!("{}\n  requests: {theirs:?}\n  ours: {ours:?}", case.name));
        } else if theirs == ours && decided::differ(&case.name) {
            differences.push(format!("{}: is the same, although decided to differ", case.name));
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}
