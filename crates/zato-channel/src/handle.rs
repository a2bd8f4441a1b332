//! The service's part of a call.
//!
//! Owns what surrounds the service itself: its input, its reply, and its panics. It must not know who may call.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use zato_cid::Cid;
use zato_env::ZatoEnv;
use zato_service::{Context, Error, Input, Output, ResponseOptions};

use crate::channel::Channel;
use crate::codec::{Begun, Dialect, Encoded, ListRest};
use crate::decode::{self, Payload};
use crate::failure::Failure;

/// Headers that frame the message. They are the connection's business; a service's idea of them could only be wrong.
const FRAMING: [HeaderName; 3] = [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];

/// For how many headers the map of a request may have room that becomes the map of its reply. A larger one would stay with
/// its connection.
const MAXIMUM_SPARE: usize = 32;

/// A service's answer, written as its channel writes replies.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: ReplyHeaders,
    pub(crate) body: Body,
}

/// What is in the head of a reply because of its service.
pub(crate) struct ReplyHeaders {
    /// Those that the service adds.
    own: HeaderMap,
    /// That of the channel's data format, which one of the service's own wins over.
    content_type: HeaderValue,
}

/// A reply's body as a service's answer leads to it.
pub(crate) enum Body {
    /// All of it.
    Whole(Bytes),
    /// Piece by piece; the next one is made when it is asked for.
    Pieces(Pieces),
}

/// A body that is made while it is sent.
pub(crate) type Pieces = BoxStream<'static, Result<Bytes, Failure>>;

/// Calls the channel's service and writes its reply.
pub(crate) async fn answer(
    channel: &Channel,
    context: &mut Context,
    payload: &Payload<'_>,
    body: &Bytes,
) -> Result<Reply, Failure> {
    let root = payload.root(&channel.service)?;
    let dialect = decode::dialect(root);
    let failed = |error: Error| Failure::from(error).in_dialect(dialect);
    let message = payload.input(root, body);
    let elements = channel.url_parameters.elements(context.origin());
    let input = match &elements {
        None => message,
        Some(elements) => {
            Input::With { payload: &message, elements, precedence: channel.url_parameters.message }
        }
    };
    let mut output = channel.service.call(context, input).await.map_err(failed)?;
    if is_without_pieces(context)
        && let Some(batches) = output.batches()
    {
        batches.complete().await.map_err(failed)?;
    }
    let options = context.take_response();
    let cid = context.cid();
    reply(channel, cid, output, options, dialect).map_err(failed)
}

/// Whether the caller would take a body that breaks off for a whole one: in HTTP/1.0 the end of the connection is all that
/// tells the end of a body whose length is not known before.
fn is_without_pieces(context: &Context) -> bool {
    context.origin().request.as_ref().is_some_and(|request| request.version < Version::HTTP_11)
}

fn reply(
    channel: &Channel,
    cid: Cid,
    mut output: Box<dyn Output>,
    options: ResponseOptions,
    dialect: Dialect,
) -> Result<Reply, Error> {
    let status = options.status.unwrap_or(StatusCode::OK);
    let (body, content_type) =
        if status.is_client_error() && output.raw().is_some_and(|raw| raw.body.is_empty()) {
            // The service would not even look at the request: there is nothing to put into an envelope.
            (Body::Whole(Bytes::new()), HeaderValue::from_static("text/plain"))
        } else {
            let mut env = ZatoEnv::ok(cid.as_str());
            if let Some((result, details)) = options.outcome {
                env.result = result;
                env.details = details.into();
            }
            if output.batches().is_some() {
                let Begun { beginning, rest } = channel.codec.begin(&*output, &env, dialect)?;
                (Body::Pieces(pieces(cid, beginning.body, output, rest)), beginning.content_type)
            } else {
                let Encoded { body, content_type } = channel.codec.encode(&*output, &env, dialect)?;
                (Body::Whole(body), content_type)
            }
        };
    Ok(Reply { status, headers: ReplyHeaders { own: options.headers, content_type }, body })
}

/// The beginning of a reply, then a piece for each batch that is left of its list. A batch is read when its piece is asked
/// for, and forgotten when it is written.
fn pieces(cid: Cid, beginning: Bytes, output: Box<dyn Output>, rest: ListRest) -> Pieces {
    // Batches are about as long as one another.
    let capacity = beginning.len();
    let later = stream::try_unfold(Some(output), move |output| {
        let rest = rest.clone();
        async move {
            let piece = pin!(async move {
                let Some(mut output) = output else { return Ok(None) };
                let mut piece = Vec::with_capacity(capacity);
                if let Some(batches) = output.batches()
                    && batches.next().await?
                {
                    rest.write(batches, &mut piece).map_err(Error::from)?;
                }
                let goes_on = output.batches().is_some();
                if !goes_on {
                    rest.end(&mut piece);
                }
                Ok(Some((Bytes::from(piece), goes_on.then_some(output))))
            });
            caught(cid, piece).await
        }
    });
    stream::once(std::future::ready(Ok(beginning))).chain(later).boxed()
}

impl ReplyHeaders {
    /// All of them in one map. Most services add none: then that of the request is used again, which has room already.
    pub(crate) fn into_map(self, request: Option<&mut HeaderMap>) -> HeaderMap {
        let mut headers = self.own;
        if headers.is_empty() {
            if let Some(request) = request
                && request.capacity() <= MAXIMUM_SPARE
            {
                headers = std::mem::take(request);
                headers.clear();
            }
            // As many as most responses have: this line, the correlation id and the server.
            headers.reserve(3);
            headers.insert(header::CONTENT_TYPE, self.content_type);
        } else {
            for name in FRAMING {
                headers.remove(name);
            }
            headers.entry(header::CONTENT_TYPE).or_insert(self.content_type);
        }
        headers
    }
}

/// Turns a panic into a failure. What the panic says may hold anything, so it is for the log only.
pub(crate) fn caught<T>(
    cid: Cid,
    mut call: Pin<&mut impl Future<Output = Result<T, Failure>>>,
) -> impl Future<Output = Result<T, Failure>> {
    poll_fn(move |cx| {
        // What the call leaves half done is never looked at again, except for the request it was made with.
        catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx))).unwrap_or_else(|panic| {
            tracing::error!(%cid, panic = said(&*panic), "a service panicked");
            Poll::Ready(Err(Failure::panicked()))
        })
    })
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no text)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(
        own: &'static [(&'static str, &'static str)],
        request_capacity: usize,
        expected: &[(&str, &str)],
    ) {
        let pair = |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
        let content_type = HeaderValue::from_static("application/json");
        let headers = ReplyHeaders { own: own.iter().map(pair).collect(), content_type };
        let mut request = HeaderMap::with_capacity(request_capacity);
        for value in ["a", "b"] {
            request.append(header::HOST, HeaderValue::from_static(value));
        }
        let is_spare = own.is_empty() && request.capacity() <= MAXIMUM_SPARE;
        let map = headers.into_map(Some(&mut request));
        let found: Vec<_> =
            map.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(found, expected);
        assert_eq!(request.is_empty(), is_spare);
    }

    #[test]
    fn a_reply_takes_the_map_of_its_request_but_nothing_in_it() {
        check(&[], 2, &[("content-type", "application/json")]);
        check(&[], 100, &[("content-type", "application/json")]);
        check(&[("etag", "1")], 2, &[("etag", "1"), ("content-type", "application/json")]);
        check(&[("content-type", "a/b"), ("content-length", "1")], 2, &[("content-type", "a/b")]);
    }
}
