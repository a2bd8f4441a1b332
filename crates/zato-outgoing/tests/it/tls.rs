//! TLS with a server whose certificate nobody knows.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::TlsAcceptor;
use zato_outgoing::{Connection, Failure, Verify};

use crate::peer::{Peer, chain, cid, connection};

/// A TLS server for `localhost`, and its certificate in PEM form. It says which HTTP version and server name it got.
async fn secured(protocols: &[&str]) -> (Peer, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()).into();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let peer = Peer::scripted(move |_, stream| {
        let acceptor = acceptor.clone();
        async move {
            // A client that does not trust the certificate goes away.
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let name = stream.get_ref().1.server_name().unwrap_or("nobody").to_owned();
            let service = service_fn(|request: Request<Incoming>| {
                let text = format!("{:?} {name}", request.version());
                async move { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(text)))) }
            });
            let io = TokioIo::new(stream);
            let _ended = if io.inner().get_ref().1.alpn_protocol() == Some(b"h2") {
                hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(io, service)
                    .await
            } else {
                hyper::server::conn::http1::Builder::new().serve_connection(io, service).await
            };
        }
    })
    .await;
    (peer, made.cert.pem())
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
