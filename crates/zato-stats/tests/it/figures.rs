//! A list of calls is recorded, its figures are computed in two ways: by the jobs, and here, from the list itself.

use std::collections::BTreeMap;

use proptest::prelude::*;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use zato_kvdb::Write;
use zato_stats::{Aggregate, Period, Ranking, Stats};

use crate::support::{House, set_clock};

/// A call: when it ended, in minutes after the beginning, which service, and how long it took in milliseconds.
type Call = (i64, usize, u64);

const NAMES: [&str; 3] = ["crm.get", "crm:set", "erp"];
const BEGIN: OffsetDateTime = datetime!(2026-03-04 10:00 UTC);

/// Records calls as they come, and runs the job by minute every minute.
async fn record(house: &House, calls: &[Call]) {
    let mut by_minute: BTreeMap<i64, Vec<Call>> = BTreeMap::new();
    for call in calls {
        by_minute.entry(call.0).or_default().push(*call);
    }
    let last = by_minute.keys().last().copied().unwrap_or(0);
    for minute in 0..=last + 3 {
        set_clock(BEGIN + Duration::minutes(minute) + Duration::seconds(20));
        for (_, service, milliseconds) in by_minute.get(&minute).into_iter().flatten() {
            house.note(*service, *milliseconds);
        }
        house.stats.flush().await.unwrap();
        house.stats.aggregate_by_minute().await.unwrap();
    }
}

/// As a time is stored: 1 counts as none at all.
fn stored(milliseconds: u64) -> u64 {
    if milliseconds <= 1 { 0 } else { milliseconds }
}

fn mean(times: &[u64]) -> f64 {
    times.iter().sum::<u64>() as f64 / times.len() as f64
}

/// The times of a service in each minute of the first so many.
fn minutes(calls: &[Call], service: usize, count: i64) -> Vec<Vec<u64>> {
    let of = |minute| calls.iter().filter(move |call| call.0 == minute && call.1 == service);
    (0..count).map(|minute| of(minute).map(|call| stored(call.2)).collect()).collect()
}

fn close(one: f64, other: f64, tolerance: f64) -> bool {
    (one - other).abs() <= tolerance
}

async fn field(stats: &House, key: &str, field: &str) -> Option<f64> {
    let text = stats.kvdb.hash_get(key, field).await.unwrap()?;
    Some(String::from_utf8(text).unwrap().parse().unwrap())
}

/// All-time figures before and after the job that adds them up, which may cut its work into batches.
async fn check_all_time(house: &House, calls: &[Call], batch: u64) {
    for round in 0..3 {
        for (service, name) in NAMES.iter().enumerate() {
            let times: Vec<u64> = calls.iter().filter(|it| it.1 == service).map(|it| stored(it.2)).collect();
            let found = house.stats.all_time(name).await.unwrap();
            let expected =
                (times.iter().min().copied().unwrap_or(0), times.iter().max().copied().unwrap_or(0));
            assert_eq!((found.minimum, found.maximum), expected, "{name} {round}");
            let expected = if times.is_empty() { 0.0 } else { mean(&times) };
            assert!(close(found.mean, expected, 1e-6), "{name} {round}: {} {expected}", found.mean);
        }
        house.stats.process_raw_times(batch).await.unwrap();
    }
}

async fn check_trends(stats: &Stats, calls: &[Call]) {
    let (start, stop) = (BEGIN, BEGIN + Duration::minutes(30));
    let reports = stats.trends(start, stop, &Ranking::default()).await.unwrap();
    let (mut all_usage, mut all_time, mut all_means) = (0, 0.0, Vec::new());
    for (service, name) in NAMES.iter().enumerate() {
        let slots = minutes(calls, service, 30);
        let usage: usize = slots.iter().map(Vec::len).sum();
        let report = reports.iter().find(|report| report.service_name == *name);
        assert_eq!(report.is_some(), usage > 0, "{name}");
        let Some(report) = report else { continue };
        let trend: Vec<u64> = slots.iter().map(|slot| slot.len() as u64).collect();
        assert_eq!((report.usage, &report.usage_trend), (usage as u64, &trend));
        let means: Vec<f64> = slots.iter().filter(|slot| !slot.is_empty()).map(|slot| mean(slot)).collect();
        let shown = means.iter().map(|mean| mean.floor()).sum::<f64>() / 30.0;
        assert!(close(report.mean, shown, 0.0051), "{name}: {} {shown}", report.mean);
        assert!(close(report.rate, usage as f64 / 1800.0, 0.0051), "{name}");
        let time: u64 = slots.iter().flatten().sum();
        assert!(close(report.time, time as f64, 0.001), "{name}: {} {time}", report.time);
        assert_eq!(Some(report.minimum as u64), slots.iter().flatten().min().copied());
        assert_eq!(Some(report.maximum as u64), slots.iter().flatten().max().copied());
        (all_usage, all_time) = (all_usage + usage as u64, all_time + report.time);
        all_means.extend(means);
        assert_eq!(stats.by_service(start, stop, name).await.unwrap().unwrap().usage, report.usage);
    }
    for report in &reports {
        assert_eq!((report.all_services_usage, report.all_services_time), (all_usage, all_time as u64));
        assert!(close(report.usage_share, 100.0 * report.usage as f64 / all_usage as f64, 0.0051));
        let expected = all_means.iter().sum::<f64>() / all_means.len() as f64;
        assert!(close(report.mean_all_services, expected, 1e-6));
    }
}

