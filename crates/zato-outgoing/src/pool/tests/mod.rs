//! The pool on connections without sockets: the connector hands out pipes with a scripted server at their other end.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Method, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::yield_now;

use super::*;
use crate::connect::Protocol;

mod http2;

/// What is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
enum Server {
    /// Answers every request with its path, over the given protocol, and with the host it names in a header. The reply to `/large` is
    /// [`LARGE`] bytes.
    Answers(Protocol),
    /// Answers as HTTP/2, and no more than so many calls at once.
    Allows(u32),
    /// Answers so many requests as HTTP/2 and resets the streams of all others for the given reason.
    Resets(usize, h2::Reason),
    /// Reads a request and closes the connection.
    Closes,
    /// Answers one request as an HTTP/1.1 server would which keeps the connection, and then closes it nevertheless.
    AnswersOnce,
    /// Answers one request and leaves its end of the connection to the test, which decides when it closes.
    HandsOver,
    /// Answers one request with a body of [`FLOOD`] pieces, all at once.
    Floods,
    /// Reads and says nothing.
    Waits,
    /// The same where HTTP/2 is spoken.
    WaitsWithHttp2,
    /// Does not let anybody connect.
    Refuses,
    /// The same, a minute later.
    RefusesLate,
}

/// Opens connections to the scripted servers, one after the other; the last one repeats.
#[derive(Clone, Debug)]
struct Scripted {
    servers: Arc<Mutex<VecDeque<Server>>>,
    opened: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
    handed_over: Arc<Mutex<Option<DuplexStream>>>,
    /// Of each order, whether it was for HTTP/1.1 only.
    http1_only: Arc<Mutex<Vec<bool>>>,
}

impl Scripted {
    fn new(servers: impl Into<VecDeque<Server>>) -> Self {
        let servers = Arc::new(Mutex::new(servers.into()));
        Self {
            servers,
            opened: Arc::default(),
            closed: Arc::default(),
            handed_over: Arc::default(),
            http1_only: Arc::default(),
        }
    }

    fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    fn closed(&self) -> usize {
        self.closed.load(Ordering::SeqCst)
    }

    fn pool(&self, size: usize) -> Pool<Self> {
        self.pool_with_queue(size, usize::MAX, None)
    }

    fn pool_with_queue(&self, size: usize, queue_size: usize, queue_timeout: Option<Duration>) -> Pool<Self> {
        let idle_timeout = Duration::from_secs(60);
        PoolLayer::within(PoolOptions { size, idle_timeout, max_lifetime: None, queue_size, queue_timeout })
            .layer(self.clone())
    }
}

impl Service<Connect> for Scripted {
    type Response = Connected<DuplexStream>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Connected<DuplexStream>, Failure>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, order: Connect) -> Self::Future {
        order.progress.enter(Phase::Connect);
        self.http1_only.lock().unwrap().push(order.http1_only);
        let mut servers = self.servers.lock().unwrap();
        let server = if servers.len() > 1 { servers.pop_front().unwrap() } else { servers[0] };
        let refused = || Err(Failure::Refused(std::io::ErrorKind::ConnectionRefused.into()));
        match server {
            Server::Refuses => return Box::pin(std::future::ready(refused())),
            Server::RefusesLate => {
                return Box::pin(async move {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                    refused()
                });
            }
            _ => {}
        }
        self.opened.fetch_add(1, Ordering::SeqCst);
        let (stream, other) = duplex(64 * 1024);
        let (closed, handed_over) = (Arc::clone(&self.closed), Arc::clone(&self.handed_over));
        tokio::spawn(async move {
            let left = serve(server, other).await;
            *handed_over.lock().unwrap() = left;
            closed.fetch_add(1, Ordering::SeqCst);
        });
        let protocol = match server {
            Server::Answers(protocol) => protocol,
            Server::WaitsWithHttp2 | Server::Resets(..) | Server::Allows(_) => Protocol::Http2,
            _ => Protocol::Http1,
        };
        Box::pin(std::future::ready(Ok(Connected { stream, protocol, forwarded: None, peer: None })))
    }
}

