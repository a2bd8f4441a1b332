//! The service's part of a call.
//!
//! Owns what surrounds the service itself: its input, its reply, and its panics. It must not know who may call.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use zato_cid::Cid;
use zato_env::ZatoEnv;
use zato_service::{Context, Error, Input, Output, ResponseOptions};

use crate::channel::Channel;
use crate::codec::{Dialect, Encoded};
use crate::decode::{self, Payload};
use crate::failure::Failure;

/// Headers that frame the message. They are the connection's business; a service's idea of them could only be wrong.
const FRAMING: [HeaderName; 3] = [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];

/// Calls the channel's service and writes its reply.
pub(crate) async fn answer(
    channel: &Channel,
    context: &mut Context,
    payload: &Payload<'_>,
    body: &Bytes,
) -> Result<Response<Full<Bytes>>, Failure> {
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
    let output = channel.service.call(context, input).await.map_err(failed)?;
    let options = context.take_response();
    let cid = context.cid();
    reply(channel, cid, &*output, options, dialect).map_err(failed)
}

fn reply(
    channel: &Channel,
    cid: Cid,
    output: &dyn Output,
    options: ResponseOptions,
    dialect: Dialect,
) -> Result<Response<Full<Bytes>>, Error> {
    let status = options.status.unwrap_or(StatusCode::OK);
    let encoded = if status.is_client_error() && output.raw().is_some_and(|raw| raw.body.is_empty()) {
        // The service would not even look at the request: there is nothing to put into an envelope.
        Encoded { body: Bytes::new(), content_type: HeaderValue::from_static("text/plain") }
    } else {
        let mut env = ZatoEnv::ok(cid.as_str());
        if let Some((result, details)) = options.outcome {
            env.result = result;
            env.details = details.into();
        }
        channel.codec.encode(output, &env, dialect)?
    };
    let mut response = Response::new(Full::new(encoded.body));
    *response.status_mut() = status;
    *response.headers_mut() = headers(options.headers, encoded.content_type);
    Ok(response)
}

fn headers(mut headers: HeaderMap, content_type: HeaderValue) -> HeaderMap {
    if headers.is_empty() {
        // As many as most responses have: these two lines, the correlation id and the server.
        headers.reserve(3);
    } else {
        for name in FRAMING {
            headers.remove(name);
        }
    }
    headers.entry(header::CONTENT_TYPE).or_insert(content_type);
    headers
}

/// Turns a panic into a failure. What the panic says may hold anything, so it is for the log only.
pub(crate) async fn caught<T>(
    cid: Cid,
    call: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut call = pin!(call);
    poll_fn(|cx| {
        // What the call leaves half done is never looked at again, except for the request it was made with.
        catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx))).unwrap_or_else(|panic| {
            tracing::error!(%cid, panic = said(&*panic), "a service panicked");
            Poll::Ready(Err(Failure::panicked()))
        })
    })
    .await
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no text)")
}
