//! The other side of the tests: an HTTP server that records what it gets, and a socket that does as it is told.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use time::OffsetDateTime;
use time::macros::datetime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use zato_cid::Cid;
use zato_outgoing::{CallError, Clock, Config, Connection, Environment, ProxyRules};

/// The correlation id of all calls in these tests.
pub(crate) fn cid() -> Cid {
    "K21353002988419985838198535608".parse().unwrap()
}

/// The component name and the time of day of all calls in these tests.
pub(crate) const COMPONENT: &str = "parallel/esb1/esb1.example.com/21358/main";
pub(crate) const NOW: OffsetDateTime = datetime!(2013-04-26 23:41:45.271911 UTC);

#[derive(Debug)]
struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> OffsetDateTime {
        NOW
    }
}

pub(crate) fn environment() -> Environment {
    Environment::new(COMPONENT).unwrap().with_proxies(ProxyRules::none()).with_clock(Arc::new(StoppedClock))
}

/// A connection to `host`, with what `change` makes of its configuration.
#[track_caller]
pub(crate) fn connection(host: &str, path: &str, change: impl FnOnce(&mut Config)) -> Connection {
    let mut config = Config::new(1, "CRM", host, path);
    change(&mut config);
    Connection::new(config, &environment()).unwrap()
}

/// The whole chain of an error's causes, on one line.
pub(crate) fn chain(error: &CallError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

/// A server on a port of its own, gone when dropped.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Request<Bytes>>>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Peer {
    /// A server that answers each request with what `answer` makes of it.
    pub(crate) async fn answering(
        answer: impl Fn(&Request<Bytes>) -> Response<Full<Bytes>> + Send + Sync + 'static,
    ) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answer, recorded) = (Arc::new(answer), Arc::clone(&requests));
        Self::start(requests, move |_, stream| {
            let (answer, recorded) = (Arc::clone(&answer), Arc::clone(&recorded));
            async move {
                let service = service_fn(|request: Request<Incoming>| async {
                    let (head, body) = request.into_parts();
                    let request = Request::from_parts(head, body.collect().await.unwrap().to_bytes());
                    let response = answer(&request);
                    recorded.lock().unwrap().push(request);
                    Ok::<_, Infallible>(response)
                });
                // A client that goes away in the middle is the subject of some tests, not an error of the peer.
                let _ended = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            }
        })
        .await
    }

    /// A server that says `body` to everything.
    pub(crate) async fn saying(body: &'static str) -> Self {
        Self::answering(move |_| Response::new(Full::from(body))).await
    }

    /// A socket whose connections are served by `serve`, which gets the number of the connection, from 0.
    pub(crate) async fn scripted<F>(serve: impl Fn(usize, TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::start(Arc::default(), serve).await
    }

    async fn start<F>(
        requests: Arc<Mutex<Vec<Request<Bytes>>>>,
        serve: impl Fn(usize, TcpStream) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            let mut tasks = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tasks.spawn(serve(counted.fetch_add(1, Ordering::SeqCst), stream));
            }
        });
        Self { address, requests, connections, task }
    }

    /// The URL without a path.
    pub(crate) fn host(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The only request so far.
    #[track_caller]
    pub(crate) fn request(&self) -> Request<Bytes> {
        let requests = self.requests.lock().unwrap();
        assert_eq!(requests.len(), 1);
        requests[0].clone()
    }

    /// The latest request.
    #[track_caller]
    pub(crate) fn last_request(&self) -> Request<Bytes> {
        self.requests.lock().unwrap().last().unwrap().clone()
    }

    /// All requests so far.
    pub(crate) fn all_requests(&self) -> Vec<Request<Bytes>> {
        self.requests.lock().unwrap().clone()
    }

    /// How many requests there have been.
    pub(crate) fn requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Reads one request, of which at most the body may be missing, and gives it back as text.
pub(crate) async fn read_request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !is_complete(&text) {
        let count = stream.read(&mut buffer).await.unwrap();
        if count == 0 {
            break;
        }
        text += std::str::from_utf8(&buffer[..count]).unwrap();
    }
    text
}

fn is_complete(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("content-length: ")
            .map(|length| length.parse::<usize>().unwrap())
    });
    body.len() >= length.unwrap_or(0)
}

/// Reads one request and replies with `reply`, as it stands. Without a request there is no reply, and the request is empty.
pub(crate) async fn reply(stream: &mut TcpStream, reply: &str) -> String {
    let request = read_request(stream).await;
    if !request.is_empty() {
        stream.write_all(reply.as_bytes()).await.unwrap();
    }
    request
}

/// Waits until the other side has closed the connection.
pub(crate) async fn until_closed(stream: &mut TcpStream) {
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
}
