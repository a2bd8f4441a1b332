//! The documents that the server describes itself with: OpenAPI, WSDL, health and metrics.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::api::outgoing;
use crate::support::backend::Backend;
use crate::support::peer::NOBODY;
use crate::support::postgres::{Database, PASSWORD};
use crate::support::proxy::Proxy;
use crate::support::{Launch, Peer, PeerReply, Reply, Server, eventually};

/// What is built, as the public API has it: a list kept by hand, so that a service can't get lost unnoticed.
const BUILT: &[&str] = &[
    "zato.ping",
    "zato.ping2",
    "zato.helpers.echo",
    "zato.helpers.input-logger",
    "zato.helpers.sio-input-logger",
    "zato.info.get-info",
    "zato.info.get-server-info",
    "zato.security.get-list",
    "zato.security.basic-auth.change-password",
    "zato.security.basic-auth.create",
    "zato.security.basic-auth.delete",
    "zato.security.basic-auth.edit",
    "zato.security.basic-auth.get-list",
    "zato.http-soap.create",
    "zato.http-soap.delete",
    "zato.http-soap.edit",
    "zato.http-soap.get-list",
    "zato.http-soap.ping",
    "zato.service.edit",
    "zato.service.get-by-name",
    "zato.service.get-channel-list",
    "zato.service.get-list",
    "zato.service.invoke",
];

fn get(server: &Server, path: &str) -> Reply {
    server.request("GET", path).send()
}

#[test]
fn openapi_has_every_service() {
    let server = Server::start();
    let reply = get(&server, "/zato/openapi.json").status(200);
    assert_eq!(reply.header("Content-Type"), "application/json");
    let document = reply.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    for service in BUILT {
        let operation = &document["paths"][format!("/zato/json/{service}")]["post"];
        assert!(operation["responses"]["200"].is_object(), "{service}: {operation}");
        for status in ["400", "401"] {
            assert!(operation["responses"][status].is_object(), "{service} {status}: {operation}");
        }
    }
    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    assert!(
        schemes.values().any(|scheme| scheme["type"] == "http" && scheme["scheme"] == "basic"),
        "{schemes:?}"
    );
}

/// The document and the server agree on what there is.
#[test]
fn every_documented_path_answers() {
    let server = Server::start();
    let document = get(&server, "/zato/openapi.json").json();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            let path = path.replace(['{', '}'], "");
            let reply = server.request(&method.to_uppercase(), &path).body("{}").send();
            assert!(
                ![404, 405].contains(&reply.status) || path.contains("/api/invoke/"),
                "{method} {path}: {reply:?}"
            );
        }
    }
}

#[test]
fn wsdl_has_every_service_at_the_address_asked() {
    let server = Server::start();
    let reply = get(&server, "/zato/wsdl").status(200);
    assert!(reply.header("Content-Type").contains("xml"), "{}", reply.header("Content-Type"));
    let document = roxmltree::Document::parse(reply.text()).unwrap();
    let operations = document.descendants().filter(|node| node.tag_name().name() == "operation");
    let actions: Vec<_> = operations.filter_map(|node| node.attribute("soapAction")).collect();
    for service in BUILT.iter().filter(|service| !service.starts_with("zato.helpers.")) {
        assert!(actions.contains(service), "no {service} in {actions:?}");
    }
    let location = |reply: &Reply| {
        let document = roxmltree::Document::parse(reply.text()).unwrap();
        let address = document.descendants().find(|node| node.tag_name().name() == "address").unwrap();
        address.attribute("location").unwrap().to_owned()
    };
    assert_eq!(location(&reply), server.url("/zato/soap"));
    // Behind a proxy, the address is the one that the caller knows.
    let reply = server.request("GET", "/zato/wsdl").header("Host", "esb.example.com").send().status(200);
    assert_eq!(location(&reply), "http://esb.example.com/zato/soap");
    let request = server.request("GET", "/zato/wsdl").header("Host", "esb.example.com");
    let reply = request.header("X-Forwarded-Proto", "https").send().status(200);
    assert_eq!(location(&reply), "https://esb.example.com/zato/soap");
    let reply = server.request("GET", "/zato/wsdl").header("Host", "a\"><script>").send();
    assert!(!reply.text().contains("<script>"), "{}", reply.text());
}

#[test]
fn documents_are_read_only() {
    let server = Server::start();
    for path in ["/zato/openapi.json", "/zato/wsdl", "/zato/health", "/zato/metrics"] {
        let whole = get(&server, path).status(200);
        let head = server.request("HEAD", path).send().status(200);
        assert_eq!(head.header("Content-Type"), whole.header("Content-Type"), "{path}");
        assert_eq!(head.text(), "", "{path}");
        let refused = server.request("POST", path).body("{}").send().status(405);
        assert_eq!(refused.header("Allow").replace(' ', ""), "GET,HEAD,OPTIONS", "{path}");
    }
}

#[test]
fn health_is_good() {
    let server = Server::start();
    let reply = get(&server, "/zato/health").status(200);
    assert_eq!(reply.header("Content-Type"), "application/json");
    assert!(reply.json().is_object(), "{}", reply.text());
}

