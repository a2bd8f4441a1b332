//! An HTTP/1.1 connection which is driven by whoever uses it.
//!
//! Owns the reading and writing of such a connection. hyper's connection is a future that somebody has to poll. A task of its own
//! would have to be woken for the request, and would wake the call for the reply and again for its body; here the call that has
//! borrowed the connection polls it, so that it reads and writes in the call's own turn and ends with the call. Only the rest of a
//! request that was accepted before it was complete is left to somebody else. It does not know what a pool is: a connection at rest
//! merely wakes somebody else.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;
use http::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use sync_wrapper::SyncWrapper;
use tokio::io::{AsyncRead, AsyncWrite, BufWriter};
use tokio::task::coop::has_budget_remaining;

use super::sender::Reply;
use crate::body::Body;

/// Up to how many bytes a request's head and body are copied together.
///
/// They come in two pieces, and the operating system takes one piece in less time than it takes two: 0.3 us less of about 10 us
/// that a call on the loopback interface costs.
pub(super) const SHORT_REQUEST_BYTES: usize = 2048;

/// How often a connection that has more to do is polled before other tasks get their turn.
const ROUNDS: usize = 8;

type Driver = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// An open connection.
pub(super) struct Http1 {
    sender: http1::SendRequest<Body>,
    /// Absent once it has ended.
    driver: SyncWrapper<Option<Driver>>,
    relay: Arc<Relay>,
    /// Wakes the relay: what the connection is polled with.
    outside: Waker,
}

/// Passes on that the connection can go on: to the call which uses it, or to the pool.
///
/// A relay *rests* while a call waits for the connection; being woken then wakes that call. It is *idle* while no call uses the
/// connection; being woken then wakes its owner. It is *driven* while somebody polls the connection; being woken then wakes
/// nobody, because that is found out at the end of the round. It has been *woken* until the connection is polled the next time.
#[derive(Debug)]
struct Relay {
    state: AtomicU8,
    /// The call that waited last. It stays here, with the allocation of its task, until another one waits: putting the owner in
    /// its place and another call in the owner's would cost each call several atomic operations.
    user: AtomicWaker,
    owner: Waker,
}

const RESTING: u8 = 0;
const DRIVEN: u8 = 1;
const WOKEN: u8 = 2;
const IDLE: u8 = 3;

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        match self.state.swap(WOKEN, Ordering::AcqRel) {
            RESTING => self.user.wake(),
            IDLE => self.owner.wake_by_ref(),
            _ => {}
        }
    }
}

impl Relay {
    /// A round begins, which is going to see all that anybody was woken for.
    fn drive(&self) {
        self.state.store(DRIVEN, Ordering::Release);
    }

    /// A round begins which may do without polling the connection. Says whether it has been woken.
    fn look(&self) -> bool {
        self.state.swap(DRIVEN, Ordering::AcqRel) == WOKEN
    }

    /// A round has ended in which the connection, which had been woken, was not polled. It is left for the next one.
    fn stay_woken(&self) {
        self.state.store(WOKEN, Ordering::Release);
    }

    /// A round has ended, after which a call waits. Says whether there is reason for another round.
    fn rest(&self) -> bool {
        self.turn(DRIVEN, RESTING)
    }

    /// A round has ended, with which no call has to do.
    fn lie_idle(&self) {
        self.turn(DRIVEN, IDLE);
    }

    /// No call waits any more.
    fn leave(&self) {
        self.turn(RESTING, IDLE);
    }

    /// Goes from one state to another one, unless it has been woken, and says whether it has.
    fn turn(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_err()
    }

    fn is_woken(&self) -> bool {
        self.state.load(Ordering::Acquire) == WOKEN
    }
}

impl fmt::Debug for Http1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http1").field("relay", &self.relay).finish_non_exhaustive()
    }
}

