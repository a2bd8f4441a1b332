//! Makes calls again which failed.
//!
//! Owns the decision whether a call may be made again, and when. It sits inside of the time-out and the X-Zato headers, so
//! that all attempts share one time and one time stamp, and outside of prefetch, so that a reply which breaks off can be asked
//! for again.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use http::header::RETRY_AFTER;
use http::{HeaderValue, Request, Response, StatusCode};
use pin_project_lite::pin_project;
use time::OffsetDateTime;
use tokio::time::{Sleep, sleep};
use tower_layer::Layer;
use tower_service::Service;

use super::replay::{Kept, TryClone};
use crate::clock::Clock;
use crate::kind::HasKind;
use crate::progress::Progress;
use crate::timer::LONGEST;

/// How calls are made again.
///
/// A call whose request was not sent may be made again whatever its method. One that may have been sent is made again only if
/// its method is idempotent (RFC 9110, 9.2.2), unless it is asked for: POST and PATCH could have their effect twice. The same
/// holds for the statuses 429 and 503, before whose `Retry-After` the call is not made again. What would not get better, such
/// as an untrusted certificate, and a request whose body can be sent only once are not tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How often a call is tried at most, the first time included.
    pub attempts: u32,
    /// The longest wait before the second attempt. It doubles with each further one, and each wait is a random part of it, so
    /// that callers which failed together do not come back together.
    pub backoff: Duration,
    /// The longest wait of all. A reply whose `Retry-After` is longer is handed out, and so is what a call ended with whose time
    /// would be over before the next attempt.
    pub max_wait: Duration,
    /// Which calls may be made again.
    pub methods: Retries,
    /// How many calls made again a hundred calls pay for. Ten more are free at first, and never more than a hundred are saved
    /// up. A peer that is out of order is so spared a multiple of its usual load.
    pub budget_percent: u32,
}

impl Default for Retry {
    /// Three attempts of idempotent calls, waits of 0.1 seconds at first and of 5 seconds at most, a budget of 20 percent.
    fn default() -> Self {
        Self {
            attempts: 3,
            backoff: Duration::from_millis(100),
            max_wait: Duration::from_secs(5),
            methods: Retries::Idempotent,
            budget_percent: 20,
        }
    }
}

/// Which calls may be made again. In a request's extensions it says so for one call, instead of the connection's setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retries {
    /// None, not even those that were not sent.
    Never,
    /// Those that were not sent and those with an idempotent method.
    Idempotent,
    /// All, also those whose effect may happen twice.
    Always,
}

/// A source of random numbers, so that tests decide how long waits are.
pub type Randomness = fn() -> u64;

/// The operating system's random numbers. Without any, every wait has its full length.
pub(crate) fn system_randomness() -> u64 {
    getrandom::u64().unwrap_or(u64::MAX)
}

/// Makes [`Again`] services, which share one budget.
///
/// Reads: [`Retries`], [`Progress`]. Without a [`Progress`], every request counts as sent.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use http::{Request, Response};
/// use tower::{ServiceExt, service_fn};
/// use tower_layer::Layer;
/// use zato_outgoing::{Failure, SystemClock};
/// use zato_outgoing::layers::retry::{Retry, RetryLayer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Failure> {
/// // A server that replies from the second call on.
/// let calls = Arc::new(AtomicUsize::new(0));
/// let server = service_fn(move |_: Request<()>| {
///     let first = calls.fetch_add(1, Ordering::Relaxed) == 0;
///     let result = if first { Err(Failure::NoReply("closed".into())) } else { Ok(Response::new("reply")) };
///     std::future::ready(result)
/// });
/// let retry = RetryLayer::new(Retry::default(), Arc::new(SystemClock));
/// let response = retry.layer(server).oneshot(Request::new(())).await?;
/// assert_eq!(*response.body(), "reply");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RetryLayer(Arc<Policy>);

#[derive(Debug)]
struct Policy {
    retry: Retry,
    budget: Budget,
    clock: Arc<dyn Clock>,
    randomness: Randomness,
}

