//! A store that is silent holds nothing up, and is not news again and again.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use zato_kvdb::{Administration, Condition, KeyValue, Kvdb, KvdbError, Outcome, Read, Reply, Write, Written};
use zato_service::Observer;

use crate::exchanges::exchange;
use crate::support::House;

/// How long the store lets callers wait while it is silent.
const SILENCE: Duration = Duration::from_secs(3);

/// A store that takes everything and keeps nothing, or is silent.
#[derive(Debug, Default)]
struct Moody {
    is_silent: AtomicBool,
    stored: AtomicUsize,
}

impl Moody {
    fn answer<'a, T: Send + 'a>(&'a self, answer: T) -> Outcome<'a, T> {
        Box::pin(async move {
            if self.is_silent.load(Relaxed) {
                tokio::time::sleep(SILENCE).await;
                return Err(KvdbError::UnexpectedReply);
            }
            Ok(answer)
        })
    }
}

#[derive(Debug)]
struct Handle(Arc<Moody>);

impl KeyValue for Handle {
    fn read(&self, _: Read) -> Outcome<'_, Reply> {
        self.0.answer(Reply::Array(Vec::new()))
    }

    fn write(&self, _: Write) -> Outcome<'_, Reply> {
        self.0.answer(Reply::Done)
    }

    fn transact(&self, _: Vec<Condition>, _: Vec<Write>) -> Outcome<'_, Written> {
        Box::pin(async {
            let written = self.0.answer(Some(Vec::new())).await;
            self.0.stored.fetch_add(usize::from(written.is_ok()), Relaxed);
            written
        })
    }

    fn administer(&self, _: Administration) -> Outcome<'_, Reply> {
        self.0.answer(Reply::Done)
    }
}

/// The levels of what was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Level>>>);

impl Log {
    fn errors(&self) -> usize {
        self.0.lock().unwrap().iter().filter(|level| **level == Level::ERROR).count()
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("zato_stats")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(*event.metadata().level());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_told_once_and_holds_no_stop_up() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    // Another thread may have come by what is logged for the first time just when this log was not known yet.
    tracing::callsite::rebuild_interest_cache();
    let store = Arc::new(Moody::default());
    let house = House::on(Kvdb::new(Handle(Arc::clone(&store))), &["crm"]);
    let stop = CancellationToken::new();
    let running = tokio::spawn(house.stats.clone().run(stop.clone()));
    let tell = |count: usize| {
        for number in 0..count {
            house.stats.exchanged(exchange(&house, number.to_string(), false, true));
        }
    };

    for outage in 1..=2 {
        store.is_silent.store(true, Relaxed);
        tell(100);
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert_eq!(log.errors(), outage);
        store.is_silent.store(false, Relaxed);
        store.stored.store(0, Relaxed);
        tokio::time::sleep(Duration::from_secs(10)).await;
        // One exchange is lost a failure; all others are still there.
        let stored = store.stored.load(Relaxed);
        assert!((80..100).contains(&stored), "{stored}");
    }

    store.is_silent.store(true, Relaxed);
    house.note(0, 7);
    tell(200);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let stopped = Instant::now();
    stop.cancel();
    running.await.unwrap();
    assert!(stopped.elapsed() <= 2 * SILENCE, "{:?}", stopped.elapsed());
    assert_eq!(log.errors(), 3);
}
