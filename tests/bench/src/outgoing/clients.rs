//! The clients that are compared, each as its users use it.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response};
use hyper_util::client::legacy::Client as LegacyClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use zato_cid::{Form, SystemGenerator};
use zato_outgoing::{Config, Conn, Connection, Environment, Secret, Security, Transport};
use zato_soap::Version;

use super::{PATH, REQUEST, TIMEOUT};
use crate::Error;

/// hyper-util's client, and where it is to call.
#[derive(Clone)]
pub(super) struct Legacy {
    client: LegacyClient<HttpConnector, Full<Bytes>>,
    url: hyper::Uri,
    host: String,
}

/// A client, shared by all its workers as far as its users share it.
pub(super) enum Client {
    Bare(SocketAddr),
    Legacy(Box<Legacy>),
    Reqwest { client: reqwest::Client, url: String },
    Stack { connection: Connection, cids: Arc<SystemGenerator>, body: &'static str },
}

/// What makes one call after the other.
pub(super) enum Worker {
    Bare { sender: SendRequest<Full<Bytes>>, host: String },
    Legacy(Box<Legacy>),
    Reqwest { client: reqwest::Client, url: String },
    Stack { conn: Conn, cids: Arc<SystemGenerator>, body: &'static str },
}

impl Client {
    pub(super) fn bare(peer: SocketAddr) -> Self {
        Self::Bare(peer)
    }

    pub(super) fn legacy(peer: SocketAddr, concurrency: u32) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = LegacyClient::builder(TokioExecutor::new())
            .pool_max_idle_per_host(concurrency as usize)
            .build(connector);
        let url = hyper::Uri::builder().scheme("http").authority(peer.to_string()).path_and_query(PATH);
        let url = url.build().unwrap_or_default();
        Self::Legacy(Box::new(Legacy { client, url, host: peer.to_string() }))
    }

    pub(super) fn reqwest(peer: SocketAddr, concurrency: u32) -> Result<Self, Error> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(TIMEOUT)
            .pool_max_idle_per_host(concurrency as usize)
            .build()?;
        Ok(Self::Reqwest { client, url: format!("http://{peer}{PATH}") })
    }

    /// The stack as a connection has it by default, with credentials.
    pub(super) fn stack(peer: SocketAddr, concurrency: u32) -> Result<Self, Error> {
        let mut config = config(peer, concurrency);
        config.security =
            Some(Security::BasicAuth { username: "bench".to_owned(), password: Secret::from("bench") });
        Self::of(config, REQUEST)
    }

    /// SOAP with a UsernameToken, whose password is text or a digest made anew for each call.
    pub(super) fn soap(peer: SocketAddr, concurrency: u32, digest: bool) -> Result<Self, Error> {
        let (username, password) = ("bench".to_owned(), Secret::from("bench"));
        let mut config = config(peer, concurrency);
        config.transport = Transport::Soap { version: Version::V11, action: "urn:bench".to_owned() };
        config.security = Some(if digest {
            Security::WsSecurityDigest { username, password }
        } else {
            Security::WsSecurity { username, password }
        });
        Self::of(config, "<customer><id>1</id><name>Foo Bar</name></customer>")
    }

    fn of(config: Config, body: &'static str) -> Result<Self, Error> {
        let connection = Connection::new(config, &Environment::new("bench")?)?;
        Ok(Self::Stack { connection, cids: Arc::new(SystemGenerator::new(Form::default())), body })
    }

    pub(super) async fn worker(&self) -> Result<Worker, Error> {
        Ok(match self {
            Self::Bare(peer) => {
                let stream = TcpStream::connect(peer).await?;
                stream.set_nodelay(true)?;
                let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
                tokio::spawn(connection);
                Worker::Bare { sender, host: peer.to_string() }
            }
            Self::Legacy(legacy) => Worker::Legacy(legacy.clone()),
            Self::Reqwest { client, url } => Worker::Reqwest { client: client.clone(), url: url.clone() },
            Self::Stack { connection, cids, body } => {
                Worker::Stack { conn: connection.conn().clone(), cids: Arc::clone(cids), body }
            }
        })
    }
}

fn config(peer: SocketAddr, concurrency: u32) -> Config {
    let mut config = Config::new(1, "bench", format!("http://{peer}"), PATH);
    config.pool_size = concurrency as usize;
    config
}

impl Worker {
    pub(super) async fn call(&mut self) -> Result<(), Error> {
        let length = match self {
            Self::Bare { sender, host } => {
                let request = request(PATH, host)?;
                sender.ready().await?;
                whole(sender.send_request(request).await?).await?
            }
            Self::Legacy(legacy) => {
                let mut request = request(PATH, &legacy.host)?;
                *request.uri_mut() = legacy.url.clone();
                whole(legacy.client.request(request).await?).await?
            }
            Self::Reqwest { client, url } => {
                let call = client.post(url.as_str()).basic_auth("bench", Some("bench"));
                let call = call.header(CONTENT_TYPE, "application/json").body(REQUEST);
                call.send().await?.bytes().await?.len()
            }
            Self::Stack { conn, cids, body } => conn.post(cids.generate(), *body).await?.bytes().len(),
        };
        if length < 1000 { Err("a short reply".into()) } else { Ok(()) }
    }
}

fn request(path: &'static str, host: &str) -> Result<Request<Full<Bytes>>, Error> {
    Ok(Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(HOST, host)
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "*/*")
        .body(Full::new(Bytes::from_static(REQUEST.as_bytes())))?)
}

async fn whole(response: Response<Incoming>) -> Result<usize, Error> {
    Ok(response.into_body().collect().await?.to_bytes().len())
}
