//! nginx: TLS as servers of the world speak it, HTTP/2, and connections which the server closes.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use time::OffsetDateTime;
use time::macros::datetime;
use zato_outgoing::{Clock, Config, Connection, Environment, Failure, Identity, Retry, Verify};
use zato_test_port::Port;

use crate::faults::check_nothing_left;
use crate::support::certificates::{Authority, Certified, self_signed};
use crate::support::peer::Peer;
use crate::support::{chain, cid, connection};

/// The server of this process; its servers differ in port and certificate.
struct Nginx {
    _peer: Peer,
    authority: Authority,
    stranger: Identity,
    client: Identity,
    ports: [Port; PORTS.len()],
    socket: String,
}

const PORTS: [&str; 11] = [
    "plain",
    "tls",
    "tls12",
    "http1",
    "mutual",
    "expired",
    "elsewhere",
    "self_signed",
    "impatient",
    "busy",
    "turnover",
];

const CONFIGURATION: &str = r#"
daemon off;
master_process off;
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    ssl_certificate_key tls.key;
    ssl_certificate tls.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    default_type text/plain;
    limit_req_zone $uri zone=by_path:64k rate=1r/s;
    server {
        listen 127.0.0.1:@plain;
        listen unix:@folder/nginx.sock;
        location / { return 200 "$server_protocol $request_method $host $uri $connection"; }
        location /large { client_max_body_size 1k; proxy_pass http://127.0.0.1:@plain/; }
    }
    server { listen 127.0.0.1:@tls ssl http2; @answer }
    server { listen 127.0.0.1:@tls12 ssl; ssl_protocols TLSv1.2; @answer }
    server { listen 127.0.0.1:@http1 ssl; ssl_protocols TLSv1.3; @answer }
    server {
        listen 127.0.0.1:@mutual ssl;
        ssl_client_certificate authority.pem;
        ssl_verify_client on;
        location / { return 200 "$ssl_client_verify $ssl_client_s_dn"; }
    }
    server { listen 127.0.0.1:@expired ssl; ssl_certificate expired.pem; ssl_certificate_key expired.key; @answer }
    server { listen 127.0.0.1:@elsewhere ssl; ssl_certificate elsewhere.pem; ssl_certificate_key elsewhere.key; @answer }
    server { listen 127.0.0.1:@self_signed ssl; ssl_certificate own.pem; ssl_certificate_key own.key; @answer }
    server {
        listen 127.0.0.1:@impatient;
        keepalive_timeout 1s;
        keepalive_requests 3;
        location / { return 200 "$connection $connection_requests"; }
    }
    server { listen 127.0.0.1:@turnover ssl http2; keepalive_requests 7; @answer }
    server {
        listen 127.0.0.1:@busy;
        limit_req zone=by_path;
        location /seconds { limit_req_status 429; add_header Retry-After 1 always; proxy_pass http://127.0.0.1:@plain/; }
        location /date { add_header Retry-After "Wed, 21 Oct 2015 07:28:01 GMT" always; proxy_pass http://127.0.0.1:@plain/; }
        location /hour { add_header Retry-After 3600 always; proxy_pass http://127.0.0.1:@plain/; }
    }
}
"#;

const ANSWER: &str =
    r#"location / { return 200 "$server_protocol $ssl_protocol $ssl_server_name $connection"; }"#;

impl Nginx {
    fn start() -> Self {
        let authority = Authority::new();
        let [tls, expired, elsewhere, own] = [
            authority.server("localhost"),
            authority.expired("localhost"),
            authority.server("elsewhere.example.com"),
            self_signed("localhost"),
        ];
        let pem = authority.pem();
        let ports = PORTS.map(|_| Port::reserve());
        let mut configuration = CONFIGURATION.replace("@answer", ANSWER);
        // The longest names first, so that no name is taken for the beginning of another one.
        let mut names: Vec<_> = PORTS.into_iter().zip(&ports).collect();
        names.sort_unstable_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        for (name, port) in names {
            configuration = configuration.replace(&format!("@{name}"), &port.number().to_string());
        }
        let files = [
            ("nginx.conf", &*configuration),
            ("authority.pem", &pem),
            ("tls.pem", &tls.certificate),
            ("tls.key", &tls.key),
            ("expired.pem", &expired.certificate),
            ("expired.key", &expired.key),
            ("elsewhere.pem", &elsewhere.certificate),
            ("elsewhere.key", &elsewhere.key),
            ("own.pem", &own.certificate),
            ("own.key", &own.key),
        ];
        let identity = |certified: Certified| Identity::from_pem(certified.key + &certified.certificate);
        let peer = Peer::nginx(&files, &ports[0]);
        Self {
            socket: peer.folder.join("nginx.sock").to_string_lossy().into_owned(),
            _peer: peer,
            client: identity(authority.client("a known client")),
            stranger: identity(Authority::new().client("a stranger")),
            authority,
            ports,
        }
    }

    fn port(&self, name: &str) -> u16 {
        let at = PORTS.iter().position(|own| *own == name).unwrap();
        self.ports[at].number()
    }
}

fn nginx() -> &'static Nginx {
    static PEER: OnceLock<Nginx> = OnceLock::new();
    PEER.get_or_init(Nginx::start)
}

/// The URL of a server with TLS and HTTP/2, for tests of what is in between.
pub(crate) fn secured_host() -> String {
    format!("https://localhost:{}", nginx().port("tls"))
}

/// A certificate from the authority of the servers.
pub(crate) fn certified(host: &str) -> Certified {
    nginx().authority.server(host)
}

/// The certificate of a client whom the server `mutual` knows.
pub(crate) fn client() -> Identity {
    nginx().client.clone()
}

/// Trust in that authority alone.
pub(crate) fn trusted() -> Verify {
    Verify::CaBundle(Arc::from(nginx().authority.pem().as_bytes()))
}

/// A connection to one of the servers with TLS, whose authority it trusts.
pub(crate) fn secure(server: &str, change: impl FnOnce(&mut Config)) -> Connection {
    connection(&format!("https://localhost:{}", nginx().port(server)), "/a", |config| {
        config.tls.verify = trusted();
        change(config);
    })
}

fn plain(server: &str) -> Connection {
    connection(&format!("http://127.0.0.1:{}", nginx().port(server)), "/a", |_| {})
}

async fn text(connection: &Connection) -> String {
    let response = connection.conn().get(cid(), ()).await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!(response.status(), 200, "{}", response.text());
    response.text().into_owned()
}

/// The call fails before anything was sent, the causes say why, and nothing is left of it.
async fn check_refused(connection: Connection, cause: &str) {
    let error = connection.conn().get(cid(), ()).await.unwrap_err();
    assert!(matches!(error.kind(), Failure::Tls(_)), "{error:?}");
    assert!(!error.may_have_been_sent());
    assert!(chain(&error).contains(cause), "{}", chain(&error));
    drop(error);
    check_nothing_left(connection, None).await;
}

#[tokio::test]
async fn versions_of_tls_and_http() {
    for (server, expected) in [
        ("tls", "HTTP/2.0 TLSv1.3 localhost"),
        ("tls12", "HTTP/1.1 TLSv1.2 localhost"),
        ("http1", "HTTP/1.1 TLSv1.3 localhost"),
    ] {
        let text = text(&secure(server, |_| {})).await;
        assert!(text.starts_with(expected), "{text}");
    }
}

#[tokio::test]
async fn certificates_are_verified() {
    check_refused(secure("expired", |_| {}), "expired").await;
    check_refused(secure("elsewhere", |_| {}), "not valid for name").await;
    check_refused(secure("self_signed", |_| {}), "UnknownIssuer").await;
    check_refused(secure("tls", |config| config.tls.verify = Verify::OperatingSystem), "UnknownIssuer").await;
}

#[tokio::test]
async fn certificates_are_not_verified_if_so_configured() {
    for server in ["expired", "elsewhere", "self_signed"] {
        text(&secure(server, |config| config.tls.verify = Verify::Nothing)).await;
    }
}

#[tokio::test]
async fn client_certificates() {
    let known = secure("mutual", |config| config.tls.identity = Some(nginx().client.clone()));
    assert_eq!(text(&known).await, "SUCCESS CN=a known client");
    let nobody = secure("mutual", |_| {}).conn().get(cid(), ()).await.unwrap();
    assert_eq!(nobody.status(), 400);
    assert!(nobody.text().contains("No required SSL certificate was sent"), "{}", nobody.text());
    let stranger = secure("mutual", |config| config.tls.identity = Some(nginx().stranger.clone()));
    let stranger = stranger.conn().get(cid(), ()).await.unwrap();
    assert!(stranger.text().contains("The SSL certificate error"), "{}", stranger.text());
}

#[tokio::test]
async fn http2_calls_share_one_connection() {
    let crm = secure("tls", |_| {});
    let first = text(&crm).await;
    let calls: Vec<_> = (0..50).map(|_| tokio::spawn(crm.conn().post(cid(), "a").into_future())).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().text(), first);
    }
}

