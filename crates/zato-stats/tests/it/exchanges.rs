//! Samples and slow calls are kept, and not too many.

use std::sync::Arc;
use std::time::Duration;

use time::macros::datetime;
use tokio_util::sync::CancellationToken;
use zato_service::{Exchange, Observer};
use zato_stats::sample_frequency;

use crate::support::House;

pub(crate) fn exchange(house: &House, request: String, is_sample: bool, is_slow: bool) -> Exchange {
    let received = datetime!(2026-03-04 10:00:00.000001 UTC);
    let elapsed = Duration::from_millis(2500);
    Exchange {
        service: Arc::clone(&house.services[0]),
        cid: house.environment.new_cid(),
        is_sample,
        is_slow,
        request: request.into(),
        response: b"[1]".to_vec(),
        received,
        answered: received + elapsed,
        elapsed,
    }
}

/// Stores what is told, in parts that the queue has room for.
async fn told(house: &House, exchanges: Vec<Exchange>) {
    let stop = CancellationToken::new();
    stop.cancel();
    exchanges.into_iter().for_each(|exchange| house.stats.exchanged(exchange));
    house.stats.clone().run(stop).await;
}

#[tokio::test]
async fn the_last_sample_and_the_newest_slow_calls_are_kept() {
    let house = House::new(&["crm"]).await;
    let mut exchanges: Vec<Exchange> =
        (0..103).map(|number| exchange(&house, format!("slow{number}"), false, true)).collect();
    exchanges.push(exchange(&house, "first".to_owned(), true, false));
    exchanges.push(exchange(&house, "ż".repeat(40_000), true, false));
    let (cid, newest) = (exchanges[104].cid.to_string(), exchanges[102].cid.to_string());
    told(&house, exchanges).await;

    let slow = house.stats.slow_calls("crm").await.unwrap();
    assert_eq!((slow.len(), &slow[0].cid, &*slow[99].request), (100, &newest, "slow3"));
    assert_eq!((slow[0].milliseconds, &*slow[0].response), (2500, "[1]"));
    assert_eq!(slow[0].request_time, "2026-03-04T10:00:00.000001");
    assert_eq!(slow[0].response_time, "2026-03-04T10:00:02.500001");
    assert_eq!(house.stats.slow_calls("no.such").await.unwrap(), []);

    let sample = house.stats.sample("crm").await.unwrap();
    assert_eq!((sample.cid, sample.frequency), (Some(cid), 0));
    assert_eq!(sample.request.unwrap().len(), 65_536);
}

#[tokio::test]
async fn a_server_that_starts_knows_of_which_services_samples_are_taken() {
    let house = House::new(&["crm"]).await;
    assert_eq!(sample_frequency(&house.kvdb, "crm").await.unwrap(), 0);
    house.stats.sample_every("crm", 1).await.unwrap();
    house.stats.sample_every("gone", 5).await.unwrap();
    assert_eq!(sample_frequency(&house.kvdb, "crm").await.unwrap(), 1);
    let stop = CancellationToken::new();
    let running = tokio::spawn(house.stats.clone().run(stop.clone()));
    // Calls are sampled as soon as the server has read which are to be.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while house.stats.sample("crm").await.unwrap().cid.is_none() {
        assert!(tokio::time::Instant::now() < deadline, "no sample was taken");
        let mut cx = house.environment.context(
            house.environment.new_cid(),
            zato_service::ChannelKind::Invoke,
            zato_service::Origin::default(),
        );
        house.services[0].call(&mut cx, zato_service::Input::Empty).await.unwrap();
    }
    stop.cancel();
    running.await.unwrap();
}
