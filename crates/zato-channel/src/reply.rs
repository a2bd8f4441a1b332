//! The body of a response: there as a whole, or made while it is sent.
//!
//! Owns the two kinds, and what a call holds until the second kind has been sent. It must not know how pieces are made.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Full};

use crate::audit::Witness;
use crate::ended::Ending;
use crate::handle::Pieces;

/// The body of a response of the [`Dispatcher`](crate::Dispatcher).
///
/// Nearly all are in memory as a whole. A long list is made while it is sent, a piece whenever the connection asks for one;
/// its call counts as in flight, and keeps its places, until the body has ended or is dropped.
pub struct ReplyBody(Kind);

enum Kind {
    Whole(Full<Bytes>),
    Pieces(Box<InPieces>),
}

struct InPieces {
    pieces: Pieces,
    ending: Ending,
    witness: Option<Witness>,
}

/// What is left of a body can't be made. Whoever sends it has to end the connection, so that the part that was sent is not
/// taken for the whole; the log says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rest of the reply can't be made")]
pub struct BrokenOff;

impl ReplyBody {
    pub(crate) fn pieces(pieces: Pieces, ending: Ending) -> Self {
        Self(Kind::Pieces(Box::new(InPieces { pieces, ending, witness: None })))
    }

    /// The bytes of a body that is in memory as a whole.
    pub(crate) fn whole(&self) -> Option<Bytes> {
        let Kind::Whole(body) = &self.0 else { return None };
        let frame = body.clone().frame().now_or_never().flatten();
        let data = frame.and_then(Result::ok).and_then(|frame| frame.into_data().ok());
        Some(data.unwrap_or_default())
    }

    /// The same body, whose pieces are shown to a witness of its call. A body that is there as a whole needs none.
    pub(crate) fn watched_by(mut self, witness: Witness) -> Self {
        if let Kind::Pieces(body) = &mut self.0 {
            body.witness = Some(witness);
        }
        self
    }
}

impl Default for ReplyBody {
    /// No bytes at all.
    fn default() -> Self {
        Full::default().into()
    }
}

impl From<Full<Bytes>> for ReplyBody {
    fn from(body: Full<Bytes>) -> Self {
        Self(Kind::Whole(body))
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let body = match &mut self.0 {
            Kind::Whole(body) => {
                let frame = Pin::new(body).poll_frame(cx);
                return frame.map_err(|impossible: Infallible| match impossible {});
            }
            Kind::Pieces(body) => &mut **body,
        };
        Poll::Ready(match ready!(body.pieces.poll_next_unpin(cx)) {
            Some(Ok(piece)) => {
                body.ending.sent(piece.len());
                if let Some(witness) = &mut body.witness {
                    witness.sent(&piece);
                }
                Some(Ok(Frame::data(piece)))
            }
            Some(Err(failure)) => {
                body.ending.failed(failure);
                Some(Err(BrokenOff))
            }
            None => {
                body.ending.completed();
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Whole(body) => body.is_end_stream(),
            Kind::Pieces(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Whole(body) => body.size_hint(),
            Kind::Pieces(_) => SizeHint::default(),
        }
    }
}

impl fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Whole(body) => f.debug_tuple("ReplyBody").field(&body.size_hint().exact()).finish(),
            Kind::Pieces(_) => f.debug_tuple("ReplyBody").field(&"in pieces").finish(),
        }
    }
}
