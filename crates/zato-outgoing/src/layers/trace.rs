//! Puts each call into a tracing span.
//!
//! Owns the names of the span's fields. It is outside of timing, so that the event at its end has the measured times and
//! everything that happens inside has the correlation id. Neither the path nor the query is recorded, because both may have
//! values in them which are nobody else's business.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;
use tracing::Span;

use crate::progress::Progress;

/// Makes [`Trace`] services.
///
/// The span is called `outgoing_call` and has the level DEBUG, so that it costs nothing where nobody looks at it. An event
/// of the same level tells how the call ended.
///
/// Reads: [`Cid`](zato_cid::Cid), or that of [`Progress`], and the timing of the reply in the [`Progress`] of the response.
///
/// ```
/// use http::{Request, Response};
/// use tower::{ServiceExt, service_fn};
/// use tower_layer::Layer;
/// use zato_outgoing::layers::trace::TraceLayer;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), std::io::Error> {
/// let inner = service_fn(async |_: Request<()>| Ok::<_, std::io::Error>(Response::new("reply")));
/// let response = TraceLayer::named("CRM".into()).layer(inner).oneshot(Request::new(())).await?;
/// assert_eq!(*response.body(), "reply");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TraceLayer {
    connection: Arc<str>,
}

impl TraceLayer {
    /// Names `connection` in each span.
    pub fn named(connection: Arc<str>) -> Self {
        Self { connection }
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = Trace<S>;

    fn layer(&self, inner: S) -> Trace<S> {
        Trace { inner, connection: Arc::clone(&self.connection) }
    }
}

/// Puts the calls to `S` into spans.
#[derive(Clone, Debug)]
pub struct Trace<S> {
    inner: S,
    connection: Arc<str>,
}

impl<S, B, R> Service<Request<B>> for Trace<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Error,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = TraceFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let span = tracing::debug_span!(
            "outgoing_call",
            connection = &*self.connection,
            cid = Progress::cid_of(request.extensions()).map(tracing::field::display),
            method = request.method().as_str(),
            host = request.uri().host(),
        );
        let inner = span.in_scope(|| self.inner.call(request));
        TraceFuture { inner, span }
    }
}

pin_project! {
    /// The future of [`Trace`].
    #[derive(Debug)]
    pub struct TraceFuture<F> {
        #[pin]
        inner: F,
        span: Span,
    }
}

impl<F, R, E> Future for TraceFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: Error,
{
    type Output = Result<Response<R>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _entered = this.span.enter();
        let result = ready!(this.inner.poll(cx));
        match &result {
            Ok(response) => {
                tracing::debug!(
                    status = response.status().as_u16(),
                    elapsed = elapsed(response).map(tracing::field::debug),
                    "the reply is there"
                );
            }
            Err(error) => tracing::debug!(%error, "the call failed"),
        }
        Poll::Ready(result)
    }
}

fn elapsed<R>(response: &Response<R>) -> Option<Duration> {
    let timing = response.extensions().get().and_then(Progress::reply_timing);
    timing.map(|timing| timing.total())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::io;
    use std::sync::Mutex;

    use tower::{ServiceExt, service_fn};
    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};
    use zato_cid::Cid;

    use super::*;

    /// Writes down spans and events, one a line.
    #[derive(Clone, Default)]
    struct Recorder(Arc<Mutex<String>>);

    impl Visit for Recorder {
        fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
            write!(self.0.lock().unwrap(), " {field}={value:?}").unwrap();
        }
    }

    impl Recorder {
        fn line(&self, text: &str, fields: impl FnOnce(&mut Self)) {
            self.0.lock().unwrap().push_str(text);
            fields(&mut self.clone());
            self.0.lock().unwrap().push('\n');
        }
    }

    impl Subscriber for Recorder {
        fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, span: &Attributes<'_>) -> Id {
            self.line(span.metadata().name(), |visitor| span.record(visitor));
            Id::from_u64(1)
        }

        fn record(&self, _span: &Id, _values: &Record<'_>) {}

        fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

        fn event(&self, event: &Event<'_>) {
            self.line("event", |visitor| event.record(visitor));
        }

        fn enter(&self, _span: &Id) {}

        fn exit(&self, _span: &Id) {}
    }

    const CID: &str = "K21353002988419985838198535608";

    async fn recorded(result: Result<(), io::Error>) -> String {
        let mut request = Request::put("http://example.com/path?query=value").body(()).unwrap();
        request.extensions_mut().insert(CID.parse::<Cid>().unwrap());
        record(request, result).await
    }

    async fn record(request: Request<()>, result: Result<(), io::Error>) -> String {
        let recorder = Recorder::default();
        let _default = tracing::subscriber::set_default(recorder.clone());
        let mut result = Some(result);
        let service = TraceLayer::named("CRM".into()).layer(service_fn(move |_: Request<()>| {
            let result = result.take().unwrap();
            async move { result.map(Response::new) }
        }));
        let _result = service.oneshot(request).await;
        recorder.0.lock().unwrap().clone()
    }

    #[tokio::test]
    async fn a_span_has_the_correlation_id_and_no_values_of_the_caller() {
        let span = "outgoing_call connection=\"CRM\" cid=K21353002988419985838198535608 method=\"PUT\" \
                    host=\"example.com\"\n";
        let replied = recorded(Ok(())).await;
        assert_eq!(replied, format!("{span}event message=the reply is there status=200\n"));
        let failed = recorded(Err(io::Error::other("no"))).await;
        assert_eq!(failed, format!("{span}event message=the call failed error=no\n"));
    }

    #[tokio::test]
    async fn the_correlation_id_may_be_in_the_calls_record() {
        let mut request = Request::new(());
        request.extensions_mut().insert(Progress::start_of(CID.parse().unwrap()));
        let recorded = record(request, Ok(())).await;
        assert!(recorded.starts_with(&format!("outgoing_call connection=\"CRM\" cid={CID} method=\"GET\"")));
    }
}