#[tokio::test]
async fn each_version_of_http_keeps_its_connection() {
    for server in ["tls12", "http1"] {
        let crm = secure(server, |_| {});
        let first = text(&crm).await;
        for _ in 0..5 {
            assert_eq!(text(&crm).await, first);
        }
    }
}

/// The server ends connections after three requests and after a second without any. No call sees anything of it.
#[tokio::test]
async fn connections_which_the_server_ends() {
    let crm = plain("impatient");
    let mut connections = std::collections::BTreeSet::new();
    for _ in 0..10 {
        let text = text(&crm).await;
        connections.insert(text.split(' ').next().unwrap().to_owned());
    }
    assert_eq!(connections.len(), 4, "{connections:?}");
    for _ in 0..2 {
        // The server's clock is the subject, and there is no other way to let it run.
        tokio::time::sleep(Duration::from_millis(1300)).await;
        crm.conn().post(cid(), "not idempotent").await.unwrap();
    }
}

#[tokio::test]
async fn plain_http_at_a_tls_port_is_told_so() {
    let response = plain("http1").conn().get(cid(), ()).await.unwrap();
    assert_eq!(response.status(), 400);
    assert!(response.text().contains("The plain HTTP request was sent to HTTPS port"), "{}", response.text());
}

#[tokio::test]
async fn tls_at_a_plain_port_fails() {
    let host = format!("https://localhost:{}", nginx().port("plain"));
    check_refused(connection(&host, "/", |config| config.tls.verify = trusted()), "").await;
}

