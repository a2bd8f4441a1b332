//! An HTTP/2 connection, which many calls share.
//!
//! Owns its task, and how many calls the connection can carry: as many as the other side allows. It does not know the other
//! connections; those who wait for it to be opened are told when it is known what it can do.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Request;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::idle::Opening;
use super::sender::Reply;
use crate::body::Body;

/// After what time without a sign of life the other side of a connection is asked for one, and how long it may take to give it.
/// Whoever has vanished without a word would otherwise fail all calls that share the connection, until TCP gives up.
const SILENCE: Duration = Duration::from_secs(5);

/// How many calls are allowed before the other side has said it: a number that it cannot say.
const UNKNOWN: usize = usize::MAX - 1;

/// How much of a reply the other side may send before the caller has read any of it, in bytes: enough for 20 MB a second where a
/// way there and back takes a tenth of a second.
const STREAM_WINDOW: u32 = 2 * 1024 * 1024;

/// The largest window that there is (RFC 9113, 6.9.1).
const LARGEST_WINDOW: u32 = (1 << 31) - 1;

/// How much of all replies of a connection that carries so many `calls` at once the other side may send before any of it is read.
///
/// With less than what they may hold together, a few callers who do not read their replies would hold up all others. So many
/// bytes are also the most that a pool of this size holds of unread replies, over however many connections.
fn connection_window(calls: usize) -> u32 {
    let calls = u32::try_from(calls.max(1)).unwrap_or(u32::MAX);
    STREAM_WINDOW.saturating_mul(calls).min(LARGEST_WINDOW)
}

/// A handle to an open connection. Each call that uses the connection has one.
pub(super) struct Http2 {
    sender: http2::SendRequest<Body>,
    /// There is one reference for each handle and one for the connection's task.
    streams: Arc<Streams>,
}

struct Streams {
    connection: Mutex<Stage>,
    /// The other side has taken too long to say what it allows.
    is_silent: AtomicBool,
    /// Those who wait for this connection, until it is known what the other side allows.
    opening: Mutex<Option<Opening>>,
}

/// How far a connection has got.
enum Stage {
    Begun,
    Running(Box<dyn Driven>),
    Ended,
}

/// The reading and writing of a connection.
trait Driven: Future<Output = hyper::Result<()>> + Send + Unpin {
    /// How many calls the other side allows at once.
    fn limit(&self) -> usize;
}

impl<T> Driven for http2::Connection<TokioIo<Telling<T>>, Body, TokioExecutor>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    fn limit(&self) -> usize {
        self.current_max_send_streams()
    }
}

impl Streams {
    /// How many calls there may be at once, if that is known.
    fn limit(&self) -> Option<usize> {
        let limit = match &*lock(&self.connection) {
            Stage::Begun => UNKNOWN,
            Stage::Running(connection) => connection.limit(),
            Stage::Ended => 0,
        };
        match limit {
            UNKNOWN => self.is_silent.load(Ordering::Relaxed).then_some(0),
            limit => Some(limit),
        }
    }

    /// Lets go on who waits for the connection, if it is known how many calls there may be, and says whether it is.
    fn announce(&self) -> bool {
        // Looked at under the lock, so that nobody begins to wait for what has just been announced.
        let mut opening = lock(&self.opening);
        let is_known = self.limit().is_some();
        if is_known && let Some(opening) = opening.take() {
            opening.succeeded();
        }
        is_known
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        let mut connection = lock(&self.connection);
        let Stage::Running(running) = &mut *connection else { return Poll::Ready(Ok(())) };
        let polled = Pin::new(running).poll(cx);
        if polled.is_ready() {
            *connection = Stage::Ended;
        }
        polled
    }
}

/// What is behind these locks is consistent at every point at which a panic could leave them, so a poisoned one is as good.
fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Http2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2").field("handles", &self.handles()).finish_non_exhaustive()
    }
}

