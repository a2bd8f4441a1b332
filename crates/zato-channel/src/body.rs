//! Reading a request's body.
//!
//! Owns the limits of size and time. It must not know what a body means.

use std::error::Error as StdError;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body::Body;

use crate::budget::{Exhausted, Share};

/// What went wrong while a body was read, whatever reads it.
pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

/// How much of a body is taken off the connection only to be dropped.
const DISCARDED: usize = 32 * 1024 * 1024;

/// For how long that is done at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why there is no body.
#[derive(Debug)]
pub(crate) enum BodyError {
    TooLarge,
    TooSlow,
    Broken(BoxError),
    /// The bodies and replies of other calls take up all the memory there is for them.
    Overloaded,
}

impl From<Exhausted> for BodyError {
    fn from(_: Exhausted) -> Self {
        Self::Overloaded
    }
}

/// Reads a whole body of at most `limit` bytes within `timeout`.
///
/// What it takes up is counted in `share`, which is to be kept as long as the body.
///
/// A body that has arrived already, the usual case, costs no timer; one that came in one piece is not copied.
///
/// A connection may hand out what it has only after it was asked once, and says so by waking the task at once. So the
/// timer waits for the second time that nothing is there.
pub(crate) async fn read<B>(
    body: Pin<&mut B>,
    limit: usize,
    timeout: Duration,
    share: &mut Share<'_>,
) -> Result<Bytes, BodyError>
where
    B: Body<Error: Into<BoxError>>,
{
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if body.size_hint().lower() > limit as u64 {
        return Err(BodyError::TooLarge);
    }
    // Whoever announces a body that there is no room for need not send it.
    if !share.has_room(usize::try_from(body.size_hint().lower()).unwrap_or(limit)) {
        return Err(BodyError::Overloaded);
    }
    let mut collected = pin!(collect(body, limit, share));
    match within_two_polls(collected.as_mut()).await {
        Some(result) => result,
        // Boxed, so that bodies which are waited for don't make the futures of all calls larger.
        None => Box::pin(tokio::time::timeout(timeout, collected)).await.unwrap_or(Err(BodyError::TooSlow)),
    }
}

