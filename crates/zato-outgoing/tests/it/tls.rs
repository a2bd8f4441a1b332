//! TLS with a server whose certificate nobody knows.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedKey, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use time::OffsetDateTime;
use time::macros::datetime;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::Level;
use zato_outgoing::{Connection, Failure, Identity, Verify};

use crate::log::Log;
use crate::peer::{Peer, chain, cid, connection};

/// A TLS server for `localhost`, and its certificate in PEM form. It says which HTTP version and server name it got.
pub(crate) async fn secured(protocols: &[&str]) -> (Peer, String) {
    secured_for(protocols, None).await
}

/// The same, for clients who have the certificate of `client`, in PEM form, if it is given.
async fn secured_for(protocols: &[&str], client: Option<&str>) -> (Peer, String) {
    secured_by(rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap(), protocols, client).await
}

/// The same with a certificate of its own.
async fn secured_by(made: CertifiedKey<KeyPair>, protocols: &[&str], client: Option<&str>) -> (Peer, String) {
    let pem = made.cert.pem();
    let acceptor = acceptor(&made, protocols, client);
    let peer = Peer::scripted(move |_, stream| {
        let acceptor = acceptor.clone();
        async move {
            // A client that does not trust the certificate goes away.
            let Ok(stream) = acceptor.accept(stream).await else { return };
            serve(stream).await;
        }
    })
    .await;
    (peer, pem)
}

/// What clients have to agree on.
fn acceptor(made: &CertifiedKey<KeyPair>, protocols: &[&str], client: Option<&str>) -> TlsAcceptor {
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()).into();
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match client {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let mut config = builder.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// Says which HTTP version and server name it got.
async fn serve(stream: TlsStream<TcpStream>) {
    let name = stream.get_ref().1.server_name().unwrap_or("nobody").to_owned();
    let service = service_fn(|request: Request<Incoming>| {
        let text = format!("{:?} {name}", request.version());
        async move { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(text)))) }
    });
    let io = TokioIo::new(stream);
    let _ended = if io.inner().get_ref().1.alpn_protocol() == Some(b"h2") {
        hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(io, service).await
    } else {
        hyper::server::conn::http1::Builder::new().serve_connection(io, service).await
    };
}

fn secure_connection(peer: &Peer, host: &str, verify: Verify) -> Connection {
    let host = format!("https://{host}:{}", peer.address.port());
    connection(&host, "/", |config| config.tls.verify = verify)
}

fn authority(pem: &str) -> Verify {
    Verify::CaBundle(Arc::from(pem.as_bytes()))
}

#[tokio::test]
async fn an_unknown_certificate_is_refused() {
    let (peer, _) = secured(&["http/1.1"]).await;
    let (_, another) = secured(&[]).await;
    for verify in [Verify::OperatingSystem, authority(&another)] {
        let error = secure_connection(&peer, "localhost", verify).conn().get(cid(), ()).await.unwrap_err();
        assert_eq!(error.to_string(), "`CRM`: TLS could not be established");
        assert!(matches!(error.kind(), Failure::Tls(_)));
        assert!(!error.may_have_been_sent());
    }
}

#[tokio::test]
async fn a_certificate_of_a_known_authority_is_accepted() {
    let (peer, pem) = secured(&["http/1.1"]).await;
    let response =
        secure_connection(&peer, "localhost", authority(&pem)).conn().get(cid(), ()).await.unwrap();
    assert_eq!(response.text(), "HTTP/1.1 localhost");
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let (peer, pem) = secured(&[]).await;
    let error =
        secure_connection(&peer, "127.0.0.1", authority(&pem)).conn().get(cid(), ()).await.unwrap_err();
    assert!(chain(&error).contains("not valid for name"), "{}", chain(&error));
}

/// A certificate as `openssl req -x509` makes them: that of an authority and of a server at once.
fn authority_and_server(name: &str, expires: OffsetDateTime) -> CertifiedKey<KeyPair> {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_after = expires;
    let signing_key = KeyPair::generate().unwrap();
    CertifiedKey { cert: params.self_signed(&signing_key).unwrap(), signing_key }
}

#[tokio::test]
async fn a_servers_own_certificate_may_be_the_bundle() {
    const NEVER: OffsetDateTime = datetime!(4000-01-01 00:00:00 UTC);
    const PAST: OffsetDateTime = datetime!(2020-01-01 00:00:00 UTC);
    let another = authority_and_server("localhost", NEVER).cert.pem();
    for (name, expires, is_own, expected) in [
        ("localhost", NEVER, true, Ok("HTTP/1.1 localhost")),
        ("example.com", NEVER, true, Err("not valid for name")),
        ("localhost", PAST, true, Err("certificate expired")),
        ("localhost", NEVER, false, Err("invalid peer certificate")),
    ] {
        let (peer, own) = secured_by(authority_and_server(name, expires), &["http/1.1"], None).await;
        let bundle = if is_own { format!("{another}{own}") } else { another.clone() };
        let reply = secure_connection(&peer, "localhost", authority(&bundle)).conn().get(cid(), ()).await;
        match (reply, expected) {
            (Ok(reply), expected) => assert_eq!(Ok(reply.text().as_ref()), expected),
            (Err(error), Err(expected)) => assert!(chain(&error).contains(expected), "{}", chain(&error)),
            (Err(error), Ok(_)) => panic!("{}", chain(&error)),
        }
    }
}