/// Figures by hour, day and month, and the summaries that are made while not all of these are there.
async fn check_aggregates(house: &House, calls: &[Call]) {
    let stats = &house.stats;
    set_clock(datetime!(2026-03-04 10:55 UTC));
    stats.summarize(Period::Day).await.unwrap();
    let from_minutes = stats.summary(Period::Day, BEGIN, &Ranking::default()).await.unwrap();
    set_clock(datetime!(2026-03-04 11:05 UTC));
    stats.aggregate(Aggregate::Hour).await.unwrap();
    stats.summarize(Period::Day).await.unwrap();
    let from_hours = stats.summary(Period::Day, BEGIN, &Ranking::default()).await.unwrap();
    set_clock(datetime!(2026-03-05 00:30 UTC));
    stats.aggregate(Aggregate::Day).await.unwrap();
    for period in [Period::Day, Period::Week, Period::Month, Period::Year] {
        stats.summarize(period).await.unwrap();
    }
    set_clock(datetime!(2026-04-01 00:30 UTC));
    stats.aggregate(Aggregate::Month).await.unwrap();
    for (service, name) in NAMES.iter().enumerate() {
        let slots = minutes(calls, service, 60);
        let slots: Vec<&Vec<u64>> = slots.iter().filter(|slot| !slot.is_empty()).collect();
        let usage: usize = slots.iter().map(|slot| slot.len()).sum();
        let times: Vec<u64> = slots.iter().flat_map(|slot| slot.iter().copied()).collect();
        let expected = mean(&times);
        for (series, seconds) in [
            ("time:aggr-by-hour:*:2026:03:04:10", 3600.0),
            ("time:aggr-by-day:*:2026:03:04", 86_400.0),
            ("time:aggr-by-month:*:2026:03", 31.0 * 86_400.0),
        ] {
            let key = format!("zato:stats:service:{}", series.replace('*', name));
            if usage == 0 {
                assert_eq!(field(house, &key, "usage").await, None, "{key}");
                continue;
            }
            assert_eq!(field(house, &key, "usage").await, Some(usage as f64), "{key}");
            assert!(close(field(house, &key, "mean").await.unwrap(), expected, 1e-6), "{key}");
            assert!(close(field(house, &key, "rate").await.unwrap(), usage as f64 / seconds, 1e-9), "{key}");
        }
        for found in [&from_minutes, &from_hours] {
            let found = found.iter().find(|report| report.service_name == *name);
            assert_eq!(found.map_or(0, |report| report.usage), usage as u64, "{name}");
        }
        for period in [Period::Day, Period::Week, Period::Month, Period::Year] {
            let reports = stats.summary(period, BEGIN, &Ranking::default()).await.unwrap();
            let found = reports.iter().find(|report| report.service_name == *name);
            assert_eq!(found.map_or(0, |report| report.usage), usage as u64, "{name} {period:?}");
            // Rounded in the summary, and cut in the report.
            let shown = found.map(|report| report.mean);
            let is_right = |shown: f64| close(shown, expected.floor(), 0.0) || close(shown, expected, 0.006);
            assert!(shown.is_none_or(is_right), "{name} {period:?}: {shown:?} {expected}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn figures_are_those_of_the_calls(
        calls in prop::collection::vec((0_i64..28, 0_usize..3, 0_u64..2_000), 0..120),
        batch in 20_u64..99_999,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let house = House::new(&NAMES).await;
            record(&house, &calls).await;
            check_trends(&house.stats, &calls).await;
            check_all_time(&house, &calls, batch).await;
            check_aggregates(&house, &calls).await;
        });
    }
}

#[tokio::test]
async fn a_quiet_minute_weighs_no_more_than_its_calls() {
    let house = House::new(&NAMES).await;
    let mut calls = vec![(0, 0, 100); 30];
    calls.push((65, 0, 1030));
    record(&house, &calls[..30]).await;
    set_clock(datetime!(2026-03-04 11:02 UTC));
    house.stats.aggregate(Aggregate::Hour).await.unwrap();
    record(&house, &calls[30..]).await;
    // The summary is made of an hour of 30 calls and a minute of one.
    house.stats.summarize(Period::Day).await.unwrap();
    let key = "zato:stats:service:summary:by-day:crm.get:2026:03:04";
    assert_eq!(field(&house, key, "usage").await, Some(31.0));
    assert_eq!(field(&house, key, "mean").await, Some(130.0));
}