/// The server replies before it has read the body, and closes the connection.
#[tokio::test]
async fn a_request_that_is_too_large() {
    let host = format!("http://127.0.0.1:{}", nginx().port("plain"));
    let crm = connection(&host, "/large", |_| {});
    let response = crm.conn().post(cid(), vec![b'x'; 100_000]).await.unwrap();
    assert_eq!(response.status(), 413);
}

/// The time at which the server's `Retry-After`, which is a fixed date, is in a second.
#[derive(Debug)]
struct BackToTheFuture;

impl Clock for BackToTheFuture {
    fn now(&self) -> OffsetDateTime {
        datetime!(2015-10-21 07:28:00 UTC)
    }
}

/// The server takes one request a second for each path, and tells when to come back.
async fn check_busy(path: &str, retries: u32, refused: u16) {
    let mut config = Config::new(1, "busy", format!("http://127.0.0.1:{}", nginx().port("busy")), path);
    // Without `Retry-After` all attempts would be made before the second is over.
    config.retry = Some(Retry { attempts: 2, backoff: Duration::from_millis(1), ..Retry::default() });
    let environment = Environment::new("tests").unwrap().with_clock(Arc::new(BackToTheFuture));
    let busy = Connection::new(config, &environment).unwrap();
    // On a machine that is very busy, a second may go by between two calls.
    for _ in 0..50 {
        let response = busy.conn().get(cid(), ()).await.unwrap_or_else(|error| panic!("{}", chain(&error)));
        if response.status() == refused && retries == 0 {
            assert_eq!(response.attempts(), 1, "{path}");
            return;
        }
        assert_eq!(response.status(), 200, "{path}");
        if response.attempts() == 2 {
            assert!(response.elapsed() >= Duration::from_secs(1), "{path}: {:?}", response.elapsed());
            assert_eq!(busy.metrics().retries, 1, "{path}");
            return;
        }
    }
    panic!("{path}: the server never was busy");
}

#[tokio::test]
async fn servers_say_when_to_come_back() {
    tokio::join!(
        check_busy("/seconds", 1, 429),
        check_busy("/date", 1, 503),
        // Longer than a call may wait.
        check_busy("/hour", 0, 503),
    );
}

#[tokio::test]
async fn unix_sockets() {
    nginx();
    let crm = connection(&format!("unix:{}", nginx().socket), "/b", |_| {});
    let text = text(&crm).await;
    assert!(text.starts_with("HTTP/1.1 GET localhost /b "), "{text}");
}
