//! When jobs are due, by example and by property; and the runner on a paused clock.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cron;
mod log;
mod runner;
mod schedule;
mod support;