/// Calls that need the database say so with 503; the others go on; all is well again afterwards.
#[test]
fn an_outage_of_the_database_is_survived() {
    let database = Database::create();
    let network = Proxy::start(database.address());
    let server = Launch::new().flag("--odb", database.url_at(network.address())).start();
    server.keep_secret(PASSWORD);
    get(&server, "/zato/health").status(200);
    network.cut();

    get(&server, "/zato/health").status(503);
    get(&server, "/zato/ping").status(200);
    let input = json!({"cluster_id": 1});
    let details = server.api().call("zato.security.get-list", &input).error(503, &[]);
    assert!(!details.contains(PASSWORD), "{details}");

    network.mend();
    eventually("health is good again", || (get(&server, "/zato/health").status == 200).then_some(()));
    server.api().call("zato.security.get-list", &input).ok();
    server.api().create_user("After the outage", "password-after");
}

/// Samples by name and labels.
#[track_caller]
fn metrics(server: &Server) -> BTreeMap<String, f64> {
    let reply = get(server, "/zato/metrics").status(200);
    let content_type = reply.header("Content-Type");
    let known = ["text/plain", "application/openmetrics-text"];
    assert!(known.iter().any(|kind| content_type.starts_with(kind)), "{content_type}");
    let samples = reply.text().lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let samples = samples.map(|line| {
        let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("{line}")))
    });
    samples.collect()
}

#[test]
fn metrics_count_calls() {
    let server = Server::start();
    let ping2 = "zato_service_calls_total{service=\"zato.ping2\"}";
    let total = |samples: &BTreeMap<String, f64>| samples.get(ping2).copied().unwrap_or_default();
    let before = metrics(&server);
    for _ in 0..7 {
        get(&server, "/zato/ping2").status(200);
    }
    let after = metrics(&server);
    assert_eq!(total(&after) - total(&before), 7.0, "{after:#?}");
    for (name, value) in &before {
        let is_counter = name.contains("_total") || name.contains("_count") || name.contains("_bucket");
        assert!(!is_counter || after.get(name) >= Some(value), "{name} went back");
    }
}

#[test]
fn metrics_tell_of_outgoing_connections() {
    let server = Server::start();
    let peer = Peer::start(|_| PeerReply::status(404));
    let metered = server.api().create_http(&outgoing("Metered", &peer.host(), "/"));
    let refused = server.api().create_http(&outgoing("Refused", NOBODY, "/"));
    let ping = |id: i64| server.api().call("zato.http-soap.ping", &json!({"id": id}));
    for _ in 0..3 {
        ping(metered).ok();
    }
    ping(refused).error(502, &["Refused"]);

    let samples = metrics(&server);
    let check = |connection: &str, name: &str, label: &str, expected: f64| {
        let labels = format!("connection=\"{connection}\",transport=\"plain_http\"{label}");
        let sample = format!("zato_outgoing_{name}{{{labels}}}");
        assert_eq!(samples.get(&sample), Some(&expected), "{sample} in {samples:#?}");
    };
    check("Metered", "calls_total", "", 3.0);
    check("Metered", "replies_total", ",status=\"4xx\"", 3.0);
    check("Metered", "failures_total", ",kind=\"connect\"", 0.0);
    check("Metered", "latency_seconds_count", "", 3.0);
    check("Metered", "calls_in_flight", "", 0.0);
    check("Metered", "calls_waiting", "", 0.0);
    check("Metered", "pool_size", "", 20.0);
    check("Refused", "calls_total", "", 1.0);
    check("Refused", "failures_total", ",kind=\"connect\"", 1.0);
    check("Refused", "latency_seconds_count", "", 1.0);
    for name in ["queue_wait_seconds_total", "latency_seconds_sum", "connections_idle"] {
        let sample = format!("zato_outgoing_{name}{{connection=\"Metered\",transport=\"plain_http\"}}");
        assert!(samples.get(&sample).is_some_and(|value| *value >= 0.0), "{sample} in {samples:#?}");
    }
}

/// The names of people and their passwords are nobody's business who may read metrics without credentials.
#[test]
fn public_documents_hold_no_secrets() {
    let server = Backend::Sqlite.launch().start();
    server.api().create_user("Private user", "password-private");
    for path in ["/zato/openapi.json", "/zato/wsdl", "/zato/health", "/zato/metrics"] {
        let reply = get(&server, path);
        for secret in ["Private user", "password-private", server.password("pubapi")] {
            assert!(!reply.text().contains(secret), "{secret} in {path}");
        }
    }
}

/// Every kind of reply has one, the failed ones above all.
#[test]
fn every_reply_has_a_correlation_id_of_its_own() {
    let server = Server::start();
    let mut cids: Vec<String> = Vec::new();
    for _ in 0..3 {
        for (method, path, status) in [
            ("GET", "/zato/ping", 200),
            ("GET", "/zato/health", 200),
            ("POST", "/zato/health", 405),
            ("GET", "/zato/json/zato.ping", 401),
            ("GET", "/no/such", 404),
            ("POST", "/zato/soap", 404),
        ] {
            cids.push(server.request(method, path).send().status(status).cid().to_owned());
        }
        let answer = server.api().call("zato.ping", &Value::Object(Default::default()));
        cids.push(answer.cid);
    }
    // They sort by time.
    assert!(cids.is_sorted_by(|first, second| first < second), "{cids:?}");
}