impl RetryLayer {
    /// Makes calls again as `retry` says. `clock` is for dates in `Retry-After`.
    pub fn new(retry: Retry, clock: Arc<dyn Clock>) -> Self {
        Self::with_randomness(retry, clock, system_randomness)
    }

    /// The same, with waits which are the parts that `randomness` makes of the longest ones: all of it for `u64::MAX`.
    pub fn with_randomness(mut retry: Retry, clock: Arc<dyn Clock>, randomness: Randomness) -> Self {
        retry.backoff = retry.backoff.min(LONGEST);
        retry.max_wait = retry.max_wait.min(LONGEST);
        let budget = Budget::new(retry.budget_percent);
        Self(Arc::new(Policy { retry, budget, clock, randomness }))
    }
}

impl<S> Layer<S> for RetryLayer {
    type Service = Again<S>;

    fn layer(&self, inner: S) -> Again<S> {
        Again { inner, policy: Arc::clone(&self.0) }
    }
}

/// What may be spent on calls made again, in hundredths of a call.
#[derive(Debug)]
struct Budget {
    saved: AtomicU32,
    percent: u32,
}

impl Budget {
    const CALL: u32 = 100;
    const FREE: u32 = 10 * Self::CALL;
    const MOST: u32 = 100 * Self::CALL;

    fn new(percent: u32) -> Self {
        Self { saved: AtomicU32::new(Self::FREE), percent }
    }

    fn deposit(&self) {
        let add = |saved: u32| Some(saved.saturating_add(self.percent).min(Self::MOST.max(saved)));
        // The closure always has a value, so there is no failure to look at.
        let _before = self.saved.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    fn withdraw(&self) -> bool {
        let take = |saved: u32| saved.checked_sub(Self::CALL);
        self.saved.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

/// Makes calls to `S` again which failed.
#[derive(Clone, Debug)]
pub struct Again<S> {
    inner: S,
    policy: Arc<Policy>,
}

impl<S, B, R> Service<Request<B>> for Again<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: HasKind,
    B: TryClone,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = RetryFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.policy.budget.deposit();
        let methods = request.extensions().get().copied().unwrap_or(self.policy.retry.methods);
        // What cannot be made again need not be kept.
        let course =
            (methods != Retries::Never).then(|| Kept::of(&request)).filter(|kept| kept.body.is_some());
        let course = course.map(|kept| {
            Box::new(Course {
                service: self.inner.clone(),
                policy: Arc::clone(&self.policy),
                kept,
                methods,
                attempts: 1,
            })
        });
        RetryFuture { course, state: State::Trying { reply: self.inner.call(request) } }
    }
}

/// A call that may be made again.
#[derive(Debug)]
struct Course<S, B> {
    service: S,
    policy: Arc<Policy>,
    kept: Kept<B>,
    methods: Retries,
    attempts: u32,
}

impl<S, B> Course<S, B> {
    /// How long to wait before the call is made again, or `None` if it is not.
    fn wait<R, E: HasKind>(&mut self, result: &Result<Response<R>, E>) -> Option<Duration> {
        let retry = &self.policy.retry;
        if self.attempts >= retry.attempts {
            return None;
        }
        let earliest = match result {
            Ok(response) if self.may_repeat() && is_busy(response.status()) => {
                retry_after(response.headers().get(RETRY_AFTER), self.policy.clock.now())
            }
            Err(error) if error.kind().is_transient() && (self.may_repeat() || !self.was_sent()) => {
                Duration::ZERO
            }
            Ok(_) | Err(_) => return None,
        };
        if earliest > retry.max_wait {
            return None;
        }
        let doubled = retry.backoff.saturating_mul(1 << (self.attempts - 1).min(30)).min(retry.max_wait);
        let part = (self.policy.randomness)() as f64 / u64::MAX as f64;
        let wait = earliest.max(doubled.mul_f64(part));
        let has_time = self.progress().is_none_or(|progress| progress.has_time_for(wait));
        if !has_time || !self.policy.budget.withdraw() {
            return None;
        }
        self.attempts += 1;
        Some(wait)
    }

