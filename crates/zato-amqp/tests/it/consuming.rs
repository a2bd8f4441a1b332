//! What a handler gets, and what becomes of messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::Semaphore;
use zato_amqp::test_util::{Broker, Inspector};
use zato_amqp::{Message, Outcome, Properties, Status};

use crate::support::{cid, consumer, consumer_config, done, next, outgoing, send, settled, until, within};

#[tokio::test]
async fn a_message_is_acknowledged_after_it_was_handled() {
    let definition = Broker::shared().vhost();
    let inspector = Inspector::new(&definition).await.unwrap();
    inspector.queue("orders", &[]).await.unwrap();
    let sender = outgoing(&definition);
    let message = Message::new("{}").routing_key("orders").header("tenant", "acme").properties(Properties {
        message_id: Some("m1".to_owned()),
        timestamp: Some(1_400_000_000),
        ..Properties::default()
    });
    sender.send(cid(), message).await.unwrap();

    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let (consumer, mut received) = consumer(consumer_config(&definition, "orders"), move |_| {
        let gate = Arc::clone(&gate);
        async move {
            gate.acquire().await.unwrap().forget();
            Outcome::Done
        }
        .boxed()
    });
    let delivery = within(received.recv()).await.unwrap();
    assert_eq!(&delivery.body[..], b"{}");
    assert_eq!((&*delivery.exchange, &*delivery.routing_key, delivery.redelivered), ("", "orders", false));
    assert_eq!(delivery.properties.message_id.as_deref(), Some("m1"));
    assert_eq!(delivery.properties.timestamp, Some(1_400_000_000));
    assert_eq!(delivery.properties.delivery_mode, Some(2));
    assert_eq!(delivery.headers["tenant"].as_text(), Some("acme"));
    assert_eq!(delivery.headers["X-Zato-CID"].as_text(), Some(cid().as_str()));
    assert_eq!((consumer.status(), inspector.counts("orders").await.unwrap()), (Status::Connected, (0, 1)));
    opened.add_permits(1);
    consumer.stop().await;
    assert_eq!(consumer.status(), Status::Stopped);
    settled(&inspector, "orders", (0, 0)).await;
}

#[tokio::test]
async fn what_was_not_handled_when_the_grace_ends_goes_back() {
    let definition = Broker::shared().vhost();
    let inspector = Inspector::new(&definition).await.unwrap();
    inspector.queue("orders", &[]).await.unwrap();
    send(&outgoing(&definition), "orders", "1").await.unwrap();
    let mut config = consumer_config(&definition, "orders");
    config.grace = Duration::from_millis(50);
    let (consumer, mut received) = consumer(config, |_| std::future::pending().boxed());
    assert_eq!(next(&mut received).await, ("1".to_owned(), false));
    within(consumer.stop()).await;
    settled(&inspector, "orders", (1, 0)).await;
    assert!(inspector.get("orders").await.unwrap().unwrap().redelivered);
}

#[tokio::test]
async fn a_message_that_fails_rests_and_comes_again_while_others_pass() {
    let definition = Broker::shared().vhost();
    let inspector = Inspector::new(&definition).await.unwrap();
    inspector.queue("orders", &[]).await.unwrap();
    let sender = outgoing(&definition);
    send(&sender, "orders", "bad").await.unwrap();
    let (consumer, mut received) = consumer(consumer_config(&definition, "orders"), |delivery| {
        let is_bad = delivery.body == "bad" && !delivery.redelivered;
        async move { if is_bad { Outcome::Again } else { Outcome::Done } }.boxed()
    });
    let begun = Instant::now();
    assert_eq!(next(&mut received).await, ("bad".to_owned(), false));
    send(&sender, "orders", "good").await.unwrap();
    assert_eq!(next(&mut received).await, ("good".to_owned(), false));
    assert_eq!(next(&mut received).await, ("bad".to_owned(), true));
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    consumer.stop().await;
    settled(&inspector, "orders", (0, 0)).await;
}

#[tokio::test]
async fn a_panic_is_a_failure_of_its_message_only() {
    let definition = Broker::shared().vhost();
    let inspector = Inspector::new(&definition).await.unwrap();
    inspector.queue("orders", &[]).await.unwrap();
    send(&outgoing(&definition), "orders", "1").await.unwrap();
    let (consumer, mut received) = consumer(consumer_config(&definition, "orders"), |delivery| {
        let is_first = !delivery.redelivered;
        async move {
            assert!(!is_first, "a panic on purpose");
            Outcome::Done
        }
        .boxed()
    });
    assert_eq!(next(&mut received).await, ("1".to_owned(), false));
    assert_eq!(next(&mut received).await, ("1".to_owned(), true));
    consumer.stop().await;
    settled(&inspector, "orders", (0, 0)).await;
}

#[tokio::test]
async fn no_more_messages_are_in_hand_than_the_prefetch_says() {
    let definition = Broker::shared().vhost();
    let inspector = Inspector::new(&definition).await.unwrap();
    inspector.queue("orders", &[]).await.unwrap();
    let sender = outgoing(&definition);
    for number in 0..20 {
        send(&sender, "orders", &number.to_string()).await.unwrap();
    }
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let (consumer, mut received) = consumer(consumer_config(&definition, "orders"), move |_| {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        async move {
            most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
            tokio::task::yield_now().await;
            now.fetch_sub(1, SeqCst);
            Outcome::Done
        }
        .boxed()
    });
    for _ in 0..20 {
        next(&mut received).await;
    }
    consumer.stop().await;
    assert!((1..=4).contains(&seen.load(SeqCst)), "{seen:?}");
    settled(&inspector, "orders", (0, 0)).await;
}

#[tokio::test]
async fn a_missing_queue_is_told_and_waited_for() {
    let definition = Broker::shared().vhost();
    let inspector = Inspector::new(&definition).await.unwrap();
    let (consumer, mut received) = consumer(consumer_config(&definition, "later"), done);
    let status = until(consumer.watch_status(), |status| matches!(status, Status::Disconnected { .. })).await;
    assert!(status.to_string().starts_with("connecting: NOT_FOUND - no queue 'later'"), "{status}");
    inspector.queue("later", &[]).await.unwrap();
    send(&outgoing(&definition), "later", "1").await.unwrap();
    assert_eq!(next(&mut received).await.0, "1");
    // A queue that goes away is noticed as well.
    inspector.delete("later").await.unwrap();
    let status = until(consumer.watch_status(), |status| matches!(status, Status::Disconnected { .. })).await;
    assert!(status.to_string().contains("the queue may have been deleted"), "{status}");
    within(consumer.stop()).await;
}
