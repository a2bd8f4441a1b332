//! Timers for time-outs which hardly ever run out.
//!
//! Owns those that are free, and how long a wait may be. The runtime notes a timer down when it is first polled and crosses it out
//! when it is dropped, each time under a lock and next to the notes of other calls. Setting one that is noted down already to a later
//! time takes one atomic operation. So each thread keeps the timers of the calls that have ended for those that begin. It does not
//! know what is timed.

use std::cell::RefCell;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::task::coop;
use tokio::time::{Instant, Sleep, sleep_until};

/// A year: a longer wait makes no difference, but its end may not be a time that the clock can express.
pub(crate) const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How many free timers a thread keeps. Each one wakes the task of its last call once more when its time comes, for nothing,
/// and keeps the allocation of that task until then.
const KEPT: usize = 256;

thread_local! {
    static FREE: RefCell<Free> = const { RefCell::new(Free { runtime: None, timers: Vec::new() }) };
}

/// The free timers of a thread, all of one runtime.
struct Free {
    runtime: Option<Id>,
    timers: Vec<Pin<Box<Sleep>>>,
}

impl Free {
    /// A timer of `runtime`, if there is one. Those of another one, which may have ended, are of no use any more.
    fn take(&mut self, runtime: Id) -> Option<Pin<Box<Sleep>>> {
        if self.runtime != Some(runtime) {
            self.runtime = Some(runtime);
            self.timers.clear();
        }
        self.timers.pop()
    }

    fn give(&mut self, runtime: Id, timer: Pin<Box<Sleep>>) {
        if self.runtime == Some(runtime) && self.timers.len() < KEPT {
            self.timers.push(timer);
        }
    }
}

/// Has `act` do something with the free timers, unless the thread is about to end or it is they that are being dropped, with
/// a call that waited for one of them.
fn free<R>(act: impl FnOnce(&mut Free) -> R) -> Option<R> {
    FREE.try_with(|free| free.try_borrow_mut().ok().map(|mut free| act(&mut free))).ok().flatten()
}

/// A timer, to be polled in the runtime in which it was made.
#[derive(Debug)]
pub(crate) struct Timer {
    deadline: Instant,
    /// Set when the timer is waited for, which many calls never come to.
    sleep: Option<(Id, Pin<Box<Sleep>>)>,
}

impl Timer {
    /// Runs out at `deadline`.
    pub(crate) fn until(deadline: Instant) -> Self {
        Self { deadline, sleep: None }
    }

    /// Waits until the time is over.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (_, sleep) = self.sleep.get_or_insert_with(|| set(self.deadline));
        poll_in_time(sleep.as_mut(), cx)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some((runtime, sleep)) = self.sleep.take() {
            free(|free| free.give(runtime, sleep));
        }
    }
}

/// Polls a timer, also for a task that has used up what it may do at a time: it may be another side that never lets it rest.
#[inline]
pub(crate) fn poll_in_time(timer: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<()> {
    if coop::has_budget_remaining() { timer.poll(cx) } else { pin!(coop::unconstrained(timer)).poll(cx) }
}

fn set(deadline: Instant) -> (Id, Pin<Box<Sleep>>) {
    let runtime = Handle::current().id();
    let sleep = match free(|free| free.take(runtime)).flatten() {
        Some(mut sleep) => {
            sleep.as_mut().reset(deadline);
            sleep
        }
        None => Box::pin(sleep_until(deadline)),
    };
    (runtime, sleep)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::runtime::Builder;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    async fn wait(seconds: u32) {
        let begun = Instant::now();
        let mut timer = Timer::until(begun + SECOND * seconds);
        poll_fn(|cx| timer.poll(cx)).await;
        let waited = begun.elapsed();
        assert!(waited >= SECOND * seconds && waited < SECOND * (seconds + 1), "{waited:?}");
    }

    /// Begins to wait and gives up.
    async fn give_up(seconds: u32) {
        let mut timer = Timer::until(Instant::now() + SECOND * seconds);
        let pending = poll_fn(|cx| Poll::Ready(timer.poll(cx).is_pending())).await;
        assert!(pending);
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_is_used_again_runs_out_when_it_is_told_to() {
        for (first, second) in [(5, 9), (9, 5), (5, 5)] {
            give_up(first).await;
            wait(second).await;
            wait(first).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_runs_out_for_a_task_that_never_rests() {
        let mut timer = Timer::until(Instant::now() + SECOND);
        let mut rounds = 0;
        poll_fn(|cx| {
            rounds += 1;
            assert!(rounds < 10, "the timer does not run out");
            let mut restless = pin!(async {
                loop {
                    coop::consume_budget().await;
                }
            });
            assert!(restless.as_mut().poll(cx).is_pending());
            let polled = timer.poll(cx);
            if rounds == 1 {
                let _ = pin!(coop::unconstrained(tokio::time::advance(2 * SECOND))).poll(cx);
            }
            polled
        })
        .await;
    }

    #[test]
    fn timers_of_a_runtime_that_has_ended_are_not_used_again() {
        for _ in 0..3 {
            let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            runtime.block_on(async {
                give_up(60).await;
                wait(2).await;
                give_up(60).await;
            });
        }
    }
}
