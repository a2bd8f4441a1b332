//! What the log says of changes and requests, and what it keeps to itself.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

use serde_json::json;

use crate::support::{House, PUBAPI_PASSWORD, request, with};

thread_local! {
    /// What this thread has logged. Tests run on one thread each.
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes to the log of the thread that logs.
///
/// One subscriber for all threads, because the switches by which log lines are turned off when nobody listens are for all
/// threads, too: a subscriber for each test would miss lines whenever another test begins or ends.
struct Lines;

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts logging, if no test has, and forgets what this thread has logged so far.
fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(|| Lines)
            .init();
    });
    LINES.take();
}

/// What this thread has logged since the start.
fn text() -> String {
    String::from_utf8(LINES.with_borrow(Vec::clone)).unwrap()
}

#[tokio::test]
async fn changes_are_logged_with_who_and_what() {
    let house = House::new().await;
    let id = house.create("security.basic-auth", house.definition("crm")).await;
    start();
    let body = json!({"id": id, "password1": "new-S3cret", "password2": "new-S3cret"});
    let reply = house.json("zato.security.basic-auth.change-password", body).await;
    let text = text();
    let line = text.lines().find(|line| line.contains("configuration changed")).unwrap();
    let cid = reply.headers["x-zato-cid"].to_str().unwrap();
    let id = format!("id={id}");
    let expected = [
        " INFO ",
        cid,
        "caller=\"pubapi\"",
        "action=password-changed",
        "HTTP Basic Auth definition",
        &id,
        "crm",
    ];
    assert!(expected.iter().all(|part| line.contains(part)), "{line}");
    assert!(!text.contains("S3cret"), "{text}");
}

#[tokio::test]
async fn loggers_hide_secrets() {
    let house = House::new().await;
    start();
    let body = json!({"customer": "Jane", "password": "its-S3cret", "nested": [{"api_token": "its-S3cret"}]});
    for service in ["zato.helpers.input-logger", "zato.helpers.sio-input-logger"] {
        let reply = house.json(service, body.clone()).await;
        assert_eq!((reply.status, reply.text()), (200, "{}"), "{service}");
        let xml = "<a><customer>Joe</customer><token>its-S3cret</token></a>";
        let reply = house.soap_payload(service, xml).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let text = text();
    for name in ["Jane", "Joe"] {
        assert_eq!(
            text.lines().filter(|line| line.contains(" INFO ") && line.contains(name)).count(),
            2,
            "{text}"
        );
    }
    assert!(!text.contains("S3cret") && !text.contains(PUBAPI_PASSWORD), "{text}");
}

#[tokio::test]
async fn headers_about_tls_are_logged() {
    let house = House::new().await;
    let channel = with(house.channel("TLS", "/tls"), "service", "zato.helpers.tls-logger");
    house.create("http-soap", channel).await;
    start();
    assert_eq!(house.post("/tls", None, "").await.status, 200);
    assert!(
        text().contains("WARN zato_admin::services::helpers: there are no headers about TLS"),
        "{}",
        text()
    );
    let mut request = request("POST", "/tls", None, "");
    request.headers_mut().insert("x-zato-tls-cn", "crm.example.com".parse().unwrap());
    request.headers_mut().insert("x_zato_tls_o", "Example".parse().unwrap());
    assert_eq!(house.send(request).await.status, 200);
    let text = text();
    for header in ["name=x-zato-tls-cn value=\"crm.example.com\"", "name=x_zato_tls_o value=\"Example\""] {
        assert!(text.contains(header), "{text}");
    }
}
