//! Configurations which cannot be built, and what the error says of them.

use std::time::Duration;

use http::Response;
use http_body_util::Full;
use zato_outgoing::{
    AwsCredentials, CircuitBreaker, ClientCredentials, Config, Connection, Environment, Outgoing,
    PhaseTimeouts, Retry, Secret, Security, Transport, Verify,
};

use crate::peer::{Peer, cid, environment};

#[track_caller]
fn check(change: impl FnOnce(&mut Config), field: &str, problem: &str) {
    let mut config = Config::new(1, "CRM", "https://example.com:8443", "/a/{b}");
    change(&mut config);
    let error = Connection::new(config, &environment()).unwrap_err();
    assert_eq!(error.field(), field);
    assert_eq!(error.to_string(), format!("the outgoing connection `CRM` has an invalid {field}"));
    assert_eq!(error.problem().to_string(), problem);
}

#[test]
fn the_field_is_named() {
    for host in ["", "example.com", "example.com:80", "ftp://example.com"] {
        check(|config| config.host = host.to_owned(), "host", "it must begin with http:// or https://");
    }
    let credentials = "it must not contain credentials, which belong into a security definition";
    check(|config| config.host = "http://user:password@example.com".to_owned(), "host", credentials);
    for host in ["http://exa mple.com", "http://é .com", "http://user:é@example.com"] {
        let problem = if host.contains('@') { credentials } else { "it is not a host" };
        check(|config| config.host = host.to_owned(), "host", problem);
    }
    for host in ["http://", "http:///path", "http://example.com:65536", "http://:80"] {
        check(|config| config.host = host.to_owned(), "host", "it has no host name or its port is invalid");
    }
    check(|config| config.url_path = "a".to_owned(), "url_path", "it must start with a slash");
    check(|config| config.url_path = String::new(), "url_path", "it must start with a slash");
    check(|config| config.url_path = "/{a".to_owned(), "url_path", "the placeholder at byte 1 is not closed");
    let socket = "the path of its Unix socket must start with a slash";
    check(|config| config.host = "unix:a.sock".to_owned(), "host", socket);
    let identity = zato_outgoing::Identity::from_pem("no PEM");
    check(|config| config.tls.identity = Some(identity), "tls", "the client certificate is not usable");
    check(|config| config.ping_method = "A B".to_owned(), "ping_method", "it is not an HTTP method");
    check(|config| config.ping_method = String::new(), "ping_method", "it is not an HTTP method");
    check(|config| config.pool_size = 0, "pool_size", "it must be at least 1");
    check(|config| config.timeout = Duration::ZERO, "timeout", "it must be more than zero");
    check(|config| config.queue_timeout = Some(Duration::ZERO), "queue_timeout", "it must be more than zero");
    let zero = PhaseTimeouts { tls: Some(Duration::ZERO), ..PhaseTimeouts::default() };
    check(|config| config.phase_timeouts = zero, "phase_timeouts", "each of them must be more than zero");
    let none = Retry { attempts: 0, ..Retry::default() };
    check(|config| config.retry = Some(none), "retry", "there must be at least 1 attempt");
    let none = CircuitBreaker { trials: 0, ..CircuitBreaker::default() };
    let numbers =
        "its numbers must be more than zero, its percentage at most 100 and its calls at most 10,000";
    check(|config| config.circuit_breaker = Some(none), "circuit_breaker", numbers);
    let pem = Verify::CaBundle(b"no PEM"[..].into());
    check(|config| config.tls.verify = pem, "tls", "the certificate authorities are not usable");
}

#[test]
fn soap_and_its_security() {
    let transport =
        |action: &str| Transport::Soap { version: zato_soap::Version::V11, action: action.to_owned() };
    let action = "the SOAP action has characters that a header must not have";
    check(|config| config.transport = transport("a\nb"), "transport", action);
    let wss = || Security::WsSecurity { username: "user".to_owned(), password: Secret::from("secret") };
    let only = "WS-Security is for SOAP connections only";
    check(|config| config.security = Some(wss()), "security", only);

    let mut config = Config::new(1, "CRM", "https://example.com", "/");
    config.transport = transport("");
    config.security = Some(wss());
    assert!(Connection::new(config, &environment()).unwrap().is_soap());
}

#[test]
fn credentials_that_cannot_be_sent() {
    let key = |header: &str, key: &str| {
        Some(Security::ApiKey { header: header.to_owned(), key: Secret::from(key) })
    };
    let header = "the API key's header is not a header name";
    check(|config| config.security = key("X Key", "k"), "security", header);
    let characters = "it has characters that a header must not have";
    check(|config| config.security = key("X-Key", "a\nb"), "security", characters);
    let bearer = Security::Bearer { token: Secret::from("a\nb") };
    check(|config| config.security = Some(bearer), "security", characters);
    let aws = Security::Aws(AwsCredentials::new("id", "secret", "", "s3"));
    check(|config| config.security = Some(aws), "security", characters);
    let oauth = Security::OAuth(ClientCredentials::new("/token", "id", "secret"));
    check(|config| config.security = Some(oauth), "security", "no access token can be asked for");
    let (username, password) = ("user".to_owned(), Secret::from("secret"));
    let digest = Security::WsSecurityDigest { username, password };
    check(|config| config.security = Some(digest), "security", "WS-Security is for SOAP connections only");
}

#[test]
fn hosts_that_are_fine() {
    for host in [
        "http://localhost",
        "HTTPS://Example.com",
        "http://[::1]:8080",
        "http://1.2.3.4:5/base",
        "http://bücher.example:80/é",
    ] {
        let connection = Connection::new(Config::new(7, "a", host, "/b"), &environment()).unwrap();
        assert_eq!((connection.id(), connection.name(), connection.is_active()), (7, "a", true));
        assert!(!connection.is_soap());
    }
}

#[test]
fn a_component_must_fit_in_a_header() {
    assert!(Environment::new("a\r\nb").is_err());
}

/// A session with the peer goes on when the time-out changes, and ends with the user whose it was.
#[tokio::test]
async fn cookies_stay_with_host_and_user() {
    let peer = Peer::answering(|_| {
        let response = Response::builder().header("Set-Cookie", "session=1");
        response.body(Full::default()).unwrap()
    })
    .await;
    let outgoing = Outgoing::new(environment());
    let user = |username: &str| {
        let (username, password) = (username.to_owned(), Secret::from("secret"));
        Some(Security::BasicAuth { username, password })
    };
    for (security, path, expected) in [
        (None, "/", false),
        (None, "/a", true),
        (user("a"), "/", false),
        (user("a"), "/a", true),
        (user("b"), "/", false),
    ] {
        let mut config = Config::new(1, "CRM", peer.host(), path);
        config.security = security;
        outgoing.replace(config).unwrap();
        outgoing.plain_http("CRM").unwrap().conn().get(cid(), ()).await.unwrap();
        assert_eq!(peer.last_request().headers().contains_key("cookie"), expected);
    }
}
