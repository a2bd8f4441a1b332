//! Stops calling a peer that is out of order.
//!
//! Owns the state of the circuit. It sits outside of the time-out, so that a call which takes too long is a failure and one
//! that is refused has no clock to start, and inside of the counters.
//!
//! A circuit is *closed* at first: all calls go through and their endings are judged. When failures have become too many, it
//! *opens*: calls are refused at once, for as long as it is configured. After that it is *half-open*: a few calls go through to
//! try, the others are refused. If all of them succeed, it closes and forgets what was before; if one of them fails, it opens
//! again. A trial call that is dropped makes room for another one. Calls which went through before the state changed are not
//! judged any more.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{Request, Response};
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

use crate::error::Failure;
use crate::kind::HasKind;
use crate::timer::LONGEST;

/// When a circuit opens and how it closes again.
///
/// A call fails if the other side or the way to it is out of order ([`blames_peer`](crate::FailureKind::blames_peer)), or if its
/// status is 5xx. What the caller did wrong is not held against the other side, nor is a reply that is merely larger than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitBreaker {
    /// What is too much.
    pub trip: Trip,
    /// How long calls are refused then.
    pub open_for: Duration,
    /// How many calls are tried after that, and have to succeed.
    pub trials: u32,
}

impl Default for CircuitBreaker {
    /// Five failures one after the other, 30 seconds, one trial.
    fn default() -> Self {
        Self { trip: Trip::Consecutive { failures: 5 }, open_for: Duration::from_secs(30), trials: 1 }
    }
}

impl CircuitBreaker {
    pub(crate) fn is_valid(&self) -> bool {
        let trip = match self.trip {
            Trip::Consecutive { failures } => failures > 0,
            Trip::Ratio { percent, calls } => (1..=100).contains(&percent) && (1..=10_000).contains(&calls),
        };
        trip && self.trials > 0 && !self.open_for.is_zero()
    }
}

/// How many failures are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trip {
    /// So many without a success in between.
    Consecutive {
        /// At least 1.
        failures: u32,
    },
    /// A part of the last calls.
    Ratio {
        /// How many of a hundred calls, from 1 to 100.
        percent: u8,
        /// Of how many calls, from 1 to 10,000. Before there have been as many, the circuit stays closed.
        calls: usize,
    },
}

/// Marks a call that goes through whatever the state of the circuit is, and is not judged, such as a ping, which is to tell
/// whether the other side is back. It travels in the request's extensions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unjudged;

/// The circuit did not let a call through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the circuit is open; a call is tried in {retry_in:?}")]
pub struct CircuitOpen {
    /// After what time a call will be tried again; zero if the calls which try it are under way.
    pub retry_in: Duration,
}

impl From<CircuitOpen> for Failure {
    fn from(error: CircuitOpen) -> Self {
        Self::CircuitOpen { retry_in: error.retry_in }
    }
}

/// Makes [`Breaker`] services, which share one circuit.
///
/// Reads: [`Unjudged`].
///
/// ```
/// use http::{Request, Response};
/// use tower::{Service, ServiceExt, service_fn};
/// use tower_layer::Layer;
/// use zato_outgoing::Failure;
/// use zato_outgoing::layers::breaker::{BreakerLayer, CircuitBreaker, Trip};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let server = service_fn(async |_: Request<()>| Err::<Response<()>, _>(Failure::NoReply("closed".into())));
/// let policy = CircuitBreaker { trip: Trip::Consecutive { failures: 1 }, ..CircuitBreaker::default() };
/// let mut service = BreakerLayer::new(policy).layer(server);
/// assert!(matches!(service.call(Request::new(())).await, Err(Failure::NoReply(_))));
/// assert!(matches!(service.call(Request::new(())).await, Err(Failure::CircuitOpen { .. })));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BreakerLayer(Arc<Circuit>);

impl BreakerLayer {
    /// A closed circuit.
    pub fn new(policy: CircuitBreaker) -> Self {
        Self(Arc::new(Circuit { policy, state: Mutex::default() }))
    }
}

