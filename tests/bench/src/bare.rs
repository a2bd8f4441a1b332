//! hyper and nothing else, replying bytes that it was given: the baseline of inbound calls, and the peer of outgoing ones.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::Error;

/// What the bare server replies at a path.
#[derive(Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

type Replies = HashMap<String, (HeaderMap, Bytes)>;

/// A baseline uses every core, and sleeps when there is nothing to do.
///
/// A peer is `awake` instead: it has one thread, which looks for requests without end. Otherwise whoever sends a request would pay for
/// waking it, and a slow client more often than a fast one, because the peer falls asleep between its requests. With a peer on
/// another machine no client pays for that.
pub(crate) fn serve(file: &Path, awake: bool) -> Result<(), Error> {
    let replies: HashMap<String, Reply> = serde_json::from_slice(&std::fs::read(file)?)?;
    let replies: Replies =
        replies.into_iter().map(|(path, reply)| Ok((path, prepare(reply)?))).collect::<Result<_, Error>>()?;
    let replies = Arc::new(replies);
    if awake {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.spawn(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
        runtime.block_on(serve_until_told(replies))
    } else {
        tokio::runtime::Runtime::new()?.block_on(serve_until_told(replies))
    }
}

async fn serve_until_told(replies: Arc<Replies>) -> Result<(), Error> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        served = accept(replies) => served,
        _ = terminate.recv() => Ok(()),
    }
}

fn prepare(reply: Reply) -> Result<(HeaderMap, Bytes), Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in reply.headers {
        headers.append(name.parse::<HeaderName>()?, value.parse::<HeaderValue>()?);
    }
    Ok((headers, Bytes::from(reply.body)))
}

async fn accept(replies: Arc<Replies>) -> Result<(), Error> {
    let socket = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", socket.local_addr()?);
    loop {
        let (stream, _) = socket.accept().await?;
        stream.set_nodelay(true)?;
        let replies = Arc::clone(&replies);
        let service = service_fn(move |request: Request<Incoming>| {
            let replies = Arc::clone(&replies);
            async move { Ok::<_, Infallible>(reply(request, &replies).await) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn reply(request: Request<Incoming>, replies: &Replies) -> Response<Full<Bytes>> {
    let found = replies.get(request.uri().path()).cloned();
    // The body is read because every server has to.
    drop(request.into_body().collect().await);
    let (headers, body) = found.unwrap_or_default();
    let mut response = Response::new(Full::new(body));
    *response.headers_mut() = headers;
    response
}