/// Serves one connection, which is closed then unless it is handed over.
async fn serve(server: Server, mut stream: DuplexStream) -> Option<DuplexStream> {
    let mut buffer = [0; 4096];
    match server {
        Server::Answers(_) | Server::Allows(_) => {
            let service = service_fn(async |request: Request<Incoming>| {
                let (head, body) = request.into_parts();
                let _body = body.collect().await;
                let hosts = [
                    head.uri.authority().map(|authority| authority.to_string()),
                    head.headers.get(HOST).map(|host| host.to_str().unwrap().to_owned()),
                ];
                let path = head.uri.path();
                let body = if path == "/large" { vec![b'x'; LARGE] } else { path.as_bytes().to_vec() };
                let mut response = Response::new(Full::new(Bytes::from(body)));
                let hosts = hosts.into_iter().flatten().collect::<Vec<_>>().join(" ");
                response.headers_mut().insert("hosts", hosts.parse().unwrap());
                Ok::<_, Infallible>(response)
            });
            let io = TokioIo::new(stream);
            // How the connection ends is what the tests look at from their own end.
            let mut http2 = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let _ended = match server {
                Server::Answers(Protocol::Http1) => {
                    hyper::server::conn::http1::Builder::new().serve_connection(io, service).await
                }
                Server::Allows(calls) => {
                    http2.max_concurrent_streams(calls).serve_connection(io, service).await
                }
                _ => http2.serve_connection(io, service).await,
            };
        }
        Server::Resets(answered, reason) => {
            let mut connection = h2::server::handshake(stream).await.unwrap();
            let mut count = 0;
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                count += 1;
                if count <= answered {
                    let mut body = respond.send_response(Response::new(()), false).unwrap();
                    body.send_data(Bytes::from_static(b"once"), true).unwrap();
                } else {
                    respond.send_reset(reason);
                }
            }
        }
        Server::Closes => {
            let _read = stream.read(&mut buffer).await;
        }
        Server::AnswersOnce | Server::HandsOver => {
            let _read = stream.read(&mut buffer).await;
            let _written = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nonce").await;
            return matches!(server, Server::HandsOver).then_some(stream);
        }
        Server::Floods => {
            let _read = stream.read(&mut buffer).await;
            let pieces = "1\r\na\r\n".repeat(FLOOD);
            let reply = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{pieces}0\r\n\r\n");
            let _written = stream.write_all(reply.as_bytes()).await;
        }
        Server::Waits | Server::WaitsWithHttp2 => {
            while stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
        }
        Server::Refuses | Server::RefusesLate => {}
    }
    None
}

fn request(url: &str) -> Request<Body> {
    let mut request = Request::new(Body::from(Bytes::from_static(b"body")));
    *request.uri_mut() = url.parse().unwrap();
    *request.method_mut() = Method::POST;
    request
}