#[tokio::test]
async fn services_are_ranked() {
    let house = House::new(&NAMES).await;
    record(&house, &[(0, 0, 600), (0, 1, 10), (1, 1, 10), (1, 2, 600), (2, 2, 2)]).await;
    let (start, stop) = (BEGIN, BEGIN + Duration::hours(1));
    let ranked = async |count, element: &str| {
        let ranking = Ranking { count, element: Some(element.to_owned()) };
        let reports = house.stats.trends(start, stop, &ranking).await;
        reports.map(|reports| reports.into_iter().map(|report| report.service_name).collect::<Vec<_>>())
    };
    assert_eq!(ranked(2, "mean").await.unwrap(), ["erp", "crm.get"]);
    assert_eq!(ranked(9, "usage").await.unwrap(), ["erp", "crm:set", "crm.get"]);
    assert!(ranked(1, "").await.is_err() && ranked(1, "colour").await.is_err());
    // One busy minute of an hour with a mean of 600.
    let report = house.stats.by_service(start, stop, "crm.get").await.unwrap().unwrap();
    assert_eq!((report.mean, report.usage), (10.0, 1));
    assert_eq!(house.stats.by_service(start, stop, "no.such").await.unwrap(), None);
    let range =
        house.stats.by_range(start, start + Duration::minutes(10), &Ranking::default()).await.unwrap();
    let found: Vec<_> =
        range.iter().map(|report| (&*report.service_name, report.usage, report.mean)).collect();
    assert_eq!(found, [("crm.get", 1, 60.0), ("crm:set", 2, 2.0), ("erp", 2, 60.0)]);
    house.stats.delete(start, start + Duration::minutes(1)).await.unwrap();
    assert_eq!(ranked(0, "").await.unwrap(), ["erp"]);
}

#[tokio::test]
async fn any_stretch_can_be_asked_for() {
    let house = House::new(&NAMES).await;
    let mut writes = Vec::new();
    for (name, month) in
        [("crm.get", "2026:03"), ("crm.get", "9998:12"), ("erp", "0001:02"), ("erp", "2026:0x")]
    {
        let key = format!("zato:stats:service:summary:by-month:{name}:{month}");
        let fields = [("min", "5"), ("max", "1199000"), ("mean", "1199000"), ("usage", "2"), ("rate", "0.1")];
        writes.push(Write::hash_set(&key, &fields));
    }
    house.kvdb.atomically(writes).await.unwrap();
    let (start, stop) = (datetime!(0001-01-01 00:00 UTC), datetime!(9999-12-31 23:59:59 UTC));
    let reports = house.stats.by_range(start, stop, &Ranking::default()).await.unwrap();
    let found: Vec<_> = reports
        .iter()
        .map(|report| (&*report.service_name, report.usage, report.mean, report.time))
        .collect();
    // There are 119,987 whole months, of which the service that was called more often has figures of two.
    assert_eq!(found, [("crm.get", 4, 20.0, 4_796_000.0), ("erp", 2, 10.0, 2_398_000.0)]);
    assert!(reports.iter().all(|report| report.usage_trend.is_empty() && report.mean_trend.is_empty()));
    // Both ends may be anywhere in a slot: that of the beginning counts, and so does that of the last moment.
    let (start, stop) = (datetime!(2026-03-01 00:00 UTC), datetime!(2026-04-01 00:00 UTC));
    let usage = async |start, stop| {
        let reports = house.stats.by_range(start, stop, &Ranking::default()).await.unwrap();
        reports.iter().map(|report| report.usage).sum::<u64>()
    };
    assert_eq!(usage(start, stop + Duration::days(1)).await, 2);
    assert_eq!(usage(stop, stop + Duration::days(40)).await, 0);
}

#[tokio::test]
async fn counters_survive() {
    let house = House::new(&NAMES).await;
    let call = async || {
        let mut cx = house.environment.context(
            house.environment.new_cid(),
            zato_service::ChannelKind::Invoke,
            zato_service::Origin::default(),
        );
        house.services[0].call(&mut cx, zato_service::Input::Empty).await.unwrap();
    };
    call().await;
    house.stats.flush().await.unwrap();
    call().await;
    house.stats.flush().await.unwrap();
    house.stats.flush().await.unwrap();
    assert_eq!(house.stats.usage(NAMES[0]).await.unwrap(), 2);
    assert_eq!(house.stats.usage(NAMES[1]).await.unwrap(), 0);
}
