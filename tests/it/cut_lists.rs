//! Lists that can't be read to their end: nobody may take the part that was sent for the whole.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;

use serde_json::json;

use crate::lists::{LIST, request, send};
use crate::support::api::Format;
use crate::support::backend::on_both_backends;
use crate::support::postgres::Database;
use crate::support::{Backend, Launch, Server, eventually, python, shell};

on_both_backends!(an_object_that_cannot_be_read);

/// How many objects take more than the sockets between the server and a caller who doesn't read can hold.
const MANY: usize = 60_000;

/// A server, and the database behind it.
struct House {
    server: Server,
    /// None for SQLite, whose database is a file.
    postgres: Option<Database>,
}

impl House {
    fn new(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => Self { server: Launch::new().start(), postgres: None },
            Backend::Postgres => Self::on(Database::create()),
        }
    }

    fn on(database: Database) -> Self {
        Self { server: Launch::new().flag("--odb", database.url()).start(), postgres: Some(database) }
    }

    /// Runs a statement without the server.
    fn run(&self, sql: &str) {
        match &self.postgres {
            Some(database) => database.run(sql),
            None => {
                let file = self.server.data().join("odb.sqlite3");
                let file = file.to_string_lossy();
                python::run("sqlite.py", &self.server, &[("ZATO_SQLITE", &file), ("ZATO_SQL", sql)]);
            }
        }
    }

    /// Stores connections without the server, which would take much longer.
    fn store(&self, count: usize) {
        self.run(&format!(
            "WITH RECURSIVE numbered(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbered WHERE number < {count})
             INSERT INTO out_zmq (name, is_active, address, socket_type, cluster_id)
             SELECT 'connection ' || CAST(100000 + number AS VARCHAR(6)) || '{}', FALSE, 'tcp://127.0.0.1:5555', 'PUSH', 1
             FROM numbered",
            " with a long name".repeat(10)
        ));
    }

    /// What the server says of a reply that broke off.
    fn logged(&self, head: &str) -> String {
        let cid = head.lines().find_map(|line| line.strip_prefix("x-zato-cid: ")).expect("a correlation id");
        let cid = cid.to_ascii_uppercase();
        eventually(&format!("a log line with {cid}"), || {
            self.server.log_lines(&[&cid, "a reply broke off", "ERROR"]).pop()
        })
    }
}

/// The head of a reply, in small letters, and of its pieces those that came as a whole. The connection has to end before the
/// piece of no length which ends a body.
#[track_caller]
fn broken_off(mut stream: TcpStream, begun: Vec<u8>) -> (String, Vec<u8>) {
    let mut reply = begun;
    match stream.read_to_end(&mut reply) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    let end = reply.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head") + 4;
    let head = String::from_utf8(reply[..end].to_vec()).unwrap().to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200 ") && head.contains("transfer-encoding: chunked"), "{head}");
    let (mut rest, mut body) = (&reply[end..], Vec::new());
    while let Some(end) = rest.windows(2).position(|bytes| bytes == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        assert_ne!(size, 0, "the body has an end, after {} bytes", body.len());
        let Some(piece) = rest.get(end + 2..end + 2 + size) else { break };
        body.extend_from_slice(piece);
        rest = rest.get(end + 2 + size + 2..).unwrap_or_default();
    }
    (head, body)
}

fn count(body: &[u8]) -> usize {
    String::from_utf8_lossy(body).matches("connection 1").count()
}

/// A connection of a kind that a newer version of the server may know.
fn an_object_that_cannot_be_read(backend: Backend) {
    let house = House::new(backend);
    let server = &house.server;
    house.store(3_000);
    house.run("UPDATE out_zmq SET socket_type = 'NEWER' WHERE name LIKE 'connection 102222%'");
    for format in Format::BOTH {
        let stream = send(server, &request(server, format, "HTTP/1.1"));
        let (head, body) = broken_off(stream, Vec::new());
        // What was read before was sent.
        assert_eq!(count(&body), 2_000, "{format:?}");
        let line = house.logged(&head);
        assert!(line.contains("socket_type") && line.contains(LIST), "{line}");

        // Where the length of a reply has to be known, nothing is sent before the end.
        let mut reply = String::new();
        send(server, &request(server, format, "HTTP/1.0")).read_to_string(&mut reply).unwrap();
        assert!(reply.starts_with("HTTP/1.0 500 ") && count(reply.as_bytes()) == 0, "{reply}");
    }
    real_clients_are_not_fooled(server);
    let page =
        |number: usize| json!({"cluster_id": 1, "paginate": true, "page_size": 1000, "cur_page": number});
    assert_eq!(server.api().names(LIST, &page(2)).len(), 1000);
    assert_eq!(server.api().send(LIST, &page(3)).status, 500);
    house.run("UPDATE out_zmq SET socket_type = 'PUSH'");
    assert_eq!(server.api().names(LIST, &json!({"cluster_id": 1})).len(), 3_000);
}

/// The exit codes of curl: 18 is for a reply that is shorter than it should be, 92 for a stream of HTTP/2 that was reset.
fn real_clients_are_not_fooled(server: &Server) {
    for (version, code) in [("--http1.1", 18), ("--http2-prior-knowledge", 92)] {
        let command = format!(
            "curl -sS {version} -o list.json -u pubapi:{} -d '{{\"cluster_id\": 1}}' {} 2>error.txt || echo \"exit code $?\"",
            server.password("pubapi"),
            server.url(&format!("/zato/json/{LIST}")),
        );
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(shell::bash(folder.path(), &command), format!("exit code {code}\n"), "{version}");
    }
}

/// The database goes away while a caller takes a list, and comes back.
#[test]
fn a_database_that_goes_away() {
    let house = House::on(Database::on_server_of_its_own());
    let database = house.postgres.as_ref().expect("it is PostgreSQL");
    house.store(MANY);
    for format in Format::BOTH {
        let mut stream = send(&house.server, &request(&house.server, format, "HTTP/1.1"));
        let mut begun = vec![0; 10_000];
        stream.read_exact(&mut begun).unwrap();
        database.halt();
        let (head, body) = broken_off(stream, begun);
        let sent = count(&body);
        println!("{sent} of {MANY} objects were sent in {format:?} before PostgreSQL was gone");
        assert!((500..MANY).contains(&sent), "{sent}");
        let line = house.logged(&head);
        assert!(line.contains("database"), "{line}");
        let page = json!({"cluster_id": 1, "paginate": true});
        assert_eq!(house.server.api().send(LIST, &page).status, 503);
        database.resume();
        eventually("the database is back", || {
            (house.server.api().send(LIST, &page).status == 200).then_some(())
        });
    }
    let stream = send(&house.server, &request(&house.server, Format::Json, "HTTP/1.1"));
    assert_eq!(count(&crate::lists::receive(stream).1), MANY);
}
