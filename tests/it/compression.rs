//! Replies are compressed for clients that ask for it.

use std::process::Command;

use crate::support::Server;

/// The encoding of an echoed body, for a client with this header.
#[track_caller]
fn encoding(server: &Server, accepted: &str, length: usize) -> String {
    let request = server.request("POST", "/zato/json/zato.helpers.echo").header("Accept-Encoding", accepted);
    let request = request.auth("pubapi", server.password("pubapi")).body("x".repeat(length));
    let reply = request.send().status(200);
    let encoding = reply.header("Content-Encoding").to_owned();
    // Caches have to know that other clients get other bytes.
    assert_eq!(reply.header("Vary").to_ascii_lowercase(), if length > 1024 { "accept-encoding" } else { "" });
    assert_eq!(encoding.is_empty(), reply.bytes().len() == length, "{accepted} {length}");
    encoding
}

#[test]
fn the_client_and_the_length_decide() {
    let server = Server::start();
    for (accepted, expected) in [
        ("gzip", "gzip"),
        ("zstd", "zstd"),
        ("gzip, deflate", "gzip"),
        ("gzip;q=0.2, zstd;q=0.8", "zstd"),
        ("gzip;q=0.8, zstd;q=0.2", "gzip"),
        ("*", "zstd"),
        ("identity", ""),
        ("gzip;q=0", ""),
        ("br", ""),
        ("identity;q=0", ""),
        ("*;q=0", ""),
        ("nonsense;;q=x", ""),
    ] {
        assert_eq!(encoding(&server, accepted, 100_000), expected, "{accepted}");
        assert_eq!(encoding(&server, accepted, 100), "", "{accepted}");
    }
}

/// What curl unpacks is what was sent, over both versions of HTTP.
#[test]
fn nothing_is_lost() {
    let server = Server::start();
    let text: String = (0..50_000).map(|number| format!("{number} \u{17c}\n")).collect();
    let file = server.data().join("sent.txt");
    std::fs::write(&file, &text).unwrap();
    for accepted in ["gzip", "zstd"] {
        for version in ["--http1.1", "--http2-prior-knowledge"] {
            let output = Command::new("curl")
                .args(["--silent", "--max-time", "20", "--compressed", version])
                .args(["--header", &format!("Accept-Encoding: {accepted}")])
                .args(["--user", &format!("pubapi:{}", server.password("pubapi"))])
                .args(["--data-binary", &format!("@{}", file.display())])
                .arg(server.url("/zato/json/zato.helpers.echo"))
                .output()
                .expect("curl is installed");
            assert_eq!(String::from_utf8(output.stdout).unwrap(), text, "{accepted} {version}");
        }
    }
}
