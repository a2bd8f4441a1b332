//! One connection, from its first byte to its end.
//!
//! Owns HTTP framing limits, how long a connection is waited for, and its graceful end. It must not know what a request
//! means: it hands each one to the dispatcher.

use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt as _;
use http::{Request, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulConnection;
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite, BufWriter};
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use zato_channel::{ClientCertificate, Dispatcher};

use crate::busy::{Busy, Held};
use crate::compress;
use crate::stream::Watched;
use crate::tls::OverTls;
use crate::unread::UnreadReplies;
use crate::waiting::Waiting;

/// How long a client may take to send a request's headers, an idle connection's next request included.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(60);

/// The largest request line and headers together, in bytes; more is answered with 431.
const MAXIMUM_HEADER_BYTES: usize = 64 * 1024;

/// Up to how many bytes a reply's head and body are copied together: its parts one by one take the system longer.
const SHORT_REPLY_BYTES: usize = 2048;

/// How many requests one HTTP/2 connection may have under way.
const MAXIMUM_STREAMS: u32 = 256;

/// Tells connections to end once they have answered what they were asked. Clones tell the same ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<Signal>);

#[derive(Debug, Default)]
struct Signal {
    /// What connections look at whenever they run.
    is_given: AtomicBool,
    /// What makes them run.
    given: CancellationToken,
}

impl Stop {
    pub(crate) fn give(&self) {
        self.0.is_given.store(true, Relaxed);
        self.0.given.cancel();
    }

    /// A connection that does not see it at once sees it when it is woken up, which happens later.
    fn is_given(&self) -> bool {
        self.0.is_given.load(Relaxed)
    }

    /// What comes of `work`, unless this is given before it does.
    pub(crate) async fn unless_given<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.0.given.run_until_cancelled(work).await
    }
}

/// What TLS adds to a connection.
pub(crate) struct Secured {
    /// The client's own certificate, if it showed one.
    pub(crate) certificate: Option<ClientCertificate>,
}

/// Serves a connection over any transport until it ends, or is to stop. `waiting` tells others how it is getting on.
pub(crate) fn serve<S>(
    dispatcher: Dispatcher,
    stream: S,
    peer: SocketAddr,
    secured: Option<Secured>,
    stop: Stop,
    waiting: Waiting,
) -> impl Future<Output = ()> + Send
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let unread = UnreadReplies::default();
    let stream = Watched::new(stream, waiting.clone());
    let patience =
        Patience { waiting: waiting.clone(), unread: unread.clone(), dispatcher: dispatcher.clone() };
    let service = service_fn(move |mut request: Request<Incoming>| {
        let held = if request.version() < Version::HTTP_2 {
            Held::Call { _call: waiting.call() }
        } else {
            Held::Stream(unread.clone())
        };
        if let Some(Secured { certificate }) = &secured {
            request.extensions_mut().insert(OverTls);
            if let Some(certificate) = certificate {
                request.extensions_mut().insert(certificate.clone());
            }
        }
        Busy::new(compress::answer(&dispatcher, request, peer), held)
    });
    let stream = BufWriter::with_capacity(SHORT_REPLY_BYTES, stream);
    let connection = protocol().serve_connection(TokioIo::new(stream), service).into_owned();
    Served::new(connection, patience, stop).map(move |ended| match ended {
        Ok(()) => {}
        Err(Ended::TooSlow) => {
            tracing::debug!(%peer, "a client did not send a request, or take a reply, in time")
        }
        Err(Ended::Hoarding) => {
            tracing::warn!(%peer, "a client did not take a reply for a minute, and memory is short")
        }
        Err(Ended::Broken(error)) if is_refusal(&*error) => {
            tracing::info!(%error, %peer, "what a client sent is no request");
        }
        Err(Ended::Broken(error)) => tracing::debug!(%error, %peer, "a connection ended early"),
    })
}

/// Whether a connection ended with a reply to what could not be read, which no channel hears of.
fn is_refusal(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<hyper::Error>().is_some_and(|error| error.is_parse() || error.is_parse_too_large())
}

/// How one connection is served.
fn protocol() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // The number of headers is left at hyper's 100: any other limit makes it allocate room for them with every request.
    // The time until they are there is limited by `Served`.
    builder.http1().max_buf_size(MAXIMUM_HEADER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEADER_READ_TIMEOUT)
        .max_concurrent_streams(MAXIMUM_STREAMS)
        .max_header_list_size(u32::try_from(MAXIMUM_HEADER_BYTES).unwrap_or(u32::MAX));
    builder
}