#[tokio::test]
async fn without_verification_anything_goes() {
    let (peer, _) = secured(&[]).await;
    let response =
        secure_connection(&peer, "127.0.0.1", Verify::Nothing).conn().get(cid(), ()).await.unwrap();
    assert_eq!(response.text(), "HTTP/1.1 nobody");
}

#[tokio::test]
async fn http2_where_both_sides_speak_it() {
    let (peer, pem) = secured(&["h2", "http/1.1"]).await;
    let crm = secure_connection(&peer, "localhost", authority(&pem));
    assert_eq!(crm.conn().post(cid(), "a").await.unwrap().text(), "HTTP/2.0 localhost");
    let calls: Vec<_> = (0..8).map(|_| tokio::spawn(crm.conn().post(cid(), "a").into_future())).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!(peer.connections(), 1);
}

/// It agrees on HTTP/2 and then says that the request has to come by HTTP/1.1, as some servers do for client certificates.
#[tokio::test]
async fn http1_where_the_other_side_asks_for_it() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let pem = made.cert.pem();
    let acceptor = acceptor(&made, &["h2", "http/1.1"], None);
    let peer = Peer::scripted(move |_, stream| {
        let acceptor = acceptor.clone();
        async move {
            let stream = acceptor.accept(stream).await.unwrap();
            if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
                return serve(stream).await;
            }
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                respond.send_reset(h2::Reason::HTTP_1_1_REQUIRED);
            }
        }
    })
    .await;
    let crm = secure_connection(&peer, "localhost", authority(&pem));
    for _ in 0..2 {
        assert_eq!(crm.conn().post(cid(), "a").await.unwrap().text(), "HTTP/1.1 localhost");
    }
    assert_eq!((peer.connections(), crm.idle_connections()), (2, 1));
}

#[tokio::test]
async fn first_calls_at_once_open_one_http2_connection() {
    let (peer, pem) = secured(&["h2", "http/1.1"]).await;
    let crm = secure_connection(&peer, "localhost", authority(&pem));
    let calls: Vec<_> = (0..8).map(|_| tokio::spawn(crm.conn().get(cid(), ()).into_future())).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().text(), "HTTP/2.0 localhost");
    }
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn first_calls_at_once_over_http1_do_not_wait_for_each_other() {
    let (peer, pem) = secured(&["http/1.1"]).await;
    let crm = secure_connection(&peer, "localhost", authority(&pem));
    let calls: Vec<_> = (0..8).map(|_| tokio::spawn(crm.conn().get(cid(), ()).into_future())).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().text(), "HTTP/1.1 localhost");
    }
    assert!(peer.connections() <= 8);
}

#[tokio::test]
async fn a_client_certificate() {
    let client = rcgen::generate_simple_self_signed(["client".to_owned()]).unwrap();
    let identity = Identity::from_pem(client.cert.pem() + &client.signing_key.serialize_pem());
    let (peer, pem) = secured_for(&["http/1.1"], Some(&client.cert.pem())).await;
    let call = async |verify: Verify, identity: Option<Identity>| {
        let host = format!("https://localhost:{}", peer.address.port());
        let crm = connection(&host, "/", |config| {
            config.tls.verify = verify;
            config.tls.identity = identity;
        });
        crm.conn().get(cid(), ()).await
    };
    for verify in [authority(&pem), Verify::Nothing] {
        assert_eq!(call(verify.clone(), Some(identity.clone())).await.unwrap().status(), 200);
        assert!(call(verify, None).await.is_err());
    }
    // The server is still verified.
    let error = call(Verify::OperatingSystem, Some(identity)).await.unwrap_err();
    assert!(matches!(error.kind(), Failure::Tls(_)));
}

#[tokio::test]
async fn a_ping_tells_of_tls() {
    let (peer, pem) = secured(&["h2"]).await;
    let report = secure_connection(&peer, "localhost", authority(&pem)).conn().ping(cid()).await.unwrap();
    assert!(
        report.contains("\nTLS: 0:00:00.") && report.contains("\nProtocol: HTTP/2.0\nTLS version: TLSv1.3\n")
    );
    assert!(
        report.lines().last().unwrap().starts_with("Certificate expires: 4096-01-01T00:00:00"),
        "{report}"
    );
}

/// It is said when the connection is configured, and once more when it is first opened, with the host's name.
#[tokio::test]
async fn a_connection_that_verifies_nothing_is_loud() {
    let (warnings, _guard) = Log::of(Level::WARN);
    let (peer, _) = secured(&["http/1.1"]).await;
    let crm = secure_connection(&peer, "localhost", Verify::Nothing);
    let said = || warnings.lines();
    assert_eq!(said().len(), 1, "{:?}", said());
    for _ in 0..2 {
        crm.conn().get(cid(), ()).prefetch(false).await.unwrap();
    }
    assert_eq!(peer.connections(), 2);
    let said = said();
    assert!(said[0].contains("are not verified") && said[0].contains("CRM"), "{said:?}");
    assert!(said[1].contains("is not verified") && said[1].contains("localhost"), "{said:?}");
    assert_eq!(said.len(), 2, "{said:?}");
}
