//! The body of a reply which still arrives on a pooled connection.
//!
//! Owns the moment at which a connection is free again.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::task::coop;
use tokio::time::Instant;

use super::sender::Lease;
use crate::error::Failure;

/// The body of a reply. Its connection goes back into the pool once the body has been read to its end; if it is dropped
/// before that, the connection is closed.
#[derive(Debug)]
pub struct PooledBody {
    incoming: Incoming,
    lease: Option<Lease>,
    /// When the head came, until more has to be waited for or a first piece was not all. A connection lies unused since the other
    /// side sent the end of the reply, and that is known without another look at the clock if the end came with the head.
    came: Option<Instant>,
}

impl PooledBody {
    /// The body of a reply whose head came at `came`.
    pub(super) fn new(incoming: Incoming, lease: Lease, came: Instant) -> Self {
        let mut body = Self { incoming, lease: Some(lease), came: Some(came) };
        body.release_at_end();
        body
    }

    /// The end may be known before it is read, when the length was announced.
    fn release_at_end(&mut self) {
        if self.incoming.is_end_stream() {
            self.release();
        }
    }

    fn release(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.give_back(self.came.unwrap_or_else(Instant::now));
        }
    }
}

impl Body for PooledBody {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        // What has been received at once may be many small pieces, which take the time of other tasks though nobody waits for them.
        ready!(coop::poll_proceed(cx)).made_progress();
        let Self { incoming, lease, .. } = &mut *self;
        let polled = match lease {
            Some(lease) => lease.poll_frame(incoming, cx),
            // The connection is free again, so that everything has been received.
            None => Pin::new(incoming).poll_frame(cx),
        };
        match polled {
            Poll::Pending => {
                self.came = None;
                Poll::Pending
            }
            Poll::Ready(None) => {
                self.release();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Ok(frame))) => {
                self.release_at_end();
                self.came = None;
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                self.lease = None;
                Poll::Ready(Some(Err(Failure::CutOff(error.into()))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
