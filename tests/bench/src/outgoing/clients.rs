//! The clients that are compared, each as its users use it.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, Uri};
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
    url: Uri,
    headers: HeaderMap,
}

/// A client, shared by all its workers as far as its users share it.
pub(super) enum Client {
    Bare { peer: SocketAddr, headers: HeaderMap, capitals: bool },
    Legacy(Box<Legacy>),
    Reqwest { client: reqwest::Client, url: String, headers: HeaderMap },
    Stack { connection: Connection, cids: Arc<SystemGenerator>, message: Message },
}

/// What the stack is given to send.
#[derive(Clone, Copy)]
pub(super) enum Message {
    Json,
    Soap,
}

/// What makes one call after the other.
pub(super) enum Worker {
    Bare { sender: SendRequest<Full<Bytes>>, headers: HeaderMap },
    Legacy(Box<Legacy>),
    Reqwest { client: reqwest::Client, url: String, headers: HeaderMap },
    Stack { conn: Conn, cids: Arc<SystemGenerator>, message: Message },
}

/// What a JSON POST needs and no more.
pub(super) fn plain_headers() -> HeaderMap {
    HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (ACCEPT, HeaderValue::from_static("*/*")),
    ])
}

/// The headers, and the one that a connection does not add by itself.
fn with_host(mut headers: HeaderMap, peer: SocketAddr) -> Result<HeaderMap, Error> {
    headers.insert(HOST, peer.to_string().parse()?);
    Ok(headers)
}

impl Client {
    /// A connection of hyper for each worker, which sends the names of headers in capitals as the stack does, or as hyper does by
    /// itself.
    pub(super) fn bare(peer: SocketAddr, headers: HeaderMap, capitals: bool) -> Result<Self, Error> {
        Ok(Self::Bare { peer, headers: with_host(headers, peer)?, capitals })
    }

    pub(super) fn legacy(peer: SocketAddr, concurrency: u32, headers: HeaderMap) -> Result<Self, Error> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = LegacyClient::builder(TokioExecutor::new())
            .pool_max_idle_per_host(concurrency as usize)
            .http1_title_case_headers(true)
            .build(connector);
        let url = Uri::builder().scheme("http").authority(peer.to_string()).path_and_query(PATH).build()?;
        Ok(Self::Legacy(Box::new(Legacy { client, url, headers: with_host(headers, peer)? })))
    }

    pub(super) fn reqwest(peer: SocketAddr, concurrency: u32, headers: HeaderMap) -> Result<Self, Error> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(TIMEOUT)
            .pool_max_idle_per_host(concurrency as usize)
            .http1_title_case_headers()
            .build()?;
        Ok(Self::Reqwest { client, url: format!("http://{peer}{PATH}"), headers })
    }

    /// The stack as a connection has it by default, with credentials.
    pub(super) fn stack(peer: SocketAddr, concurrency: u32) -> Result<Self, Error> {
        let mut config = config(peer, concurrency);
        config.security =
            Some(Security::BasicAuth { username: "bench".to_owned(), password: Secret::from("bench") });
        Self::of(config, Message::Json)
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
        Self::of(config, Message::Soap)
    }

    fn of(config: Config, message: Message) -> Result<Self, Error> {
        let connection = Connection::new(config, &Environment::new("bench")?)?;
        Ok(Self::Stack { connection, cids: Arc::new(SystemGenerator::new(Form::default())), message })
    }

    pub(super) async fn worker(&self) -> Result<Worker, Error> {
        Ok(match self {
            Self::Bare { peer, headers, capitals } => {
                let stream = TcpStream::connect(peer).await?;
                stream.set_nodelay(true)?;
                let mut builder = http1::Builder::new();
                let (sender, connection) =
                    builder.title_case_headers(*capitals).handshake(TokioIo::new(stream)).await?;
                tokio::spawn(connection);
                Worker::Bare { sender, headers: headers.clone() }
            }
            Self::Legacy(legacy) => Worker::Legacy(legacy.clone()),
            Self::Reqwest { client, url, headers } => {
                Worker::Reqwest { client: client.clone(), url: url.clone(), headers: headers.clone() }
            }
            Self::Stack { connection, cids, message } => {
                Worker::Stack { conn: connection.conn().clone(), cids: Arc::clone(cids), message: *message }
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
            Self::Bare { sender, headers } => {
                let request = request(Uri::from_static(PATH), headers);
                sender.ready().await?;
                whole(sender.send_request(request).await?).await?
            }
            Self::Legacy(legacy) => {
                let request = request(legacy.url.clone(), &legacy.headers);
                whole(legacy.client.request(request).await?).await?
            }
            Self::Reqwest { client, url, headers } => {
                let call = client.post(url.as_str()).headers(headers.clone()).body(REQUEST);
                call.send().await?.bytes().await?.len()
            }
            Self::Stack { conn, cids, message: Message::Json } => {
                let call = conn.post(cids.generate(), REQUEST);
                let call = call.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                call.await?.bytes().len()
            }
            Self::Stack { conn, cids, message: Message::Soap } => {
                let body = "<customer><id>1</id><name>Foo Bar</name></customer>";
                conn.post(cids.generate(), body).await?.bytes().len()
            }
        };
        if length < 1000 { Err("a short reply".into()) } else { Ok(()) }
    }
}

fn request(url: Uri, headers: &HeaderMap) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(Bytes::from_static(REQUEST.as_bytes())));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = url;
    *request.headers_mut() = headers.clone();
    request
}

async fn whole(response: Response<Incoming>) -> Result<usize, Error> {
    Ok(response.into_body().collect().await?.to_bytes().len())
}