/// Why a connection ended before its time.
enum Ended<E> {
    /// No request came, or no part of a reply was taken, within [`HEADER_READ_TIMEOUT`].
    TooSlow,
    /// A reply of HTTP/2 was not taken for as long, while there was little memory left.
    Hoarding,
    Broken(E),
}

/// How long a connection is waited for.
struct Patience {
    waiting: Waiting,
    unread: UnreadReplies,
    dispatcher: Dispatcher,
}

impl Patience {
    /// When it will be over, or whether it is.
    ///
    /// A connection of HTTP/2 may be one of a proxy, on which all but one client take their replies. So it ends only if the others
    /// need the memory.
    fn end<E>(&self, now: Instant) -> Result<Instant, Ended<E>> {
        let end = self.waiting.since().unwrap_or(now) + HEADER_READ_TIMEOUT;
        if end <= now {
            return Err(Ended::TooSlow);
        }
        let unread_since = self.unread.since().filter(|_| self.dispatcher.is_short_of_memory());
        let end_of_unread = unread_since.unwrap_or(now) + HEADER_READ_TIMEOUT;
        if end_of_unread <= now { Err(Ended::Hoarding) } else { Ok(end.min(end_of_unread)) }
    }
}

pin_project! {
    /// A connection that ends when it is told to, or is waited for too long.
    ///
    /// It runs several times in each call, while a minute passes or a server stops once in very many. So both are asked
    /// only the first time, which is enough for them to wake its task up; from then on all it does is to look at what
    /// they leave behind.
    struct Served<C> {
        #[pin]
        connection: C,
        patience: Patience,
        #[pin]
        timer: Sleep,
        stop: Stop,
        #[pin]
        stopped: WaitForCancellationFutureOwned,
        is_begun: bool,
        is_stopping: bool,
    }
}

impl<C> Served<C> {
    fn new(connection: C, patience: Patience, stop: Stop) -> Self {
        let timer = tokio::time::sleep(HEADER_READ_TIMEOUT);
        let stopped = stop.0.given.clone().cancelled_owned();
        Self { connection, patience, timer, stop, stopped, is_begun: false, is_stopping: false }
    }
}

impl<C: GracefulConnection> Future for Served<C> {
    type Output = Result<(), Ended<C::Error>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if !*this.is_begun {
            *this.is_begun = true;
            ask(this.timer.as_mut(), cx);
            ask(this.stopped, cx);
        }
        if !*this.is_stopping && this.stop.is_given() {
            *this.is_stopping = true;
            this.connection.as_mut().graceful_shutdown();
        }
        if let Poll::Ready(ended) = this.connection.poll(cx) {
            return Poll::Ready(ended.map_err(Ended::Broken));
        }
        // A client that is in the middle of its first head was not asked anything of yet, and may take long to go on. hyper ends
        // all others by itself.
        if *this.is_stopping && this.patience.waiting.is_new() {
            return Poll::Ready(Ok(()));
        }
        while this.timer.is_elapsed() {
            this.timer.as_mut().reset(this.patience.end(Instant::now())?);
            ask(this.timer.as_mut(), cx);
        }
        Poll::Pending
    }
}