impl Http1 {
    /// Begins to speak HTTP/1.1 on a byte stream. `owner` is woken when something happens while no call uses the connection.
    pub(super) async fn handshake<T>(stream: T, owner: Waker) -> hyper::Result<Self>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let stream = BufWriter::with_capacity(SHORT_REQUEST_BYTES, stream);
        // Header names are case-insensitive, but old servers know the usual capitals only.
        let mut builder = http1::Builder::new();
        // A client has to read header lines that are continued in the next one (RFC 9112, 5.2).
        builder.title_case_headers(true).allow_obsolete_multiline_headers_in_responses(true);
        // What is wrong with a header line that nobody needs is no reason to lose the reply. Length and transfer coding, on which
        // its end depends, are looked at as closely as ever.
        builder.ignore_invalid_headers_in_responses(true).allow_spaces_after_header_name_in_responses(true);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        // It has never been polled, and is ready for a request once it has been.
        let relay = Arc::new(Relay { state: AtomicU8::new(WOKEN), user: AtomicWaker::new(), owner });
        let outside = Waker::from(Arc::clone(&relay));
        Ok(Self { sender, driver: SyncWrapper::new(Some(Box::pin(connection))), relay, outside })
    }

    /// Whether the connection has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Gives a request to the connection. The reply comes while [`poll_reply`](Self::poll_reply) is asked for it; what is done
    /// with the connection instead leaves it of no use.
    pub(super) fn send(&mut self, request: Request<Body>) -> impl Reply + use<> {
        // The connection hears of the request now and must not wake anybody for it.
        self.relay.drive();
        self.sender.try_send_request(request)
    }

    /// Polls the reply to the request that was sent. It cannot be there before the connection is polled, which is what sends the
    /// request in the first place.
    pub(super) fn poll_reply<R>(
        &mut self,
        cx: &Context<'_>,
        mut reply: impl FnMut(&mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        self.poll_until(cx, false, |_, cx| reply(cx))
    }

    /// Polls the body of the reply, a part of which may have come with the head.
    pub(super) fn poll_body<R>(
        &mut self,
        cx: &Context<'_>,
        mut body: impl FnMut(&mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        self.poll_until(cx, true, |_, cx| body(cx))
    }

    /// Polls for the end of a request to which the reply has come already. There is nothing to wait for any more when the connection
    /// can take another request, or never will.
    pub(super) fn poll_request_end(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.poll_until(cx, false, |sender, _| {
            if sender.is_ready() || sender.is_closed() { Poll::Ready(()) } else { Poll::Pending }
        })
    }

    /// Polls what depends on this connection, and the connection as far as that needs it.
    ///
    /// What is wanted comes from the connection alone, in one of these rounds, at whose end it is polled. So it need not wake
    /// anybody; it would only do so where the runtime wants other tasks to have their turn, and that is asked for by itself.
    fn poll_until<R>(
        &mut self,
        cx: &Context<'_>,
        may_be_there: bool,
        mut wanted: impl FnMut(&http1::SendRequest<Body>, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        let mut nobody = Context::from_waker(Waker::noop());
        for _ in 0..ROUNDS {
            if may_be_there {
                // Asking for more of the body makes the connection wake whoever polls it, and that is about to happen.
                let was_woken = self.relay.look();
                let found = wanted(&self.sender, &mut nobody);
                if found.is_ready() {
                    if was_woken {
                        self.relay.stay_woken();
                    } else {
                        self.relay.rest();
                    }
                    return found;
                }
            }
            self.poll_once();
            let found = wanted(&self.sender, &mut nobody);
            if found.is_pending() {
                // Before the round ends, so that it is this task which is woken from then on.
                self.relay.user.register(cx.waker());
            }
            let woken = self.relay.rest();
            if found.is_ready() {
                return found;
            }
            if !has_budget_remaining() {
                break;
            }
            if !woken {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Has the connection read and write what it can.
    fn poll_once(&mut self) {
        let driver = self.driver.get_mut();
        let Some(running) = driver else { return };
        self.relay.drive();
        if let Poll::Ready(result) = running.as_mut().poll(&mut Context::from_waker(&self.outside)) {
            // Whoever waits for a reply is told of an error by the reply's future or body; without a waiting call it is the
            // normal end of a pooled connection.
            if let Err(error) = result {
                tracing::debug!(%error, "an outgoing connection ended");
            }
            *driver = None;
        }
    }

    /// Looks at what the connection, which no call uses, has been woken for, if it was, and says whether it can take a request now.
    pub(super) fn is_ready(&mut self) -> bool {
        for _ in 0..ROUNDS {
            if !self.relay.is_woken() {
                break;
            }
            self.poll_once();
            self.relay.lie_idle();
        }
        // One that still writes the request to which a reply has come already is of no use for another one.
        self.driver.get_mut().is_some() && self.sender.is_ready()
    }

    /// Ends the use of the connection by a call: from now on its owner is woken when something happens on it.
    pub(super) fn leave(&self) {
        self.relay.leave();
    }

    /// Whether something has happened since the connection was last used or looked at.
    pub(super) fn is_woken(&self) -> bool {
        self.relay.is_woken()
    }
}

impl Drop for Http1 {
    /// A connection at rest is closed in good order, which TLS has a message for. One in the middle of a call just ends: there
    /// may be a rest of a request or a reply that nobody is interested in any more.
    fn drop(&mut self) {
        if self.is_ready()
            && let Some(driver) = self.driver.get_mut().take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            // It ends by itself as soon as this handle's sender is gone.
            runtime.spawn(driver);
        }
    }
}