    /// Whether the effect of the call may happen twice.
    fn may_repeat(&self) -> bool {
        self.methods == Retries::Always || self.kept.method.is_idempotent()
    }

    fn was_sent(&self) -> bool {
        self.progress().is_none_or(Progress::sent_in_attempt)
    }

    fn progress(&self) -> Option<&Progress> {
        self.kept.extensions.get()
    }
}

fn is_busy(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
}

/// The wait that a `Retry-After` asks for (RFC 9110, 10.2.3): seconds or a date. What is neither asks for nothing.
fn retry_after(header: Option<&HeaderValue>, now: OffsetDateTime) -> Duration {
    let Some(text) = header.and_then(|value| value.to_str().ok()).map(str::trim) else {
        return Duration::ZERO;
    };
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that is too large is a long wait all the same.
        return Duration::from_secs(text.parse().unwrap_or(u64::MAX));
    }
    let date = httpdate::parse_http_date(text).ok();
    date.and_then(|date| date.duration_since(SystemTime::from(now)).ok()).unwrap_or_default()
}

pin_project! {
    /// The future of [`Again`].
    pub struct RetryFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        // Absent if the call is made only once. Boxed so that the future of a stack which has this layer as an option
        // stays small.
        course: Option<Box<Course<S, B>>>,
        #[pin]
        state: State<S::Future>,
    }
}

impl<S, B> std::fmt::Debug for RetryFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let attempts = self.course.as_ref().map(|course| course.attempts);
        f.debug_struct("RetryFuture").field("attempts", &attempts).finish_non_exhaustive()
    }
}

pin_project! {
    #[project = Projected]
    enum State<F> {
        // Waiting for the result of an attempt.
        Trying {
            #[pin]
            reply: F,
        },
        // Waiting until the next attempt may begin.
        Waiting {
            #[pin]
            sleep: Sleep,
        },
        // Waiting until the service can take the next attempt.
        Entering,
    }
}

