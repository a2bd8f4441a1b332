//! When the next run of a job is due.

use std::num::NonZeroU64;

use proptest::prelude::*;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use zato_scheduler::{Cron, Progress, Schedule};
use zato_service::JobType;

const NEW: Progress = Progress { runs: 0, last_due: None };
const NOW: OffsetDateTime = datetime!(2026-03-01 12:00:00 UTC);

fn seconds(seconds: i64) -> Duration {
    Duration::seconds(seconds)
}

fn interval(start: OffsetDateTime, every: u64, repeats: u64) -> Schedule {
    Schedule::Interval { start, every: NonZeroU64::new(every).unwrap(), repeats: NonZeroU64::new(repeats) }
}

fn after(runs: u64, last_due: OffsetDateTime) -> Progress {
    Progress { runs, last_due: Some(last_due) }
}

#[track_caller]
fn check(schedule: &Schedule, now: OffsetDateTime, progress: Progress, expected: Option<OffsetDateTime>) {
    assert_eq!(schedule.next(now, now, &progress), expected, "{schedule:?} at {now} after {progress:?}");
}

#[test]
fn a_one_time_job_runs_once_even_if_it_is_late() {
    let job = |start| Schedule::OneTime { start };
    check(&job(NOW + seconds(5)), NOW, NEW, Some(NOW + seconds(5)));
    check(&job(NOW), NOW, NEW, Some(NOW + seconds(10)));
    check(&job(NOW - seconds(999)), NOW, NEW, Some(NOW + seconds(10)));
    check(&job(NOW + seconds(5)), NOW, after(1, NOW), None);
    // Looked at again later, it does not get another ten seconds.
    let late = job(NOW - seconds(999));
    assert_eq!(late.next(NOW + seconds(4), NOW, &NEW), Some(NOW + seconds(10)));
    assert_eq!(late.next(NOW + seconds(40), NOW, &NEW), Some(NOW + seconds(40)));
    assert_eq!(late.job_type(), JobType::OneTime);
}

#[test]
fn an_interval_keeps_its_phase() {
    check(&interval(NOW + seconds(3), 60, 0), NOW, NEW, Some(NOW + seconds(3)));
    check(&interval(NOW, 60, 0), NOW, NEW, Some(NOW));
    check(&interval(NOW, 60, 0), NOW, after(1, NOW), Some(NOW + seconds(60)));
    check(&interval(NOW - seconds(10), 60, 0), NOW, NEW, Some(NOW + seconds(50)));
    check(&interval(NOW - seconds(610), 60, 0), NOW, after(7, NOW - seconds(200)), Some(NOW + seconds(50)));
    check(&interval(NOW - seconds(600), 60, 0), NOW, after(9, NOW - seconds(60)), Some(NOW));
    assert_eq!(interval(NOW, 1, 0).job_type(), JobType::IntervalBased);
}

#[test]
fn repeats_are_counted() {
    let start = NOW - seconds(30);
    check(&interval(start, 60, 2), NOW, NEW, Some(NOW + seconds(30)));
    check(&interval(start, 60, 2), NOW, after(1, start), Some(NOW + seconds(30)));
    check(&interval(start, 60, 2), NOW, after(2, start), None);
    // A series all of whose times have passed is over, and so is one that missed all that it had left.
    check(&interval(NOW - seconds(121), 60, 2), NOW, NEW, None);
    check(&interval(NOW - seconds(600), 60, 5), NOW, after(3, NOW - seconds(121)), None);
    check(&interval(NOW - seconds(600), 60, 5), NOW, after(3, NOW - seconds(120)), Some(NOW));
}

