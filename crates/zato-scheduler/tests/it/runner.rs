//! Runs are made at the right times, once.

use std::num::NonZeroU64;
use std::time::Duration;

use time::macros::datetime;
use zato_scheduler::{Cron, JobConfig, Progress, Schedule};

use crate::log::Log;
use crate::support::{House, START, assert_runs, every, job};

#[tokio::test(start_paused = true)]
async fn each_type_of_job_runs_when_it_is_due() {
    let house = House::new().await;
    house.scheduler.put(job(1, every(40, 0)));
    house.scheduler.put(job(2, Schedule::OneTime { start: START + Duration::from_secs(50) }));
    house.scheduler.put(job(3, Schedule::Cron(Cron::parse("*/1 * * * *").unwrap())));
    house.scheduler.put(job(4, Schedule::OneTime { start: START - Duration::from_secs(50) }));
    let runs = house.until(125).await;
    // Both the interval and the cron expression name the very beginning.
    let (mut first, rest) = (runs[..2].to_vec(), &runs[2..]);
    first.sort();
    assert_runs(&first, &[(0, 1, 1), (0, 3, 1)]);
    let expected = [(10, 4, 1), (40, 1, 2), (50, 2, 1), (60, 3, 2), (80, 1, 3)];
    assert_runs(&rest[..5], &expected);
    let mut last = rest[5..].to_vec();
    last.sort();
    assert_runs(&last, &[(120, 1, 4), (120, 3, 3)]);
}

#[tokio::test(start_paused = true)]
async fn repeats_end_a_job_also_over_a_restart() {
    let house = House::new().await;
    house.scheduler.put(job(1, every(10, 3)));
    assert_runs(&house.until(15).await, &[(0, 1, 1), (10, 1, 2)]);
    let again = house.beside().await;
    again.scheduler.replace_all(vec![job(1, every(10, 3))]);
    assert_runs(&house.stopped().await, &[]);
    again.leads.send_replace(true);
    assert_runs(&again.until(90).await, &[(20, 1, 3)]);
}