impl<S> Layer<S> for BreakerLayer {
    type Service = Breaker<S>;

    fn layer(&self, inner: S) -> Breaker<S> {
        Breaker { inner, circuit: Arc::clone(&self.0) }
    }
}

/// Refuses calls to `S` while its circuit is open.
#[derive(Clone, Debug)]
pub struct Breaker<S> {
    inner: S,
    circuit: Arc<Circuit>,
}

#[derive(Debug)]
struct Circuit {
    policy: CircuitBreaker,
    /// Locked for a few instructions at a time, never across a wait.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    position: Position,
    /// Counts the changes of the position, so that a call knows whether it still is to be judged.
    changes: u64,
}

#[derive(Debug)]
enum Position {
    Closed {
        /// Failures since the last success.
        consecutive: u32,
        /// Whether each of the last calls failed, if the policy asks for it.
        last: VecDeque<bool>,
        /// How many of them did.
        failed: usize,
    },
    Open {
        until: Instant,
    },
    HalfOpen {
        under_way: u32,
        succeeded: u32,
    },
}

impl Default for Position {
    fn default() -> Self {
        Self::Closed { consecutive: 0, last: VecDeque::new(), failed: 0 }
    }
}

impl State {
    fn change(&mut self, position: Position) {
        self.position = position;
        self.changes += 1;
    }
}

impl Circuit {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is consistent at every point at which a panic could leave the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(self: &Arc<Self>) -> Result<Passage, CircuitOpen> {
        let mut state = self.lock();
        if let Position::Open { until } = state.position {
            let retry_in = until.saturating_duration_since(Instant::now());
            if !retry_in.is_zero() {
                return Err(CircuitOpen { retry_in });
            }
            state.change(Position::HalfOpen { under_way: 0, succeeded: 0 });
        }
        if let Position::HalfOpen { under_way, succeeded } = &mut state.position {
            if *under_way + *succeeded >= self.policy.trials {
                return Err(CircuitOpen { retry_in: Duration::ZERO });
            }
            *under_way += 1;
        }
        Ok(Passage { circuit: Arc::clone(self), changes: state.changes, verdict: None })
    }

    fn leave(&self, changes: u64, verdict: Option<Verdict>) {
        let mut state = self.lock();
        if state.changes != changes {
            return;
        }
        let open = match (&mut state.position, verdict) {
            (Position::Closed { consecutive, last, failed }, Some(verdict)) => {
                let bad = verdict == Verdict::Bad;
                match self.policy.trip {
                    Trip::Consecutive { failures } => {
                        *consecutive = if bad { *consecutive + 1 } else { 0 };
                        *consecutive >= failures
                    }
                    Trip::Ratio { percent, calls } => {
                        if last.len() == calls {
                            *failed -= usize::from(last.pop_front() == Some(true));
                        }
                        last.push_back(bad);
                        *failed += usize::from(bad);
                        last.len() == calls && *failed * 100 >= usize::from(percent) * calls
                    }
                }
            }
            (Position::HalfOpen { under_way, succeeded }, verdict) => {
                *under_way -= 1;
                *succeeded += u32::from(verdict == Some(Verdict::Good));
                if *succeeded >= self.policy.trials {
                    state.change(Position::default());
                    return;
                }
                verdict == Some(Verdict::Bad)
            }
            (Position::Closed { .. }, None) | (Position::Open { .. }, _) => false,
        };
        if open {
            state.change(Position::Open { until: Instant::now() + self.policy.open_for.min(LONGEST) });
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Bad,
}

/// A call that went through. Dropping it tells the circuit how it ended, or that nobody knows.
#[derive(Debug)]
struct Passage {
    circuit: Arc<Circuit>,
    changes: u64,
    verdict: Option<Verdict>,
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.circuit.leave(self.changes, self.verdict);
    }
}

impl<S, B, R> Service<Request<B>> for Breaker<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: HasKind + From<CircuitOpen>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = BreakerFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let judged = request.extensions().get::<Unjudged>().is_none();
        match judged.then(|| self.circuit.enter()).transpose() {
            Ok(passage) => BreakerFuture { inner: Some(self.inner.call(request)), passage, refused: None },
            Err(error) => BreakerFuture { inner: None, passage: None, refused: Some(error) },
        }
    }
}

