//! The clock of one connection.
//!
//! Owns how hyper's time-outs are waited for: with one timer of the runtime for a whole connection, which is moved only
//! when it runs out. A timer for each request would be set and taken back tens of thousands of times a second, and
//! hardly ever run out. It must not know what is timed.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// Times one thing at a time, such as the arrival of the next request's headers.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionTimer(Arc<Mutex<Option<Pin<Box<tokio::time::Sleep>>>>>);

impl Timer for ConnectionTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Wait { timer: self.clone(), deadline: deadline.into() })
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into()
    }
}

/// A wait for a point in time.
struct Wait {
    timer: ConnectionTimer,
    deadline: tokio::time::Instant,
}

impl Sleep for Wait {}

impl Future for Wait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut timer = self.timer.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sleep = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(self.deadline)));
        if sleep.deadline() > self.deadline {
            sleep.as_mut().reset(self.deadline);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if sleep.deadline() >= self.deadline {
                *timer = None;
                return Poll::Ready(());
            }
            sleep.as_mut().reset(self.deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_wait_ends_at_its_own_time() {
        let timer = ConnectionTimer::default();
        let begun = tokio::time::Instant::now();
        // One that is given up after it was begun, as most are.
        assert!(
            tokio::time::timeout(Duration::from_secs(5), timer.sleep(Duration::from_secs(60))).await.is_err()
        );
        timer.sleep(Duration::from_secs(60)).await;
        assert_eq!(begun.elapsed().as_secs(), 65);
        timer.sleep(Duration::from_secs(100)).await;
        assert_eq!(begun.elapsed().as_secs(), 165);
        assert!(
            tokio::time::timeout(Duration::from_secs(5), timer.sleep(Duration::from_secs(60))).await.is_err()
        );
        timer.sleep(Duration::from_secs(1)).await;
        assert_eq!(begun.elapsed().as_secs(), 171);
    }
}
