//! Waiting for something that another process is about to do.

use std::thread;
use std::time::{Duration, Instant};

/// How long anything that must happen may take; only failing tests ever wait for that long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Asks until there is an answer, and fails the test when none came in time.
///
/// Events of another process have nothing to subscribe to, so this polls, at an interval that no test notices.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(3));
    }
}