impl Http2 {
    /// Begins to speak HTTP/2 on a byte stream, for up to so many `calls` at once. The reading and writing goes on in a task that
    /// ends when the connection is closed by the other side or no longer used by this one.
    pub(super) async fn handshake<T>(stream: T, calls: usize) -> hyper::Result<Self>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let streams = Arc::new(Streams {
            connection: Mutex::new(Stage::Begun),
            is_silent: AtomicBool::new(false),
            opening: Mutex::default(),
        });
        let stream = Telling { stream, streams: Arc::downgrade(&streams), has_told: false };
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).keep_alive_interval(SILENCE).keep_alive_timeout(SILENCE);
        builder.initial_max_send_streams(UNKNOWN);
        builder.initial_stream_window_size(STREAM_WINDOW);
        builder.initial_connection_window_size(connection_window(calls));
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        *lock(&streams.connection) = Stage::Running(Box::new(connection));
        tokio::spawn(until_closed(Driver(Arc::clone(&streams))));
        Ok(Self { sender, streams })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    pub(super) fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    /// Another handle.
    pub(super) fn share(&self) -> Self {
        Self { sender: self.sender.clone(), streams: Arc::clone(&self.streams) }
    }

    fn handles(&self) -> usize {
        Arc::strong_count(&self.streams).saturating_sub(1)
    }

    /// Whether anybody has another handle than this one.
    pub(super) fn is_used(&self) -> bool {
        self.handles() > 1
    }

    /// Whether the connection has room for a call besides those which have the other handles, if that is known. One call is always
    /// tried: whoever allows none at the moment may do so later.
    pub(super) fn has_room(&self) -> Option<bool> {
        self.streams.limit().map(|limit| self.handles() <= limit.max(1))
    }

    /// Ends the attempt to open this connection as soon as it is known what it can do.
    pub(super) fn end(&self, opening: Opening) {
        *lock(&self.streams.opening) = Some(opening);
        self.streams.announce();
    }

    /// Gives a request to the connection.
    pub(super) fn send(&mut self, request: Request<Body>) -> impl Reply + use<> {
        self.sender.try_send_request(request)
    }
}

/// The reading and writing of a connection, in whose task it is. The connection ends with it, also where the task is dropped
/// because its runtime has ended: nobody would ever write what is given to the connection from then on.
struct Driver(Arc<Streams>);

impl Drop for Driver {
    fn drop(&mut self) {
        let ended = std::mem::replace(&mut *lock(&self.0.connection), Stage::Ended);
        self.0.announce();
        // Not under the lock: calls that still wait for a reply are told now.
        drop(ended);
    }
}

/// Whoever waits for a reply is told of an error by the reply's future or body; without a waiting call it is the normal
/// end of a shared connection.
async fn until_closed(driver: Driver) {
    let streams = &*driver.0;
    let mut end = pin!(poll_fn(|cx| streams.poll(cx)));
    let ended = match tokio::time::timeout(SILENCE, end.as_mut()).await {
        Ok(ended) => ended,
        Err(_) => {
            // It is the first thing that the other side has to say (RFC 9113, 3.4), so that hardly anybody comes to this.
            streams.is_silent.store(true, Ordering::Relaxed);
            streams.announce();
            end.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an outgoing connection ended");
    }
}

/// A byte stream which tells when the other side has said how many calls it allows.
///
/// hyper knows, and wakes nobody for it. But it reads on after it has taken note.
struct Telling<T> {
    stream: T,
    streams: Weak<Streams>,
    has_told: bool,
}

impl<T: AsyncRead + Unpin> AsyncRead for Telling<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.has_told {
            self.has_told = self.streams.upgrade().is_none_or(|streams| streams.announce());
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Telling<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_room_for_all_calls_as_far_as_there_are_such_windows() {
        for (calls, window) in [(0, STREAM_WINDOW), (1, STREAM_WINDOW), (20, 20 * STREAM_WINDOW)] {
            assert_eq!(connection_window(calls), window);
        }
        for calls in [1024, usize::MAX] {
            assert_eq!(connection_window(calls), LARGEST_WINDOW);
        }
    }
}