/// Has this task woken up when a future is ready, which shows otherwise. It may not be put off because the task did much
/// already: it would not be asked again.
fn ask(future: Pin<&mut impl Future<Output = ()>>, cx: &mut Context<'_>) {
    let _ = pin!(unconstrained(future)).poll(cx);
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::sync::LazyLock;

    use bytes::Bytes;
    use futures_util::future::BoxFuture;
    use http::Response;
    use http::request::Parts;
    use http_body_util::{BodyExt as _, Full};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use zato_channel::{Channels, Page, Pages, Settings};
    use zato_cid::{Form, SystemGenerator};
    use zato_kvdb::{Embedded, Kvdb, SystemClock};
    use zato_service::{Environment, EnvironmentParts, Outgoing, Registry};

    use super::*;

    /// A document that is more than the buffers of a connection hold.
    struct Large;

    impl Large {
        const SIZE: usize = 100_000;
    }

    /// Noise, so that compressing it makes it no shorter.
    static NOISE: LazyLock<Bytes> = LazyLock::new(|| {
        let numbers = std::iter::successors(Some(1_u64), |last| {
            Some(last.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1))
        });
        numbers.map(|number| (number >> 56) as u8).take(Large::SIZE).collect()
    });

    impl Page for Large {
        fn get<'a>(&'a self, _: &'a Parts) -> BoxFuture<'a, Response<Full<Bytes>>> {
            Box::pin(ready(Response::new(Full::new(NOISE.clone()))))
        }
    }

    async fn dispatcher(folder: &std::path::Path) -> Dispatcher {
        let store = Embedded::open(&folder.join("kvdb.redb"), Arc::new(SystemClock)).await.unwrap();
        let environment = Environment::new(EnvironmentParts {
            outgoing: Outgoing::new(zato_outgoing::Outgoing::new(
                zato_outgoing::Environment::new("test").unwrap(),
            )),
            kvdb: Kvdb::new(store),
            registry: Registry::new(),
            cids: SystemGenerator::new(Form::default()),
            clock: time::OffsetDateTime::now_utc,
            tasks: Default::default(),
        });
        let pages = Pages::new().with("/large", Large);
        Dispatcher::new(Channels::new(pages), environment, Settings::default())
    }

    /// After how many seconds a client is turned away who sends this, then the same byte every second, and what it reads.
    async fn turned_away(dispatcher: &Dispatcher, first: &[u8], then: &[u8]) -> (u64, String) {
        let (client, server) = tokio::io::duplex(1024);
        let peer = ([192, 0, 2, 1], 50_000).into();
        tokio::spawn(serve(dispatcher.clone(), server, peer, None, Stop::default(), Waiting::new()));
        let (mut reader, mut writer) = tokio::io::split(client);
        let begun = Instant::now();
        writer.write_all(first).await.unwrap();
        let mut reply = Vec::new();
        let drip = async {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                // Nobody may be there any more to read it.
                let _ = writer.write_all(then).await;
            }
        };
        tokio::select! {
            read = reader.read_to_end(&mut reply) => drop(read.unwrap()),
            () = drip => {}
        }
        (begun.elapsed().as_secs(), String::from_utf8(reply).unwrap())
    }

    #[tokio::test]
    async fn slow_heads_are_waited_for_a_minute() {
        let folder = tempfile::tempdir().unwrap();
        let dispatcher = dispatcher(folder.path()).await;
        tokio::time::pause();
        for (first, then) in [
            (&b""[..], &b""[..]),
            (b"G", b""),
            (b"PRI * HTTP", b""),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\n", b""),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"a"),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b""),
        ] {
            let (seconds, reply) = turned_away(&dispatcher, first, then).await;
            let shown = String::from_utf8_lossy(first);
            println!("{seconds} s: {shown:?} {reply:?}");
            assert!((60..=62).contains(&seconds), "{seconds} s for {shown:?}");
            assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 4"), "{shown:?} {reply:?}");
        }
    }

    /// Asks for a large document, with another header, and takes a part of it at each of so many seconds. Says how much of it came,
    /// and after how many seconds the connection ended.
    async fn taken(dispatcher: &Dispatcher, header: &str, parts: usize) -> (usize, u64) {
        let (mut client, server) = tokio::io::duplex(1024);
        let peer = ([192, 0, 2, 1], 50_000).into();
        let served =
            tokio::spawn(serve(dispatcher.clone(), server, peer, None, Stop::default(), Waiting::new()));
        let begun = Instant::now();
        let request = format!("GET /large HTTP/1.1\r\nHost: localhost\r\n{header}\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let mut taken = 0;
        let mut part = [0; 1024];
        for _ in 0..parts {
            tokio::time::sleep(Duration::from_secs(1)).await;
            taken += client.read(&mut part).await.unwrap();
        }
        served.await.unwrap();
        (taken, begun.elapsed().as_secs())
    }

    #[tokio::test]
    async fn slow_readers_are_waited_for_as_long_as_they_read() {
        let folder = tempfile::tempdir().unwrap();
        let dispatcher = dispatcher(folder.path()).await;
        tokio::time::pause();
        // One that is compressed is made as it is taken, so that the call lasts.
        for (header, parts) in [("", 100), ("Accept-Encoding: gzip\r\n", 101)] {
            let (read, seconds) = taken(&dispatcher, header, parts).await;
            let last = parts as u64 + 55..=parts as u64 + 62;
            assert!(read > Large::SIZE && last.contains(&seconds), "{read} bytes, {seconds} s");
            let (read, seconds) = taken(&dispatcher, header, 10).await;
            assert!(read < Large::SIZE && (70..=72).contains(&seconds), "{read} bytes, {seconds} s");
        }
    }

    /// Asks for a large document by HTTP/2, leaves room for a part of it only, and takes the rest after five minutes.
    async fn taken_late(dispatcher: &Dispatcher) -> (hyper::Result<usize>, u64) {
        let (client, server) = tokio::io::duplex(1024 * 1024);
        let peer = ([192, 0, 2, 1], 50_000).into();
        tokio::spawn(serve(dispatcher.clone(), server, peer, None, Stop::default(), Waiting::new()));
        let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).initial_stream_window_size(1000);
        let (mut sender, connection) = builder.handshake(TokioIo::new(client)).await.unwrap();
        let connection = tokio::spawn(connection);
        let request = Request::get("http://localhost/large").body(String::new()).unwrap();
        let reply = sender.send_request(request).await.unwrap();
        let begun = Instant::now();
        tokio::select! {
            _ended = connection => {}
            () = tokio::time::sleep(Duration::from_secs(300)) => {}
        }
        let seconds = begun.elapsed().as_secs();
        (reply.into_body().collect().await.map(|body| body.to_bytes().len()), seconds)
    }

    #[tokio::test]
    async fn the_head_of_a_reply_comes_alone() {
        let folder = tempfile::tempdir().unwrap();
        let dispatcher = dispatcher(folder.path()).await;
        let (client, server) = tokio::io::duplex(1024 * 1024);
        let peer = ([192, 0, 2, 1], 50_000).into();
        tokio::spawn(serve(dispatcher.clone(), server, peer, None, Stop::default(), Waiting::new()));
        let builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
        let (mut sender, connection) = builder.handshake(TokioIo::new(client)).await.unwrap();
        tokio::spawn(connection);
        for (path, status) in [("/large", 200), ("/nowhere", 404)] {
            let request = Request::head(format!("http://localhost{path}")).header("accept-encoding", "gzip");
            let reply = sender.send_request(request.body(String::new()).unwrap()).await.unwrap();
            let length: usize = reply.headers()["content-length"].to_str().unwrap().parse().unwrap();
            assert_eq!((reply.status().as_u16(), length == Large::SIZE), (status, path == "/large"));
            assert!(reply.into_body().collect().await.unwrap().to_bytes().is_empty());
        }
    }

    /// A proxy's other clients would be without their replies, too.
    #[tokio::test]
    async fn a_reply_of_http2_may_lie_there_while_there_is_memory() {
        let folder = tempfile::tempdir().unwrap();
        let dispatcher = dispatcher(folder.path()).await;
        tokio::time::pause();
        let (taken, seconds) = taken_late(&dispatcher).await;
        assert_eq!((taken.unwrap(), seconds), (Large::SIZE, 300));
        let size = Settings::default().max_buffered_bytes;
        let _others = dispatcher.take_memory(size / 2 + 1).unwrap();
        let (taken, seconds) = taken_late(&dispatcher).await;
        assert!(taken.is_err() && (60..=121).contains(&seconds), "{taken:?} {seconds} s");
    }

    #[tokio::test]
    async fn a_reply_of_http2_that_is_taken_in_drops_lies_there_as_well() {
        let folder = tempfile::tempdir().unwrap();
        let dispatcher = dispatcher(folder.path()).await;
        tokio::time::pause();
        let _others = dispatcher.take_memory(Settings::default().max_buffered_bytes / 2 + 1).unwrap();
        let (client, server) = tokio::io::duplex(1024 * 1024);
        let peer = ([192, 0, 2, 1], 50_000).into();
        tokio::spawn(serve(dispatcher.clone(), server, peer, None, Stop::default(), Waiting::new()));
        let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).initial_stream_window_size(16 * 1024);
        let (mut sender, connection) = builder.handshake(TokioIo::new(client)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get("http://localhost/large").body(String::new()).unwrap();
        let mut body = sender.send_request(request).await.unwrap().into_body();
        let begun = Instant::now();
        let ended = loop {
            tokio::time::sleep(Duration::from_secs(40)).await;
            match body.frame().await {
                Some(Ok(_)) => {}
                end => break end,
            }
        };
        let seconds = begun.elapsed().as_secs();
        assert!(matches!(ended, Some(Err(_))) && seconds <= 160, "{ended:?} {seconds} s");
    }

    #[tokio::test]
    async fn idle_connections_end_when_they_are_told_to() {
        let folder = tempfile::tempdir().unwrap();
        let dispatcher = dispatcher(folder.path()).await;
        tokio::time::pause();
        let (mut client, server) = tokio::io::duplex(1024 * 1024);
        let (peer, stop) = (([192, 0, 2, 1], 50_000).into(), Stop::default());
        let served = tokio::spawn(serve(dispatcher, server, peer, None, stop.clone(), Waiting::new()));
        let begun = Instant::now();
        client.write_all(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut reply = vec![0; Large::SIZE];
        client.read_exact(&mut reply).await.unwrap();
        stop.give();
        served.await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 0);
    }
}