impl<S, B, R> Future for RetryFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: HasKind,
    B: TryClone,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut state = this.state;
        loop {
            let next = match state.as_mut().project() {
                Projected::Trying { reply } => {
                    let result = ready!(reply.poll(cx));
                    let Some(course) = this.course else { return Poll::Ready(result) };
                    let Some(wait) = course.wait(&result) else { return Poll::Ready(result) };
                    tracing::debug!(?wait, attempts = course.attempts, "the call is made again");
                    State::Waiting { sleep: sleep(wait) }
                }
                Projected::Waiting { sleep } => {
                    ready!(sleep.poll(cx));
                    State::Entering
                }
                Projected::Entering => {
                    let Some(course) = this.course else { return Poll::Pending };
                    ready!(course.service.poll_ready(cx))?;
                    let Some(request) = course.kept.request() else { return Poll::Pending };
                    if let Some(progress) = course.progress() {
                        progress.next_attempt();
                    }
                    State::Trying { reply: course.service.call(request) }
                }
            };
            state.set(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use bytes::Bytes;
    use time::macros::datetime;
    use tower::{ServiceExt, service_fn};

    use super::*;
    use crate::body::Body;
    use crate::clock::fixed::FixedClock;
    use crate::error::Failure;

    /// What happens to an attempt.
    #[derive(Clone, Copy, Debug)]
    enum Attempt {
        Succeeds,
        /// It is never sent.
        Unsent,
        /// It is sent and has no reply.
        Unanswered,
        Untrusted,
        /// The status 503, with this `Retry-After`.
        Busy(&'static str),
    }

    #[derive(Debug, PartialEq, Eq)]
    struct Seen {
        attempts: u32,
        succeeded: bool,
        sent: bool,
        total: Duration,
    }

    const NOW: OffsetDateTime = datetime!(2015-10-21 07:28:00 UTC);

    fn layer(retry: Retry) -> RetryLayer {
        RetryLayer::with_randomness(retry, Arc::new(FixedClock(NOW)), || u64::MAX)
    }

    /// Makes a call whose attempts go as in `script`, in which the last one repeats.
    async fn call(layer: &RetryLayer, request: Request<Body>, script: &[Attempt]) -> Seen {
        call_within(Duration::MAX, layer, request, script).await
    }

    async fn call_within(
        time: Duration,
        layer: &RetryLayer,
        request: Request<Body>,
        script: &[Attempt],
    ) -> Seen {
        let script = Arc::new(Mutex::new(VecDeque::from(script.to_vec())));
        let service = layer.layer(service_fn(move |request: Request<Body>| {
            let mut script = script.lock().unwrap();
            let attempt = if script.len() > 1 { script.pop_front().unwrap() } else { script[0] };
            let progress = request.extensions().get::<Progress>().unwrap();
            progress.set_sent(!matches!(attempt, Attempt::Unsent | Attempt::Untrusted));
            std::future::ready(match attempt {
                Attempt::Succeeds => Ok(Response::new(())),
                Attempt::Unsent => Err(Failure::NotSent("closed".into())),
                Attempt::Unanswered => Err(Failure::NoReply("closed".into())),
                Attempt::Untrusted => Err(Failure::Tls("not trusted".into())),
                Attempt::Busy(after) => {
                    Ok(Response::builder().status(503).header(RETRY_AFTER, after).body(()).unwrap())
                }
            })
        }));
        let mut request = request;
        let progress = Progress::start();
        progress.set_time(time);
        request.extensions_mut().insert(progress.clone());
        let result = service.oneshot(request).await;
        let total = progress.timing().total();
        // The timer has a resolution of a millisecond.
        let total = Duration::from_millis(total.as_millis() as u64 / 50 * 50);
        let succeeded = result.is_ok_and(|response| response.status().is_success());
        Seen { attempts: progress.attempts(), succeeded, sent: progress.sent(), total }
    }

    fn request(method: &str) -> Request<Body> {
        Request::builder().method(method).body(Body::from(Bytes::from("body"))).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn which_calls_are_made_again() {
        use Attempt::{Succeeds, Unanswered, Unsent, Untrusted};
        for (method, script, attempts, succeeded) in [
            ("GET", &[Unanswered, Succeeds][..], 2, true),
            ("PUT", &[Unanswered, Unsent, Succeeds], 3, true),
            ("DELETE", &[Unanswered], 3, false),
            ("GET", &[Untrusted, Succeeds], 1, false),
            ("POST", &[Unsent, Succeeds], 2, true),
            ("POST", &[Unanswered, Succeeds], 1, false),
            ("POST", &[Unsent, Unanswered, Succeeds], 2, false),
            ("PATCH", &[Attempt::Busy("0"), Succeeds], 1, false),
            ("GET", &[Attempt::Busy("0"), Succeeds], 2, true),
        ] {
            let seen = call(&layer(Retry::default()), request(method), script).await;
            assert_eq!((seen.attempts, seen.succeeded), (attempts, succeeded), "{method} {script:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_may_be_as_long_as_it_is() {
        let retry = Retry { backoff: Duration::MAX, max_wait: Duration::MAX, ..Retry::default() };
        let script = [Attempt::Unanswered, Attempt::Succeeds];
        let seen = call(&layer(retry), request("GET"), &script).await;
        assert!(seen.succeeded);
        assert_eq!(seen.total.as_secs(), LONGEST.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_may_have_its_own_setting() {
        for (methods, method, attempt, attempts) in [
            (Retries::Never, "GET", Attempt::Unsent, 1),
            (Retries::Idempotent, "POST", Attempt::Unanswered, 1),
            (Retries::Always, "POST", Attempt::Unanswered, 3),
            (Retries::Always, "PATCH", Attempt::Busy("0"), 3),
        ] {
            let mut request = request(method);
            request.extensions_mut().insert(methods);
            assert_eq!(call(&layer(Retry::default()), request, &[attempt]).await.attempts, attempts);
        }
        let always = Retry { methods: Retries::Always, ..Retry::default() };
        assert_eq!(call(&layer(always), request("POST"), &[Attempt::Unanswered]).await.attempts, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_streamed_body_is_sent_once() {
        let stream = futures_util::stream::empty::<Result<Bytes, std::io::Error>>();
        let request = request("PUT").map(|_| Body::streamed(stream, None));
        assert_eq!(call(&layer(Retry::default()), request, &[Attempt::Unsent]).await.attempts, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn waits_double_up_to_the_longest_one() {
        let retry = Retry { attempts: 6, max_wait: Duration::from_millis(500), ..Retry::default() };
        let seen = call(&layer(retry), request("GET"), &[Attempt::Unsent]).await;
        assert_eq!(seen.total, Duration::from_millis(100 + 200 + 400 + 500 + 500));
        let none = RetryLayer::with_randomness(retry, Arc::new(FixedClock(NOW)), || 0);
        assert_eq!(call(&none, request("GET"), &[Attempt::Unsent]).await.total, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn callers_which_failed_together_do_not_come_back_together() {
        let layer = RetryLayer::new(
            Retry { backoff: Duration::from_secs(1000), max_wait: Duration::MAX, ..Retry::default() },
            Arc::new(FixedClock(NOW)),
        );
        let mut waits = Vec::new();
        for _ in 0..10 {
            waits.push(call(&layer, request("GET"), &[Attempt::Unsent, Attempt::Succeeds]).await.total);
        }
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(1001)), "{waits:?}");
        waits.sort_unstable();
        waits.dedup();
        assert!(waits.len() > 5, "{waits:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_other_side_may_ask_for_a_wait() {
        for (after, attempts, seconds) in [
            ("2", 2, 2),
            ("Wed, 21 Oct 2015 07:28:03 GMT", 2, 3),
            ("6", 1, 0),
            ("Wed, 21 Oct 2015 07:29:00 GMT", 1, 0),
            ("99999999999999999999999", 1, 0),
            ("soon", 2, 0),
            ("", 2, 0),
        ] {
            let script = [Attempt::Busy(after), Attempt::Succeeds];
            let seen = call(&layer(Retry::default()), request("GET"), &script).await;
            assert_eq!((seen.attempts, seen.total.as_secs()), (attempts, seconds), "{after}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_wait_is_longer_than_the_time_of_the_call() {
        for (time, attempt, attempts) in [
            (2000, Attempt::Busy("2"), 1),
            (2001, Attempt::Busy("2"), 2),
            (100, Attempt::Unsent, 1),
            (101, Attempt::Unsent, 2),
        ] {
            let layer = layer(Retry::default());
            let script = [attempt, Attempt::Succeeds];
            let seen = call_within(Duration::from_millis(time), &layer, request("GET"), &script).await;
            assert_eq!(seen.attempts, attempts, "{attempt:?} within {time} ms");
            // What is not begun is not paid for.
            let rest = layer.0.budget.saved.load(Ordering::Relaxed);
            assert_eq!(rest, Budget::FREE + 20 - (attempts - 1) * Budget::CALL);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_sent_before_stays_sent() {
        let seen =
            call(&layer(Retry::default()), request("GET"), &[Attempt::Unanswered, Attempt::Unsent]).await;
        assert!(seen.sent);
        assert!(!call(&layer(Retry::default()), request("GET"), &[Attempt::Unsent]).await.sent);
    }

    #[tokio::test(start_paused = true)]
    async fn the_budget_is_kept() {
        let layer = layer(Retry { attempts: 2, budget_percent: 50, ..Retry::default() });
        let mut retries = 0;
        for _ in 0..100 {
            retries += call(&layer, request("GET"), &[Attempt::Unsent]).await.attempts - 1;
        }
        // Ten are free, and a hundred calls pay for fifty.
        assert_eq!(retries, 60);
        for _ in 0..10 {
            call(&layer, request("GET"), &[Attempt::Succeeds]).await;
        }
        let seen = call(&layer, request("GET"), &[Attempt::Unsent, Attempt::Succeeds]).await;
        assert!(seen.succeeded);
    }
}
