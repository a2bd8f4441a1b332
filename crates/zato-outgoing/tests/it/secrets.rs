//! Secrets: on the wire, and nowhere else. No log line of any level has them, of whatever crate, nor any error or `Debug` text.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tracing::Level;
use zato_outgoing::{
    AwsCredentials, ClientCredentials, Config, Connection, Proxy, ProxyServer, Secret, Security, Transport,
    Verify,
};
use zato_soap::Version;
use zato_test_port::Port;

use crate::log::Log;
use crate::peer::{Peer, chain, cid, environment};
use crate::tls::secured;

/// A password, what Basic makes of it, and an access token.
const SECRETS: [&str; 3] = ["s3cret", "dXNlcjpzM2NyZXQ=", "t0ken"];

fn secret() -> Secret {
    Secret::from("s3cret")
}

fn user() -> String {
    "user".to_owned()
}

/// Each kind of credentials. The token endpoint is at the same host.
fn kinds(host: &str) -> Vec<(Transport, Security)> {
    let mut aws = AwsCredentials::new("AKID", "s3cret", "eu-central-1", "s3");
    aws.session_token = Some(Secret::from("t0ken"));
    let mut oauth = ClientCredentials::new(format!("{host}/token"), "id", "s3cret");
    oauth.params = vec![("assertion".to_owned(), "s3cret".to_owned())];
    let soap = || Transport::Soap { version: Version::V11, action: String::new() };
    vec![
        (Transport::PlainHttp, Security::BasicAuth { username: user(), password: secret() }),
        (Transport::PlainHttp, Security::Digest { username: user(), password: secret() }),
        (Transport::PlainHttp, Security::Bearer { token: secret() }),
        (Transport::PlainHttp, Security::ApiKey { header: "X-API-Key".to_owned(), key: secret() }),
        (Transport::PlainHttp, Security::OAuth(oauth)),
        (Transport::PlainHttp, Security::Aws(aws)),
        (soap(), Security::WsSecurity { username: user(), password: secret() }),
        (soap(), Security::WsSecurityDigest { username: user(), password: secret() }),
    ]
}

/// Replies with a token, a challenge, or whatever there is.
fn answer(request: &Request<Bytes>) -> Response<Full<Bytes>> {
    if request.uri().path() == "/token" {
        let token = r#"{"access_token": "t0ken", "token_type": "Bearer"}"#;
        return Response::new(Full::from(token));
    }
    if request.headers().contains_key("authorization") {
        return Response::new(Full::default());
    }
    let challenge = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"";
    let response = Response::builder().status(StatusCode::UNAUTHORIZED).header("WWW-Authenticate", challenge);
    response.body(Full::default()).unwrap()
}

#[track_caller]
fn check_silent(what: &str, text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{what}: {text}");
    }
}

/// Calls and pings with every kind of credentials, and looks at everything that can be printed.
async fn check(host: &str, change: impl Fn(&mut Config)) {
    for (transport, security) in kinds(host) {
        let mut config = Config::new(1, "CRM", host, "/a");
        config.transport = transport;
        config.security = Some(security);
        change(&mut config);
        check_silent("configuration", &format!("{config:?}"));
        let crm = Connection::new(config, &environment()).unwrap();
        check_silent("connection", &format!("{crm:?} {:?}", crm.conn().auth()));
        match crm.conn().post(cid(), "<a/>").await {
            Ok(response) => check_silent("response", &format!("{response:?}")),
            Err(error) => check_silent("error", &format!("{error:?} {}", chain(&error))),
        }
        match crm.conn().ping(cid()).await {
            Ok(report) => check_silent("report", &report),
            Err(error) => check_silent("report", error.report().unwrap()),
        }
    }
}

/// Two peers, the second with HTTP/2, in a thread of their own, so that what they log is not kept; and what ends them.
fn elsewhere() -> (Peer, Peer, tokio::sync::oneshot::Sender<()>) {
    let (send, receive) = std::sync::mpsc::channel();
    let (running, ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            send.send((Peer::answering(answer).await, secured(&["h2"]).await.0)).unwrap();
            let _ended = ended.await;
        });
    });
    let (plain, tls) = receive.recv().unwrap();
    (plain, tls, running)
}

#[tokio::test]
async fn nothing_tells_them() {
    let (log, _guard) = Log::of(Level::TRACE);

    let (peer, tls, _running) = elsewhere();
    check(&peer.host(), |_| {}).await;
    // Credentials did arrive.
    let requests = peer.all_requests();
    let with = |name: &str, value: &str| {
        requests.iter().any(|request| request.headers().get(name).is_some_and(|own| own == value))
    };
    assert!(with("Authorization", "Basic dXNlcjpzM2NyZXQ=") && with("X-API-Key", "s3cret"));
    assert!(with("Authorization", "Bearer t0ken") && with("X-Amz-Security-Token", "t0ken"));

    check(&format!("https://localhost:{}", tls.address.port()), |config| config.tls.verify = Verify::Nothing)
        .await;

    let proxy = format!("user:s3cret@{}", peer.address);
    let gone = Port::reserve();
    for (host, scheme) in
        [("http://crm.invalid", "http"), ("https://crm.invalid", "http"), ("http://crm.invalid", "socks5h")]
    {
        let proxy = ProxyServer::parse(&format!("{scheme}://{proxy}")).unwrap();
        check(host, |config| config.proxy = Proxy::Server(proxy.clone())).await;
    }
    check(&format!("http://{}", gone.address()), |_| {}).await;

    let lines = log.lines();
    // All of it was looked at: the spans of calls, and the frames of HTTP/2.
    for target in ["zato_outgoing", "h2::"] {
        assert!(lines.iter().any(|line| line.starts_with(target)), "{target} says nothing");
    }
    for line in lines {
        check_silent("log", &line);
    }
}
