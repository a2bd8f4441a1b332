//! What is done for one request, from its head to the end of its reply.
//!
//! Owns what that means for how the request's connection is waited for, and that a large reply is handed to HTTP/2 in parts. It must
//! not know how requests are answered.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::unread::{UnreadReplies, UnreadReply};
use crate::waiting::Call;

/// How much of a reply HTTP/2 gets at a time, in bytes. It keeps what it gets until the client makes room for it, and nobody else
/// hears of that.
const PART: usize = 16 * 1024;

/// What a connection knows of a request while it is busy with it.
pub(crate) enum Held {
    /// The one call of a connection of HTTP/1.
    Call {
        /// Lasts until the reply is done with.
        _call: Call,
    },
    /// One of several calls of a connection of HTTP/2.
    Stream(UnreadReplies),
    /// Its reply.
    Parts(Box<Parts>),
    /// A reply so short that the number of a connection's streams bounds what it takes up.
    Nothing,
}

/// A large reply of HTTP/2.
pub(crate) struct Parts {
    unread: UnreadReply,
    /// What was made of the reply, and not yet handed over.
    rest: Bytes,
}

pin_project! {
    /// What is done for a request: its answer, and then the body of that.
    pub(crate) struct Busy<T> {
        #[pin]
        inner: T,
        held: Held,
    }
}

impl<T> Busy<T> {
    /// `held` lasts until the answer, and the body that comes with it, are done with.
    pub(crate) fn new(inner: T, held: Held) -> Self {
        Self { inner, held }
    }
}

impl<F, B, E> Future for Busy<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<Busy<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx))?;
        let held = match std::mem::replace(this.held, Held::Nothing) {
            Held::Stream(unread) if is_large(response.body()) => {
                Held::Parts(Box::new(Parts { unread: unread.add(), rest: Bytes::new() }))
            }
            Held::Stream(_) => Held::Nothing,
            held => held,
        };
        Poll::Ready(Ok(response.map(|inner| Busy { inner, held })))
    }
}

fn is_large(body: &impl Body) -> bool {
    body.size_hint().exact().is_none_or(|length| length > PART as u64)
}

impl<B: Body<Data = Bytes>> Body for Busy<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        match this.held {
            Held::Parts(parts) => parts.poll_frame(this.inner, cx),
            _ => this.inner.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream() && self.rest() == 0
    }

    fn size_hint(&self) -> SizeHint {
        let (mut hint, rest) = (self.inner.size_hint(), self.rest());
        if rest > 0 {
            if let Some(upper) = hint.upper() {
                hint.set_upper(upper + rest);
            }
            hint.set_lower(hint.lower() + rest);
        }
        hint
    }
}

impl<B> Busy<B> {
    /// How many bytes have been made that were not handed over.
    fn rest(&self) -> u64 {
        match &self.held {
            Held::Parts(parts) => parts.rest.len() as u64,
            _ => 0,
        }
    }
}

impl Parts {
    fn poll_frame<B: Body<Data = Bytes>>(
        &mut self,
        body: Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if self.rest.is_empty() {
            self.unread.pause();
            match ready!(body.poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                end => return Poll::Ready(end),
            }
        }
        self.unread.wait();
        Poll::Ready(Some(Ok(Frame::data(self.part()))))
    }

    /// The next part. It is a copy, so that it does not keep the whole reply in memory.
    fn part(&mut self) -> Bytes {
        let part = Bytes::copy_from_slice(&self.rest[..self.rest.len().min(PART)]);
        self.rest.advance(part.len());
        if self.rest.is_empty() {
            self.rest = Bytes::new();
        }
        part
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::ready;

    use http_body_util::{BodyExt as _, Full};

    use super::*;

    async fn answered(bytes: Bytes, unread: &UnreadReplies) -> Busy<Full<Bytes>> {
        let answer = ready(Ok::<_, Infallible>(Response::new(Full::new(bytes))));
        let Ok(response) = Busy::new(answer, Held::Stream(unread.clone())).await;
        response.into_body()
    }

    #[tokio::test]
    async fn large_replies_are_handed_over_in_parts() {
        let unread = UnreadReplies::default();
        let whole: Bytes = (0..100_000_u32).map(|number| number as u8).collect();
        let mut body = answered(whole.clone(), &unread).await;
        let mut read = Vec::new();
        while !body.is_end_stream() {
            assert!(unread.since().is_some());
            assert_eq!(body.size_hint().exact(), Some((whole.len() - read.len()) as u64));
            let part = body.frame().await.unwrap().unwrap().into_data().unwrap();
            assert!(part.len() <= PART);
            read.extend_from_slice(&part);
        }
        assert_eq!(read, whole);
        assert!(body.frame().await.is_none());
        assert_eq!(unread.since(), None);
    }

    #[tokio::test]
    async fn the_rest_keeps_nothing_but_itself() {
        let unread = UnreadReplies::default();
        let whole = Bytes::from(vec![0; 2 * PART]);
        let mut body = answered(whole.clone(), &unread).await;
        let parts = [body.frame().await, body.frame().await];
        assert!(parts.iter().all(Option::is_some) && body.is_end_stream());
        assert!(whole.is_unique());
    }

    #[tokio::test]
    async fn short_replies_are_left_alone() {
        let unread = UnreadReplies::default();
        let short = Bytes::from(vec![0; PART]);
        let mut body = answered(short.clone(), &unread).await;
        assert_eq!(unread.since(), None);
        let data = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(data.as_ptr(), short.as_ptr());
    }
}