#[test]
fn a_time_that_was_served_is_not_served_again() {
    let hourly = Schedule::Cron(Cron::parse("@hourly").unwrap());
    check(&hourly, NOW, NEW, Some(NOW));
    check(&hourly, NOW, after(1, NOW), Some(NOW + seconds(3600)));
    // The clock was put back: a little, then a lot.
    check(&hourly, NOW - seconds(60), after(1, NOW), Some(NOW + seconds(3600)));
    check(&hourly, NOW - seconds(86_400), after(1, NOW), Some(NOW - seconds(86_400)));
    let every_minute = interval(NOW - seconds(86_400 * 2), 60, 0);
    check(&every_minute, NOW - seconds(30), after(1, NOW), Some(NOW + seconds(60)));
    check(&every_minute, NOW - seconds(3600), after(1, NOW), Some(NOW - seconds(3600)));
    assert_eq!(hourly.job_type(), JobType::CronStyle);
}

#[test]
fn the_ends_of_time_are_no_trouble() {
    let last = OffsetDateTime::new_utc(time::Date::MAX, time::Time::MIDNIGHT);
    let first = OffsetDateTime::new_utc(time::Date::MIN, time::Time::MIDNIGHT);
    check(&interval(last, u64::MAX, u64::MAX), NOW, NEW, None);
    check(&interval(first, 1, 1), NOW, NEW, None);
    check(&interval(first, i64::MAX as u64, 0), NOW, NEW, None);
    check(&Schedule::OneTime { start: first }, last + seconds(86_399), NEW, None);
}

fn instant() -> impl Strategy<Value = OffsetDateTime> {
    (1_500_000_000_i64..2_000_000_000, 0_u32..1_000_000).prop_map(|(seconds, microseconds)| {
        OffsetDateTime::from_unix_timestamp(seconds).unwrap() + Duration::microseconds(microseconds.into())
    })
}

proptest! {
    /// Runs of an interval-based job, followed from run to run: each is a whole number of intervals after the start, comes
    /// after the one before, is not before now, and leaves out none that is to come.
    #[test]
    fn an_interval_is_met_every_time(start in instant(), now in instant(), every in 1_u64..5_000_000, late in 0_u32..2_000) {
        let schedule = interval(start, every, 0);
        let (mut now, mut progress) = (now, NEW);
        for _ in 0..5 {
            let due = schedule.next(now, now, &progress).unwrap();
            prop_assert!(due >= now && due >= start);
            prop_assert_eq!((due - start).whole_nanoseconds() % (i128::from(every) * 1_000_000_000), 0);
            let first = now.max(progress.last_due.map_or(start, |last| last + Duration::nanoseconds(1)));
            prop_assert!(due - first < Duration::seconds(every as i64), "{due} {first}");
            progress = Progress { runs: progress.runs + 1, last_due: Some(due) };
            now = due + Duration::milliseconds(late.into());
        }
    }

    #[test]
    fn a_series_has_as_many_runs_as_it_says(start in instant(), before in 0_i64..9_000, every in 1_u64..1_000, repeats in 1_u64..9) {
        let schedule = interval(start, every, repeats);
        let (mut now, mut progress) = (start - Duration::seconds(before), NEW);
        while let Some(due) = schedule.next(now, now, &progress) {
            progress = Progress { runs: progress.runs + 1, last_due: Some(due) };
            now = due;
        }
        prop_assert_eq!(progress.runs, repeats);
        prop_assert_eq!(progress.last_due, Some(start + Duration::seconds((every * (repeats - 1)) as i64)));
    }

    #[test]
    fn no_schedule_is_due_in_the_past(start in instant(), now in instant(), learned in instant(), runs in 0_u64..3, last in instant(), every in 1_u64..99_999) {
        let progress = Progress { runs, last_due: (runs > 0).then_some(last) };
        for schedule in [
            Schedule::OneTime { start },
            interval(start, every, 0),
            interval(start, every, 2),
            Schedule::Cron(Cron::parse("*/5 3,4 * * *").unwrap()),
        ] {
            let next = schedule.next(now, learned, &progress);
            prop_assert!(next.is_none_or(|next| next >= now), "{schedule:?} {next:?}");
        }
    }
}