/// What a future comes to, unless it takes longer than until the task runs again.
async fn within_two_polls<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    let mut is_last = false;
    poll_fn(|cx: &mut Context<'_>| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if is_last => Poll::Ready(None),
        Poll::Pending => {
            is_last = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

/// Takes a body that nobody wants off the connection, as far as that is worth its time.
///
/// A client that is still sending when it is answered and cut off sees a broken connection instead of the answer; and
/// a body that came whole leaves a connection on which the next request can be read. A client that waits to be asked
/// for its body is not.
pub(crate) async fn discard<B>(mut body: Pin<&mut B>, headers: &HeaderMap, timeout: Duration)
where
    B: Body<Error: Into<BoxError>>,
{
    if headers.contains_key(header::EXPECT) || body.is_end_stream() {
        return;
    }
    let drained = async {
        let mut left = DISCARDED;
        while let Ok(Some(data)) = next(body.as_mut(), left).await {
            left -= data.remaining();
        }
    };
    // Whether it came whole, in part or not at all makes no difference to the reply.
    let _ = Box::pin(tokio::time::timeout(timeout.min(PATIENCE), drained)).await;
}

async fn collect<B>(mut body: Pin<&mut B>, limit: usize, share: &mut Share<'_>) -> Result<Bytes, BodyError>
where
    B: Body<Error: Into<BoxError>>,
{
    let Some(mut first) = next(body.as_mut(), limit).await? else { return Ok(Bytes::new()) };
    let first = first.copy_to_bytes(first.remaining());
    share.grow_to(first.len())?;
    let Some(second) = next(body.as_mut(), limit - first.len()).await? else { return Ok(first) };
    share.grow_to(first.len() + second.remaining())?;
    // What the peer announced is trusted only as far as it is small; growing a larger buffer is cheap enough.
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(limit).min(64 * 1024);
    let mut whole = BytesMut::with_capacity(first.len() + second.remaining() + announced);
    whole.extend_from_slice(&first);
    append(&mut whole, second);
    while let Some(data) = next(body.as_mut(), limit - whole.len()).await? {
        share.grow_to(whole.len() + data.remaining())?;
        append(&mut whole, data);
    }
    Ok(whole.freeze())
}

fn append(whole: &mut BytesMut, mut data: impl Buf) {
    while data.has_remaining() {
        let chunk = data.chunk();
        let length = chunk.len();
        whole.extend_from_slice(chunk);
        data.advance(length);
    }
}

/// The next piece that is not empty, if it is not larger than what is left.
async fn next<B>(mut body: Pin<&mut B>, left: usize) -> Result<Option<B::Data>, BodyError>
where
    B: Body<Error: Into<BoxError>>,
{
    while !body.is_end_stream() {
        let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await else { break };
        let frame = frame.map_err(|error| BodyError::Broken(error.into()))?;
        // Trailers say nothing that a service could read.
        let Ok(data) = frame.into_data() else { continue };
        if data.remaining() > left {
            return Err(BodyError::TooLarge);
        }
        if data.has_remaining() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::task::Context;

    use http_body::{Frame, SizeHint};
    use http_body_util::{Empty, Full};

    use super::*;
    use crate::budget::Budget;

    /// A body in pieces, of a length that nobody announced. A piece that is none keeps the reader waiting.
    struct Pieces(VecDeque<Option<&'static [u8]>>);

    impl Body for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            match self.0.front() {
                Some(Some(_)) => {}
                Some(None) => return Poll::Pending,
                None => return Poll::Ready(None),
            }
            Poll::Ready(self.0.pop_front().flatten().map(|piece| Ok(Frame::data(Bytes::from_static(piece)))))
        }

        fn size_hint(&self) -> SizeHint {
            SizeHint::default()
        }
    }

    const MINUTE: Duration = Duration::from_secs(60);

    fn pieces(pieces: impl IntoIterator<Item = &'static str>) -> Pieces {
        Pieces(pieces.into_iter().map(|piece| Some(piece.as_bytes())).collect())
    }

    #[track_caller]
    fn check<B>(body: B, limit: usize, expected: Option<&str>)
    where
        B: Body<Error: Into<BoxError>>,
    {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let budget = Budget::new(0);
        let mut share = budget.share();
        let result = runtime.block_on(read(pin!(body), limit, MINUTE, &mut share));
        match expected {
            Some(expected) => assert_eq!(result.unwrap(), expected),
            None => assert!(matches!(result, Err(BodyError::TooLarge)), "{result:?}"),
        }
    }

    #[test]
    fn bodies_within_and_beyond_the_limit() {
        check(Empty::<Bytes>::new(), 0, Some(""));
        check(Full::new(Bytes::from_static(b"four")), 4, Some("four"));
        check(Full::new(Bytes::from_static(b"four")), 3, None);
        check(pieces([]), 0, Some(""));
        check(pieces(["", "a", "", "bc", "d", ""]), 4, Some("abcd"));
        check(pieces(["abcd", "e"]), 4, None);
        check(pieces(["ab", "cd", "e"]), 4, None);
        check(pieces(["abcde"]), 4, None);
    }

    #[test]
    fn one_piece_is_not_copied() {
        let sent = Bytes::from(vec![b'x'; 100]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let budget = Budget::new(0);
        let mut share = budget.share();
        let read = runtime.block_on(read(pin!(Full::new(sent.clone())), 100, MINUTE, &mut share)).unwrap();
        assert_eq!(read.as_ptr(), sent.as_ptr());
    }

    #[tokio::test]
    async fn bodies_share_a_budget() {
        let budget = Budget::new(100_000);
        let large = Bytes::from(vec![b'x'; 60_000]);
        let chunks = || Pieces(std::iter::repeat_n(Some(&[b'x'; 10_000] as &[u8]), 6).collect());
        let (mut first, mut second) = (budget.share(), budget.share());
        assert!(read(pin!(Full::new(large.clone())), usize::MAX, MINUTE, &mut first).await.is_ok());
        let refused = read(pin!(Full::new(large.clone())), usize::MAX, MINUTE, &mut second).await;
        assert!(matches!(refused, Err(BodyError::Overloaded)), "{refused:?}");
        let refused = read(pin!(chunks()), usize::MAX, MINUTE, &mut second).await;
        assert!(matches!(refused, Err(BodyError::Overloaded)), "{refused:?}");
        // Nor are two pieces counted later than they come.
        let one = Pieces([Some(&[b'x'; 50_000] as &[u8]), None].into());
        let refused = read(pin!(one), usize::MAX, MINUTE, &mut second).await;
        assert!(matches!(refused, Err(BodyError::Overloaded)), "{refused:?}");
        let two = Pieces(std::iter::repeat_n(Some(&[b'x'; 30_000] as &[u8]), 2).collect());
        let refused = read(pin!(two), usize::MAX, MINUTE, &mut second).await;
        assert!(matches!(refused, Err(BodyError::Overloaded)), "{refused:?}");
        drop((first, second));
        let mut share = budget.share();
        assert!(read(pin!(chunks()), usize::MAX, MINUTE, &mut share).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_given_up() {
        let body = Pieces([Some(b"a".as_slice()), None].into());
        let begun = tokio::time::Instant::now();
        let budget = Budget::new(0);
        let mut share = budget.share();
        assert!(matches!(read(pin!(body), 10, MINUTE, &mut share).await, Err(BodyError::TooSlow)));
        assert_eq!(begun.elapsed(), MINUTE);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unwanted_body_is_taken_off_within_bounds() {
        let mut large = pieces(std::iter::repeat_n("0123456789", 10));
        discard(Pin::new(&mut large), &HeaderMap::new(), MINUTE).await;
        assert!(large.0.is_empty());

        let mut stalled = Pieces([Some(b"a".as_slice()), None].into());
        let begun = tokio::time::Instant::now();
        discard(Pin::new(&mut stalled), &HeaderMap::new(), MINUTE).await;
        assert_eq!(begun.elapsed(), PATIENCE);

        let mut withheld = pieces(["a"]);
        let waits = HeaderMap::from_iter([(header::EXPECT, http::HeaderValue::from_static("100-continue"))]);
        discard(Pin::new(&mut withheld), &waits, MINUTE).await;
        assert_eq!(withheld.0.len(), 1);
    }
}