#[tokio::test(start_paused = true)]
async fn one_server_makes_the_runs() {
    let one = House::new().await;
    let two = one.beside().await;
    for house in [&one, &two] {
        house.scheduler.replace_all(vec![job(1, every(10, 0))]);
    }
    assert_runs(&one.until(5).await, &[(0, 1, 1)]);
    assert_runs(&two.until(15).await, &[]);
    // For a moment both believe that they lead: the store decides.
    two.leads.send_replace(true);
    let mut runs = one.until(35).await;
    runs.extend(two.until(35).await);
    runs.sort();
    assert_runs(&runs, &[(10, 1, 2), (20, 1, 3), (30, 1, 4)]);
    one.leads.send_replace(false);
    assert_runs(&two.until(45).await, &[(40, 1, 5)]);
    assert_runs(&one.until(45).await, &[]);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_edited_or_removed_runs_no_more_as_it_was() {
    let house = House::new().await;
    house.scheduler.put(job(1, every(10, 0)));
    house.scheduler.put(job(2, every(10, 0)));
    house.until(15).await;
    house.scheduler.remove(2);
    house.store.progress.lock().unwrap().remove(&1);
    let edited = JobConfig { name: "renamed".into(), ..job(1, every(7, 0)) };
    house.scheduler.put(edited);
    let runs = house.until(30).await;
    let seen: Vec<_> = runs.iter().map(|(second, name, run, _)| (*second, name.as_str(), *run)).collect();
    assert_eq!(seen, [(21, "renamed", 1), (28, "renamed", 2)]);
}

#[tokio::test(start_paused = true)]
async fn progress_that_others_made_is_believed() {
    let house = House::new().await;
    house.scheduler.put(job(1, every(10, 5)));
    house.until(5).await;
    let done = Progress { runs: 4, last_due: Some(datetime!(2026-03-01 12:00:10 UTC)) };
    house.store.progress.lock().unwrap().insert(1, done);
    assert_runs(&house.until(95).await, &[(20, 1, 5)]);
}

#[tokio::test(start_paused = true)]
async fn execute_runs_a_job_out_of_schedule() {
    let house = House::new().await;
    house.scheduler.put(job(1, every(10, 2)));
    house.until(3).await;
    house.scheduler.execute(1);
    house.scheduler.execute(999);
    assert_runs(&house.until(30).await, &[(3, 1, 0), (10, 1, 2)]);
    house.leads.send_replace(false);
    house.scheduler.execute(1);
    assert_runs(&house.until(31).await, &[(30, 1, 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_or_is_inactive_changes_no_schedule() {
    let (log, _guard) = Log::new();
    let house = House::new().await;
    house.scheduler.put(job(9, every(10, 0)));
    house.scheduler.put(JobConfig { service: "no.such".into(), ..job(2, every(10, 0)) });
    assert_runs(&house.until(15).await, &[(0, 9, 1), (10, 9, 2)]);
    let lines = log.take();
    let told = lines.iter().find(|line| line.contains("a job's service failed")).unwrap();
    assert!(told.contains("error=it fails") && told.contains("causes=\"no route to host\""), "{told}");
    let service = house.registry.find("record").unwrap();
    service.configure(1, false, Duration::from_secs(1));
    assert_runs(&house.until(25).await, &[]);
    service.configure(1, true, Duration::from_secs(1));
    assert_runs(&house.until(35).await, &[(30, 9, 4)]);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_is_believed() {
    let house = House::new().await;
    let every = NonZeroU64::new(600).unwrap();
    let ten_minutes = Schedule::Interval { start: START - Duration::from_secs(86_400), every, repeats: None };
    house.scheduler.put(job(1, ten_minutes));
    house.scheduler.put(job(2, Schedule::Cron(Cron::parse("30 * * * *").unwrap())));
    assert_runs(&house.until(5).await, &[(0, 1, 1)]);
    // Forward over several runs: what became due is run once, within a second.
    House::set_clock(3600);
    let mut runs = house.until(7).await;
    runs.sort_by_key(|run| run.1.clone());
    let seen: Vec<_> = runs.iter().map(|(_, name, run, _)| (name.as_str(), *run)).collect();
    assert_eq!(seen, [("job1", 2), ("job2", 1)]);
    assert!(runs.iter().all(|run| (3605..=3607).contains(&run.0)), "{runs:?}");
    // Back by two hours: the next runs are those of the new time.
    House::set_clock(-7200);
    assert_runs(&house.until(590).await, &[]);
    let runs = house.until(602).await;
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert_eq!((runs[0].0, runs[0].1.as_str()), (-3000, "job1"));
}

#[tokio::test(start_paused = true)]
async fn runs_wait_for_a_store_that_is_away() {
    let house = House::new().await;
    house.scheduler.put(job(1, every(10, 0)));
    assert_runs(&house.until(5).await, &[(0, 1, 1)]);
    *house.store.is_away.lock().unwrap() = true;
    assert_runs(&house.until(23).await, &[]);
    *house.store.is_away.lock().unwrap() = false;
    let runs = house.until(35).await;
    let seen: Vec<_> = runs.iter().map(|run| (run.0, run.2)).collect();
    assert_eq!(seen, [(24, 2), (30, 3)]);
}

#[tokio::test(start_paused = true)]
async fn each_outage_of_the_store_is_told_once() {
    let (log, _guard) = Log::new();
    let house = House::new().await;
    house.scheduler.put(job(1, every(10, 0)));
    house.until(5).await;
    for outage in 0..2 {
        *house.store.is_away.lock().unwrap() = true;
        house.until(15 + 20 * outage).await;
        let lines = log.take();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("the store is away"), "{lines:?}");
        // The next answer is that others have made the run.
        let made = Progress { runs: 9, last_due: Some(START + Duration::from_secs(10 + 20 * outage)) };
        house.store.progress.lock().unwrap().insert(1, made);
        *house.store.is_away.lock().unwrap() = false;
        house.until(18 + 20 * outage).await;
    }
    assert!(log.take().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_outlasts_the_leadership_brings_no_run_forward() {
    let house = House::new().await;
    house.scheduler.put(job(1, every(10, 0)));
    assert_runs(&house.until(5).await, &[(0, 1, 1)]);
    *house.store.pause.lock().unwrap() = Duration::from_secs(5);
    house.until(11).await;
    house.leads.send_replace(false);
    house.until(12).await;
    house.leads.send_replace(true);
    house.until(13).await;
    // The claim of ten seconds fails at fifteen. By then the run at twenty is queued, and those before are others' business.
    *house.store.is_away.lock().unwrap() = true;
    house.until(15).await;
    *house.store.is_away.lock().unwrap() = false;
    *house.store.pause.lock().unwrap() = Duration::ZERO;
    assert_runs(&house.until(35).await, &[(20, 1, 2), (30, 1, 3)]);
}

#[tokio::test(start_paused = true)]
async fn a_leader_waits_until_it_knows_what_was_done() {
    let house = House::new().await;
    let other = house.beside().await;
    house.until(0).await;
    *house.store.is_away.lock().unwrap() = true;
    other.scheduler.put(job(1, every(10, 0)));
    other.leads.send_replace(true);
    assert_runs(&other.until(23).await, &[]);
    *house.store.is_away.lock().unwrap() = false;
    assert_runs(&other.until(35).await, &[(30, 1, 1)]);
}
