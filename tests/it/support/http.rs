//! HTTP requests to the server over keep-alive connections, and their replies.
//!
//! Owns what every reply must have: a correlation id. Requests whose very bytes matter are `raw`'s.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use ureq::Agent;
use ureq::http::HeaderMap;

use super::wait::PATIENCE;

/// A client that keeps its connections.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    address: SocketAddr,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let agent = Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .timeout_global(Some(PATIENCE + Duration::from_secs(5)))
            .build()
            .new_agent();
        Self { agent, address }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> Request<'_> {
        Request {
            client: self,
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: None,
        }
    }
}

/// A request in the making.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    client: &'a Client,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// HTTP Basic Auth.
    pub(crate) fn auth(self, username: &str, password: &str) -> Self {
        self.header("Authorization", &basic_auth(username, password))
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
    }

    /// Sends it; any status is a reply.
    #[track_caller]
    pub(crate) fn send(self) -> Reply {
        let what = format!("{} {}", self.method, self.path);
        self.try_send().unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// Sends it to a server that may not be there.
    #[track_caller]
    pub(crate) fn try_send(self) -> Result<Reply, ureq::Error> {
        let what = format!("{} {}", self.method, self.path);
        let mut builder = ureq::http::Request::builder()
            .method(self.method.as_str())
            .uri(format!("http://{}{}", self.client.address, self.path));
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        let mut response = match self.body {
            None => self.client.agent.run(builder.body(()).unwrap()),
            Some(body) => self.client.agent.run(builder.body(body).unwrap()),
        }?;
        let body = response.body_mut().read_to_vec()?;
        let reply = Reply { status: response.status().as_u16(), headers: response.headers().clone(), body };
        assert!(is_cid(reply.cid()), "{what}: the CID is [{}]", reply.cid());
        Ok(reply)
    }
}

/// A reply, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    /// A header's value, empty if it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The correlation id.
    pub(crate) fn cid(&self) -> &str {
        self.header("X-Zato-CID")
    }

    /// The body as it was sent, which may be compressed.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.body
    }

    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("all text is UTF-8")
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// Fails the test unless the status is this one.
    #[track_caller]
    pub(crate) fn status(self, expected: u16) -> Self {
        assert_eq!(self.status, expected, "{}", String::from_utf8_lossy(&self.body));
        self
    }
}

/// The value of an Authorization header.
pub(crate) fn basic_auth(username: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
}

/// The default form of correlation ids: K and 29 digits.
pub(crate) fn is_cid(text: &str) -> bool {
    text.len() == 30 && text.starts_with('K') && text[1..].bytes().all(|byte| byte.is_ascii_digit())
}
