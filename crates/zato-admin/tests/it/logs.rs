//! What the log says of changes and requests, and what it keeps to itself.

use std::io;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{House, PUBAPI_PASSWORD, request, with};

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Everything that this thread logs from here on. Tests run on one thread each.
fn log() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

#[tokio::test]
async fn changes_are_logged_with_who_and_what() {
    let house = House::new().await;
    let id = house.create("security.basic-auth", house.definition("crm")).await;
    let (log, _guard) = log();
    let body = json!({"id": id, "password1": "new-S3cret", "password2": "new-S3cret"});
    let reply = house.json("zato.security.basic-auth.change-password", body).await;
    let text = log.text();
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
    let (log, _guard) = log();
    let body = json!({"customer": "Jane", "password": "its-S3cret", "nested": [{"api_token": "its-S3cret"}]});
    for service in ["zato.helpers.input-logger", "zato.helpers.sio-input-logger"] {
        let reply = house.json(service, body.clone()).await;
        assert_eq!((reply.status, reply.text()), (200, "{}"), "{service}");
        let xml = "<a><customer>Joe</customer><token>its-S3cret</token></a>";
        let reply = house.soap_payload(service, xml).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let text = log.text();
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
    let (log, _guard) = log();
    assert_eq!(house.post("/tls", None, "").await.status, 200);
    assert!(
        log.text().contains("WARN zato_admin::services::helpers: there are no headers about TLS"),
        "{}",
        log.text()
    );
    let mut request = request("POST", "/tls", None, "");
    request.headers_mut().insert("x-zato-tls-cn", "crm.example.com".parse().unwrap());
    request.headers_mut().insert("x_zato_tls_o", "Example".parse().unwrap());
    assert_eq!(house.send(request).await.status, 200);
    let text = log.text();
    for header in ["name=x-zato-tls-cn value=\"crm.example.com\"", "name=x_zato_tls_o value=\"Example\""] {
        assert!(text.contains(header), "{text}");
    }
}
