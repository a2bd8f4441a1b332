//! Brokers that die, and peers that are none.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use zato_amqp::test_util::{Broker, Inspector};
use zato_amqp::{Definition, Outgoing, OutgoingConfig, SendError, Status};
use zato_test_port::Port;

use crate::support::{
    consumer, consumer_config, done, next, outgoing, outgoing_config, send, settled, until, within,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_killed_and_comes_back_has_every_confirmed_message() {
    let broker = Broker::start();
    let definition = broker.vhost();
    Inspector::new(&definition).await.unwrap().queue("orders", &[]).await.unwrap();
    let sender = outgoing(&definition);

    // Confirmed while nobody consumes, so that only the broker's disk can keep them.
    for number in 0..20 {
        send(&sender, "orders", &number.to_string()).await.unwrap();
    }
    let (consumer, mut received) = consumer(consumer_config(&definition, "orders"), done);
    let mut handled = BTreeSet::new();
    for _ in 0..5 {
        handled.insert(next(&mut received).await.0);
    }
    tokio::task::block_in_place(|| broker.halt("orders"));
    let down = |status: &Status| matches!(status, Status::Disconnected { .. });
    until(sender.watch_status(), down).await;
    until(consumer.watch_status(), down).await;

    // A message that is sent now waits for the broker.
    let waiting = tokio::spawn({
        let sender = sender.clone();
        async move {
            loop {
                match send(&sender, "orders", "20").await {
                    // A broker lets clients in a moment before it knows its queues again.
                    Err(SendError::Unroutable { .. }) => {}
                    sent => break sent,
                }
            }
        }
    });
    tokio::task::block_in_place(|| broker.resume());
    within(waiting).await.unwrap().unwrap();
    while handled.len() < 21 {
        handled.insert(next(&mut received).await.0);
    }
    until(consumer.watch_status(), |status| *status == Status::Connected).await;
    until(sender.watch_status(), |status| *status == Status::Connected).await;
    consumer.stop().await;
    sender.stop().await;
    let inspector = Inspector::new(&definition).await.unwrap();
    settled(&inspector, "orders", (0, 0)).await;
}

fn at(port: u16) -> Definition {
    Definition {
        name: "main".into(),
        host: "127.0.0.1".to_owned(),
        port,
        vhost: "/".to_owned(),
        username: "zato".to_owned(),
        password: "secret".into(),
        frame_max: 0,
        heartbeat: 0,
    }
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_told() {
    let port = Port::reserve();
    let definition = at(port.number());
    let mut config = outgoing_config(&definition);
    config.timeout = Duration::from_millis(200);
    let outgoing = Outgoing::start(config);
    let error = send(&outgoing, "orders", "x").await.unwrap_err();
    assert!(error.to_string().contains("Connection refused"), "{error}");
    within(outgoing.stop()).await;
}

#[tokio::test]
async fn a_peer_that_says_nothing_neither_holds_senders_nor_the_end() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let definition = at(socket.local_addr().unwrap().port());
    let config = OutgoingConfig { timeout: Duration::from_millis(200), ..outgoing_config(&definition) };
    let outgoing = Outgoing::start(config);
    let (mut peer, _) = socket.accept().await.unwrap();
    let error = send(&outgoing, "orders", "x").await.unwrap_err();
    assert!(matches!(error, SendError::Unavailable { .. }), "{error}");
    let begun = Instant::now();
    outgoing.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // The socket is closed, and with it ends the thread that reads it.
    let mut header = Vec::new();
    within(tokio::io::AsyncReadExt::read_to_end(&mut peer, &mut header)).await.unwrap();
    assert_eq!(header, b"AMQP\0\0\x09\x01");
}
