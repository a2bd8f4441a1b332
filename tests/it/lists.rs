//! Lists of thousands of objects: sent while they are read, in either format, and no slower to add to than short ones.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::api::Format;
use crate::support::envelope::soap_request;
use crate::support::http::basic_auth;
use crate::support::wait::PATIENCE;
use crate::support::{Launch, Server};

const CREATE: &str = "zato.outgoing.zmq.create";
pub(crate) const LIST: &str = "zato.outgoing.zmq.get-list";

/// How many objects there are in the end.
const MANY: usize = 10_000;

/// How many callers ask for the whole list at once.
const CALLERS: usize = 20;

/// Created from the first to the last, so that the order of lists is not the one in which they came.
fn name(number: usize) -> String {
    format!("connection {:05} {}", MANY - number, "with a long name ".repeat(9))
}

fn create(server: &Server, number: usize) -> Duration {
    let input = json!({
        "cluster_id": 1, "name": name(number), "is_active": false, "address": "tcp://127.0.0.1:5555",
        "socket_type": "PUSH",
    });
    let begun = Instant::now();
    server.api().id_of(CREATE, &input);
    begun.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// The most memory that a server has had since the last time that this was asked, in KiB; what it has now, at least.
fn peak(server: &Server) -> u64 {
    let file = |name: &str| format!("/proc/{}/{name}", server.pid());
    let status = std::fs::read_to_string(file("status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak = line.trim().trim_end_matches("kB").trim().parse().unwrap();
    // Five resets the peak: proc_pid_clear_refs(5).
    std::fs::write(file("clear_refs"), "5").unwrap();
    peak
}

/// The request for a whole list, in the version of HTTP that a test is about.
pub(crate) fn request(server: &Server, format: Format, version: &str) -> Vec<u8> {
    let input = json!({"cluster_id": 1});
    let (path, action, body) = match format {
        Format::Json => (format!("/zato/json/{LIST}"), "", input.to_string()),
        Format::Soap => ("/zato/soap".to_owned(), LIST, soap_request(LIST, &input)),
    };
    let action = if action.is_empty() { String::new() } else { format!("SOAPAction: {action}\r\n") };
    let auth = basic_auth("pubapi", server.password("pubapi"));
    let length = body.len();
    format!(
        "POST {path} {version}\r\nHost: localhost\r\nConnection: close\r\nAuthorization: {auth}\r\n{action}\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A caller who sent a request and has read nothing yet.
pub(crate) fn send(server: &Server, request: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request).unwrap();
    stream
}

/// The head of a reply and its body, without what frames the pieces of one.
pub(crate) fn receive(mut stream: TcpStream) -> (String, Vec<u8>) {
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    let end = reply.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head") + 4;
    let head = String::from_utf8(reply[..end].to_vec()).unwrap().to_ascii_lowercase();
    let mut rest = &reply[end..];
    if !head.contains("transfer-encoding: chunked") {
        return (head, rest.to_vec());
    }
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|bytes| bytes == b"\r\n").expect("the size of a piece");
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        body.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 2 + size + 2..];
        if size == 0 {
            assert!(rest.is_empty(), "nothing follows the last piece");
            return (head, body);
        }
    }
}

/// The names in a reply, as its format has them.
fn names(format: Format, body: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(body).unwrap();
    match format {
        Format::Json => {
            let reply: Value = serde_json::from_str(text).unwrap();
            let items = reply["zato_outgoing_zmq_get_list_response"].as_array().unwrap();
            items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
        }
        Format::Soap => {
            let options = roxmltree::ParsingOptions { nodes_limit: u32::MAX, ..Default::default() };
            let document = roxmltree::Document::parse_with_options(text, options).unwrap();
            let names = document.descendants().filter(|node| node.tag_name().name() == "name");
            names.map(|node| node.text().unwrap().to_owned()).collect()
        }
    }
}

#[test]
fn ten_thousand_objects_are_listed_in_little_memory() {
    let server = Launch::new().flag("--log", "warn").start();
    let times: Vec<Duration> = (0..MANY).map(|number| create(&server, number)).collect();
    let (tenth, last) = (median(times[..20].to_vec()), median(times[MANY - 20..].to_vec()));
    println!("an object is created in {tenth:?} around the 10th, in {last:?} around the {MANY}th");
    // Work that grows with the number of objects would show as a factor of hundreds.
    assert!(last < tenth * 10, "{last:?} instead of {tenth:?}");

    let expected: Vec<String> = (0..MANY).rev().map(name).collect();
    let mut biggest = 0;
    for format in Format::BOTH {
        peak(&server);
        let before = peak(&server);
        let (head, body) = receive(send(&server, &request(&server, format, "HTTP/1.1")));
        let grown = peak(&server).saturating_sub(before);
        assert!(head.contains("transfer-encoding: chunked") && !head.contains("content-length"), "{head}");
        assert!(names(format, &body) == expected, "the names are those that were given");
        println!("a list of {} KiB in {format:?} takes {grown} KiB", body.len() / 1024);
        biggest = biggest.max(body.len());

        // A caller to whom the end of a connection is the end of a body gets one whose length is known.
        let (head, whole) = receive(send(&server, &request(&server, format, "HTTP/1.0")));
        assert!(head.contains(&format!("content-length: {}", whole.len())), "{head}");
        assert_eq!(names(format, &whole).len(), MANY);

        every_page(&server, format, &expected);
    }

    // Callers who take their time: the server reads ahead of none of them.
    peak(&server);
    let before = peak(&server);
    let request = request(&server, Format::Json, "HTTP/1.1");
    let callers: Vec<_> = (0..CALLERS).map(|_| send(&server, &request)).collect();
    thread::scope(|scope| {
        for caller in callers {
            scope.spawn(|| assert_eq!(names(Format::Json, &receive(caller).1).len(), MANY));
        }
    });
    let grown = peak(&server).saturating_sub(before);
    println!("{CALLERS} lists of up to {} KiB at once take {grown} KiB", biggest / 1024);
    let all = u64::try_from(CALLERS * biggest / 1024).unwrap();
    assert!(grown < all / 2, "{grown} KiB of {all} KiB were in memory");
}

/// Pages of it, from the first to one beyond the last.
fn every_page(server: &Server, format: Format, expected: &[String]) {
    let api = server.api_in(format);
    for (page, range) in [(1, 0..1000), (5, 4000..5000), (10, 9000..10_000), (11, 0..0)] {
        let input = json!({"cluster_id": 1, "paginate": true, "page_size": 1000, "cur_page": page});
        assert!(api.names(LIST, &input) == expected[range], "page {page} in {format:?}");
    }
}