async fn text(response: Response<PooledBody>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

async fn call(pool: &Pool<Scripted>, url: &str) -> Result<Bytes, Failure> {
    let response = pool.clone().call(request(url)).await?;
    assert_eq!(response.status(), StatusCode::OK);
    Ok(text(response).await)
}

/// Gives a call one turn and says whether it still waits.
fn is_pending(call: Pin<&mut impl Future>) -> bool {
    call.poll(&mut Context::from_waker(std::task::Waker::noop())).is_pending()
}

/// Gives the tasks of closed connections the time to notice.
async fn settle() {
    for _ in 0..32 {
        yield_now().await;
    }
}

/// As much as fits into a pipe.
const FLOOD: usize = 10_000;

/// More than the other side may send before anything is read.
const LARGE: usize = 4 * 1024 * 1024;

const HTTP1: Server = Server::Answers(Protocol::Http1);
const HTTP2: Server = Server::Answers(Protocol::Http2);

#[tokio::test]
async fn nothing_is_opened_before_it_is_needed_and_one_after_the_other_share_one() {
    let server = Scripted::new([HTTP1]);
    let pool = server.pool(2);
    assert_eq!(server.opened(), 0);
    for path in ["/a", "/b", "/c"] {
        assert_eq!(call(&pool, &format!("http://h{path}")).await.unwrap(), path);
    }
    assert_eq!((server.opened(), pool.idle_connections()), (1, 1));
}

#[tokio::test]
async fn calls_at_once_have_connections_of_their_own_up_to_the_size() {
    let server = Scripted::new([HTTP1]);
    let pool = server.pool(2);
    let first = pool.clone().call(request("http://h/1")).await.unwrap();
    let second = pool.clone().call(request("http://h/2")).await.unwrap();
    let mut third = std::pin::pin!(call(&pool, "http://h/3"));
    assert!(is_pending(third.as_mut()));
    settle().await;
    assert!(is_pending(third.as_mut()));
    assert_eq!(server.opened(), 2);

    assert_eq!(text(second).await, "/2");
    assert_eq!(third.await.unwrap(), "/3");
    assert_eq!(text(first).await, "/1");
    assert_eq!((server.opened(), pool.idle_connections()), (2, 2));
}

#[tokio::test]
async fn a_dropped_body_closes_its_connection_and_lets_the_next_call_in() {
    let server = Scripted::new([Server::Waits, HTTP1]);
    let pool = server.pool(1);
    {
        let mut abandoned = std::pin::pin!(call(&pool, "http://h/1"));
        assert!(is_pending(abandoned.as_mut()));
        settle().await;
        assert!(is_pending(abandoned.as_mut()));
    }
    settle().await;
    assert_eq!((server.opened(), server.closed(), pool.idle_connections()), (1, 1, 0));
    assert_eq!(call(&pool, "http://h/2").await.unwrap(), "/2");

    drop(pool.clone().call(request("http://h/3")).await.unwrap());
    assert_eq!(call(&pool, "http://h/4").await.unwrap(), "/4");
}

#[tokio::test]
async fn a_flood_of_pieces_leaves_other_tasks_their_turns() {
    let pool = Scripted::new([Server::Floods]).pool(1);
    let (body, turns) = crate::turns::count(call(&pool, "http://h/1")).await;
    assert_eq!(body.unwrap().len(), FLOOD);
    assert!(turns >= FLOOD / 200, "{turns}");
}

#[tokio::test]
async fn a_connection_found_closed_is_replaced() {
    let server = Scripted::new([Server::AnswersOnce, HTTP1]);
    let pool = server.pool(1);
    assert_eq!(call(&pool, "http://h/1").await.unwrap(), "once");
    settle().await;
    assert_eq!(call(&pool, "http://h/2").await.unwrap(), "/2");
    assert_eq!(server.opened(), 2);
}

/// The connection's task has had no turn in which to see that the server closed, so the request is given to it, and comes
/// back.
#[tokio::test]
async fn a_request_which_a_closed_connection_returns_is_sent_on_a_new_one() {
    let server = Scripted::new([Server::HandsOver, HTTP1]);
    let pool = server.pool(1);
    assert_eq!(call(&pool, "http://h/1").await.unwrap(), "once");
    settle().await;
    drop(server.handed_over.lock().unwrap().take().unwrap());
    assert_eq!(pool.idle_connections(), 1);
    assert_eq!(call(&pool, "http://h/2").await.unwrap(), "/2");
    assert_eq!(server.opened(), 2);
}

/// The caller takes its time to read a body that came with the head, and the server does not wait for that.
#[tokio::test]
async fn a_connection_that_is_closed_before_its_body_is_read_does_not_lie_idle() {
    let server = Scripted::new([Server::HandsOver, HTTP1]);
    let pool = server.pool(1);
    let response = pool.clone().call(request("http://h/1")).await.unwrap();
    settle().await;
    drop(server.handed_over.lock().unwrap().take().unwrap());
    settle().await;
    assert_eq!(text(response).await, "once");
    settle().await;
    assert_eq!(pool.idle_connections(), 0);
}

/// The other side has accepted the request, keeps the connection and does not read on.
#[tokio::test(start_paused = true)]
async fn the_rest_of_a_request_keeps_its_place_for_a_short_time() {
    let server = Scripted::new([Server::HandsOver, HTTP1]);
    let pool = server.pool(1);
    let mut long = request("http://h/1").map(|_| Body::from(Bytes::from(vec![b'x'; 1024 * 1024])));
    let progress = Progress::start();
    progress.set_time(Duration::from_secs(600));
    long.extensions_mut().insert(progress);
    assert_eq!(text(pool.clone().call(long).await.unwrap()).await, "once");
    let begun = Instant::now();
    assert_eq!(call(&pool, "http://h/2").await.unwrap(), "/2");
    assert_eq!((begun.elapsed().as_secs(), server.opened()), (10, 2));
}

#[tokio::test]
async fn a_request_that_was_sent_is_not_sent_again() {
    let server = Scripted::new([Server::Closes, HTTP1]);
    let pool = server.pool(1);
    let error = call(&pool, "http://h/1").await.unwrap_err();
    assert!(matches!(error, Failure::NoReply(_)), "{error:?}");
    assert_eq!(server.opened(), 1);
}

#[tokio::test]
async fn a_refused_connection_leaves_room_for_the_next_one() {
    let server = Scripted::new([Server::Refuses, HTTP1]);
    let pool = server.pool(1);
    let progress = Progress::start();
    let mut first = request("http://h/1");
    first.extensions_mut().insert(progress.clone());
    let error = pool.clone().call(first).await.unwrap_err();
    assert!(matches!(error, Failure::Refused(_)), "{error:?}");
    assert!(!progress.sent());
    assert_eq!(call(&pool, "http://h/2").await.unwrap(), "/2");
}

#[tokio::test(start_paused = true)]
async fn an_unused_connection_is_closed_in_time() {
    let server = Scripted::new([HTTP1]);
    let pool = server.pool(1);
    call(&pool, "http://h/1").await.unwrap();
    tokio::time::sleep(Duration::from_secs(59)).await;
    assert_eq!((pool.idle_connections(), server.closed()), (1, 0));
    call(&pool, "http://h/2").await.unwrap();
    tokio::time::sleep(Duration::from_secs(59)).await;
    assert_eq!((pool.idle_connections(), server.closed()), (1, 0));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((pool.idle_connections(), server.closed()), (0, 1));
    call(&pool, "http://h/3").await.unwrap();
    assert_eq!(server.opened(), 2);
}

/// The list is watched over whichever runtime its connections come back in.
#[test]
fn an_unused_connection_is_closed_in_time_in_a_second_runtime() {
    let server = Scripted::new([HTTP1]);
    let pool = server.pool(1);
    for path in ["/1", "/2"] {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(async {
            assert_eq!(call(&pool, &format!("http://h{path}")).await.unwrap(), path);
            if path == "/2" {
                tokio::time::sleep(Duration::from_secs(61)).await;
                assert_eq!(pool.idle_connections(), 0);
            }
        });
    }
}

#[tokio::test]
async fn a_retired_pool_keeps_nothing() {
    let server = Scripted::new([HTTP1]);
    let pool = server.pool(2);
    let under_way = pool.clone().call(request("http://h/1")).await.unwrap();
    call(&pool, "http://h/2").await.unwrap();
    pool.retire();
    assert_eq!(pool.idle_connections(), 0);
    assert_eq!(text(under_way).await, "/1");
    assert_eq!(pool.idle_connections(), 0);
    settle().await;
    assert_eq!(server.closed(), 2);
}

/// The other side counts from there, too, when it closes connections that lie unused.
#[tokio::test(start_paused = true)]
async fn a_connection_lies_unused_since_its_reply_came() {
    for (seconds, opened) in [(59, 1), (61, 2)] {
        let server = Scripted::new([HTTP1]);
        let pool = server.pool(1);
        let reply = pool.clone().call(request("http://h/1")).await.unwrap();
        tokio::time::advance(Duration::from_secs(seconds)).await;
        assert_eq!(text(reply).await, "/1");
        assert_eq!(call(&pool, "http://h/2").await.unwrap(), "/2");
        assert_eq!(server.opened(), opened, "{seconds}");
    }
}

#[tokio::test]
async fn a_connection_serves_its_own_origin_only_and_all_origins_share_the_size() {
    let server = Scripted::new([HTTP1]);
    let pool = server.pool(2);
    for url in ["http://a/", "http://b/", "http://c/", "http://C:80/"] {
        call(&pool, url).await.unwrap();
    }
    assert_eq!((server.opened(), pool.idle_connections()), (3, 2));
}

#[tokio::test]
async fn a_url_without_an_origin_is_refused() {
    let pool = Scripted::new([HTTP1]).pool(1);
    let error = call(&pool, "/a").await.unwrap_err();
    assert!(matches!(error, Failure::InvalidRequest { part: "URL", .. }), "{error:?}");
}

#[tokio::test]
async fn a_full_queue_refuses_the_next_call() {
    let server = Scripted::new([HTTP1]);
    let pool = server.pool_with_queue(1, 1, None);
    let under_way = pool.clone().call(request("http://h/1")).await.unwrap();
    let waiting = tokio::spawn(pool.clone().call(request("http://h/2")));
    settle().await;
    assert_eq!(pool.waiting(), 1);
    assert!(matches!(call(&pool, "http://h/3").await, Err(Failure::QueueFull { limit: 1 })));
    drop(under_way);
    assert_eq!(text(waiting.await.unwrap().unwrap()).await, "/2");
    assert_eq!(pool.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_too_long_gives_its_place_up() {
    let server = Scripted::new([HTTP1]);
    let pool = server.pool_with_queue(1, 1, Some(Duration::from_secs(2)));
    let _under_way = pool.clone().call(request("http://h/1")).await.unwrap();
    for _ in 0..2 {
        let error = call(&pool, "http://h/2").await.unwrap_err();
        assert!(matches!(error, Failure::TimedOut { phase: Phase::Queue }), "{error:?}");
    }
    assert_eq!(pool.waiting(), 0);
}