pin_project! {
    /// The future of [`Breaker`].
    #[derive(Debug)]
    pub struct BreakerFuture<F> {
        // Absent if the call is refused.
        #[pin]
        inner: Option<F>,
        // Given back when the call has ended.
        passage: Option<Passage>,
        refused: Option<CircuitOpen>,
    }
}

impl<F, R, E> Future for BreakerFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: HasKind + From<CircuitOpen>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(error) = this.refused.take() {
            return Poll::Ready(Err(error.into()));
        }
        let Some(inner) = this.inner.as_pin_mut() else { return Poll::Pending };
        let result = ready!(inner.poll(cx));
        if let Some(mut passage) = this.passage.take() {
            passage.verdict = match &result {
                Ok(response) if response.status().is_server_error() => Some(Verdict::Bad),
                Ok(_) => Some(Verdict::Good),
                Err(error) if error.kind().blames_peer() => Some(Verdict::Bad),
                // Nothing is known of the other side.
                Err(_) => None,
            };
        }
        Poll::Ready(result)
    }
}

#[cfg(test)]
mod tests {
    use tower::{ServiceExt, service_fn};

    use super::*;

    const OPEN_FOR: Duration = Duration::from_secs(30);

    /// The endings of calls, each of which is also the whole request.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Ends {
        Well,
        With5xx,
        Badly,
        /// By a mistake of the caller.
        Mistaken,
    }

    fn breaker(
        trip: Trip,
        trials: u32,
    ) -> Breaker<impl Service<Request<Ends>, Response = Response<()>, Error = Failure> + Clone> {
        let policy = CircuitBreaker { trip, open_for: OPEN_FOR, trials };
        BreakerLayer::new(policy).layer(service_fn(async |request: Request<Ends>| {
            match request.into_body() {
                Ends::Well => Ok(Response::new(())),
                Ends::With5xx => Ok(Response::builder().status(502).body(()).unwrap()),
                Ends::Badly => Err(Failure::NoReply("gone".into())),
                Ends::Mistaken => Err(Failure::Inactive),
            }
        }))
    }

    /// Makes calls that end as `endings`, and says after what time the next one will be tried, or `None` if at once.
    async fn after<S>(service: &Breaker<S>, endings: &[Ends]) -> Option<Duration>
    where
        S: Service<Request<Ends>, Response = Response<()>, Error = Failure> + Clone,
    {
        for ending in endings {
            let _result = service.clone().oneshot(Request::new(*ending)).await;
        }
        match service.clone().oneshot(Request::new(Ends::Mistaken)).await {
            Err(Failure::CircuitOpen { retry_in }) => Some(retry_in),
            _ => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn consecutive_failures() {
        use Ends::{Badly, Mistaken, Well, With5xx};
        let trip = Trip::Consecutive { failures: 3 };
        for (endings, opens) in [
            (&[Badly, With5xx, Badly][..], true),
            (&[Badly, Badly, Well, Badly, Badly][..], false),
            (&[Badly, Mistaken, Badly, Mistaken, Badly][..], true),
            (&[Mistaken, Mistaken, Mistaken, Mistaken][..], false),
        ] {
            assert_eq!(after(&breaker(trip, 1), endings).await, opens.then_some(OPEN_FOR), "{endings:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_ratio_of_the_last_calls() {
        use Ends::{Badly, Well};
        let trip = Trip::Ratio { percent: 50, calls: 4 };
        for (endings, opens) in [
            (&[Badly, Badly, Badly][..], false),
            (&[Badly, Badly, Well, Well][..], true),
            (&[Badly, Well, Well, Well, Badly, Well][..], false),
            (&[Badly, Well, Well, Well, Badly, Badly][..], true),
        ] {
            assert_eq!(after(&breaker(trip, 1), endings).await, opens.then_some(OPEN_FOR), "{endings:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_closes_when_all_trials_succeed() {
        let service = breaker(Trip::Consecutive { failures: 1 }, 2);
        assert_eq!(after(&service, &[Ends::Badly]).await, Some(OPEN_FOR));
        tokio::time::advance(OPEN_FOR / 3).await;
        assert_eq!(after(&service, &[]).await, Some(OPEN_FOR * 2 / 3));
        tokio::time::advance(OPEN_FOR).await;
        // One success is not enough, and a failure opens it again.
        assert_eq!(after(&service, &[Ends::Well, Ends::Badly]).await, Some(OPEN_FOR));
        tokio::time::advance(OPEN_FOR).await;
        assert_eq!(after(&service, &[Ends::Well, Ends::Well]).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_circuit_may_stay_open() {
        let trip = Trip::Consecutive { failures: 1 };
        let layer = BreakerLayer::new(CircuitBreaker { trip, open_for: Duration::MAX, trials: 1 });
        let failing = layer.layer(service_fn(async |_: Request<()>| {
            Err::<Response<()>, _>(Failure::NoReply("gone".into()))
        }));
        failing.clone().oneshot(Request::new(())).await.unwrap_err();
        tokio::time::advance(OPEN_FOR).await;
        let refused = failing.oneshot(Request::new(())).await.unwrap_err();
        assert!(matches!(refused, Failure::CircuitOpen { .. }), "{refused:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_calls_are_tried_than_allowed() {
        let policy =
            CircuitBreaker { trip: Trip::Consecutive { failures: 1 }, open_for: OPEN_FOR, trials: 1 };
        let layer = BreakerLayer::new(policy);
        let failing = layer.layer(service_fn(async |_: Request<()>| {
            Err::<Response<()>, _>(Failure::NoReply("gone".into()))
        }));
        let waiting = layer.layer(service_fn(async |_: Request<()>| {
            std::future::pending::<Result<Response<()>, Failure>>().await
        }));
        failing.clone().oneshot(Request::new(())).await.unwrap_err();
        tokio::time::advance(OPEN_FOR).await;
        let trial = tokio::spawn(waiting.oneshot(Request::new(())));
        tokio::task::yield_now().await;
        let refused = failing.clone().oneshot(Request::new(())).await.unwrap_err();
        assert!(matches!(refused, Failure::CircuitOpen { retry_in: Duration::ZERO }));
        // A trial that is given up makes room for another one.
        trial.abort();
        assert!(trial.await.unwrap_err().is_cancelled());
        assert!(matches!(failing.oneshot(Request::new(())).await, Err(Failure::NoReply(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_may_go_through_unjudged() {
        let service = breaker(Trip::Consecutive { failures: 1 }, 1);
        let unjudged = async |ends| {
            let mut request = Request::new(ends);
            request.extensions_mut().insert(Unjudged);
            service.clone().oneshot(request).await
        };
        assert!(unjudged(Ends::Badly).await.is_err());
        assert_eq!(after(&service, &[Ends::Badly]).await, Some(OPEN_FOR));
        assert!(unjudged(Ends::Well).await.is_ok());
        assert_eq!(after(&service, &[]).await, Some(OPEN_FOR));
    }

    #[test]
    fn policies_that_make_no_sense() {
        let sensible = CircuitBreaker::default();
        assert!(sensible.is_valid());
        for policy in [
            CircuitBreaker { trials: 0, ..sensible },
            CircuitBreaker { open_for: Duration::ZERO, ..sensible },
            CircuitBreaker { trip: Trip::Consecutive { failures: 0 }, ..sensible },
            CircuitBreaker { trip: Trip::Ratio { percent: 101, calls: 5 }, ..sensible },
            CircuitBreaker { trip: Trip::Ratio { percent: 50, calls: 0 }, ..sensible },
        ] {
            assert!(!policy.is_valid(), "{policy:?}");
        }
    }
}
