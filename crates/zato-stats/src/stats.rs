//! The handle of a server's statistics: noting calls, and storing what was noted.
//!
//! Owns when notes are stored and the all-time figures. It must not know aggregates or reports.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;
use zato_kvdb::{Comparison, End, Expiry, Kvdb, KvdbError, Selection, Write};
use zato_service::{Environment, Exchange, Observer, Registration, Registry};

use crate::exchange::{self, Mask};
use crate::recorder::{Recorder, Timed};
use crate::slot::{self, Series, Unit};
use crate::times::{Reduced, Times};

/// How often the notes of calls are collected, and every how many times they are stored.
const COLLECTION: Duration = Duration::from_millis(100);
const COLLECTIONS_A_FLUSH: u32 = 10;

/// How long samples and slow calls that still wait are stored for when this server stops.
const LAST_STORING: Duration = Duration::from_secs(2);

/// In milliseconds: how long the times of a minute are kept after the last one came.
const RAW_MINUTE_LIFETIME: i64 = 300_000;

/// The statistics of the services of one server. Those of all servers of a cluster come together in the key/value store,
/// if that is shared. Clones share everything.
#[derive(Clone)]
pub struct Stats(Arc<Inner>);

struct Inner {
    kvdb: Kvdb,
    registry: Registry,
    clock: Box<dyn Fn() -> OffsetDateTime + Send + Sync>,
    recorder: Arc<Recorder>,
    pending: Mutex<Pending>,
    exchanges: std::sync::Mutex<Option<mpsc::Receiver<Exchange>>>,
    mask: Mask,
}

/// What was noted and is not stored yet.
#[derive(Default)]
struct Pending {
    services: HashMap<String, Notes>,
    /// How much of each service's counter is stored.
    counted: HashMap<String, u64>,
}

/// The calls of one service.
#[derive(Default)]
struct Notes {
    /// How often each time was measured, by the minute in which the call ended, counted from 1970.
    minutes: BTreeMap<i64, BTreeMap<u64, u64>>,
    last: u64,
}

impl Pending {
    fn note(&mut self, timed: &Timed, minute: i64) {
        let service = timed.service.name();
        if !self.services.contains_key(service) {
            self.services.insert(service.to_owned(), Notes::default());
        }
        if let Some(notes) = self.services.get_mut(service) {
            *notes.minutes.entry(minute).or_default().entry(timed.milliseconds).or_default() += timed.count;
            notes.last = timed.milliseconds;
        }
    }
}

/// The minute that a time in nanoseconds from 1970 is in.
fn minute_of(nanoseconds: i64) -> i64 {
    nanoseconds.div_euclid(60_000_000_000)
}

fn minute_name(minute: i64) -> String {
    let begin = OffsetDateTime::from_unix_timestamp(minute.saturating_mul(60));
    Unit::Minute.name(begin.unwrap_or(OffsetDateTime::UNIX_EPOCH))
}

impl Notes {
    fn times(measured: &BTreeMap<u64, u64>) -> Times {
        let mut times = Times::default();
        measured.iter().for_each(|(milliseconds, count)| times.push(*milliseconds, *count));
        times
    }
}

/// How a service fared since its first call. Times are in milliseconds, and of successful calls only.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AllTime {
    /// The most recent processing time; none before the first call.
    pub last: Option<u64>,
    /// The shortest one; 0 before the first call.
    pub minimum: u64,
    /// The longest one; 0 before the first call.
    pub maximum: u64,
    /// Their arithmetic mean; 0 before the first call.
    pub mean: f64,
    /// How many calls were timed.
    count: u64,
    total: u64,
}

impl AllTime {
    fn with(self, batch: &Reduced) -> Self {
        if batch.count == 0 {
            return self;
        }
        let minimum = if self.count == 0 { batch.minimum } else { self.minimum.min(batch.minimum) };
        let (count, total) = (self.count.saturating_add(batch.count), self.total.saturating_add(batch.total));
        let mean = total as f64 / count as f64;
        Self { last: self.last, minimum, maximum: self.maximum.max(batch.maximum), mean, count, total }
    }
}

impl Stats {
    /// Begins to note the calls of the environment's services. `mask` turns a message into the text of it that may be
    /// kept: without secrets.
    #[must_use]
    pub fn new(environment: &Environment, mask: Mask) -> Self {
        let (recorder, exchanges) = Recorder::new();
        let recorder = Arc::new(recorder);
        if environment.registry().observe(recorder.clone()).is_err() {
            tracing::error!(
                "the services of this server are observed by something else; there are no statistics"
            );
        }
        let clock = environment.clone();
        Self(Arc::new(Inner {
            kvdb: environment.kvdb().clone(),
            registry: environment.registry().clone(),
            clock: Box::new(move || clock.now()),
            recorder,
            pending: Mutex::default(),
            exchanges: std::sync::Mutex::new(Some(exchanges)),
            mask,
        }))
    }

    pub(crate) fn kvdb(&self) -> &Kvdb {
        &self.0.kvdb
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        (self.0.clock)()
    }

    /// Stores what is noted, about once a second, until `stop` is cancelled, and a last time then.
    pub async fn run(self, stop: CancellationToken) {
        let exchanges = self.0.exchanges.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut exchanges) = exchanges else { return };
        let mut is_away = false;
        if let Err(error) = exchange::load_frequencies(&self.0.kvdb, &self.0.registry).await {
            log(&error);
            is_away = true;
        }
        let mut collections = 0_u32;
        while stop.run_until_cancelled(tokio::time::sleep(COLLECTION)).await.is_some() {
            collections += 1;
            self.collect(&mut *self.0.pending.lock().await);
            let is_due = collections.is_multiple_of(COLLECTIONS_A_FLUSH);
            // A store that is away is asked only when notes are due: each of its answers is waited for.
            if is_due || !is_away {
                let stored = self.store(is_due, &mut exchanges, || !stop.is_cancelled()).await;
                note_outage(stored, &mut is_away);
            }
        }
        let begun = tokio::time::Instant::now();
        let stored = self.store(true, &mut exchanges, || begun.elapsed() < LAST_STORING).await;
        note_outage(stored, &mut is_away);
        if !exchanges.is_empty() {
            let lost = exchanges.len();
            tracing::warn!(lost, "samples and slow calls were not stored before the server stopped");
        }
    }

    /// Stores the notes, if they are due, and then the exchanges that wait, while there is time for them and until one fails;
    /// that one is lost. Returns whether the store had anything to do.
    async fn store(
        &self,
        is_due: bool,
        exchanges: &mut mpsc::Receiver<Exchange>,
        has_time: impl Fn() -> bool,
    ) -> Result<bool, KvdbError> {
        let mut has_stored = is_due && self.store_notes().await?;
        while has_time()
            && let Ok(exchange) = exchanges.try_recv()
        {
            exchange::store(&self.0.kvdb, self.0.mask, &exchange).await?;
            has_stored = true;
        }
        Ok(has_stored)
    }

    /// Takes the notes over from the calls.
    fn collect(&self, pending: &mut Pending) {
        let (now, instant) = (self.now().unix_timestamp_nanos(), Instant::now());
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        for timed in self.0.recorder.take() {
            let ago = instant.saturating_duration_since(timed.ended).as_nanos();
            let ended = now.saturating_sub(i64::try_from(ago).unwrap_or(i64::MAX));
            pending.note(&timed, minute_of(ended));
        }
        let lost = self.0.recorder.take_lost();
        if lost > 0 {
            tracing::warn!(
                lost,
                "calls are missing in the statistics: they ended faster than they could be noted"
            );
        }
    }

    /// Stores what is noted so far.
    ///
    /// # Errors
    /// The key/value store failed. The notes are kept, and stored next time.
    pub async fn flush(&self) -> Result<(), KvdbError> {
        self.store_notes().await.map(drop)
    }

    /// Flushes, and returns whether there was anything to store.
    async fn store_notes(&self) -> Result<bool, KvdbError> {
        let mut pending = self.0.pending.lock().await;
        self.collect(&mut pending);
        let mut writes = Vec::new();
        let mut counted = Vec::new();
        for service in self.0.registry.services() {
            let usage = service.statistics().snapshot().usage;
            let before = pending.counted.get(service.name()).copied().unwrap_or(0);
            if usage > before {
                let by = i64::try_from(usage - before).unwrap_or(i64::MAX);
                writes.push(Write::Increment(slot::usage(service.name()), by));
                counted.push((service.name().to_owned(), usage));
            }
        }
        for (service, notes) in &pending.services {
            let last = notes.last.to_string();
            writes.push(Write::hash_set(&slot::basic(service), &[("last", last)]));
            for (minute, measured) in &notes.minutes {
                let elements = Notes::times(measured).elements();
                let key = Series::RAW.key(service, &minute_name(*minute));
                writes.push(Write::ListPush(slot::raw(service), End::Back, elements.clone()));
                writes.push(Write::ListPush(key.clone(), End::Back, elements));
                let lifetime = Expiry::In(RAW_MINUTE_LIFETIME);
                writes.push(Write::Expire(key, lifetime, Selection::Any, Comparison::Any));
            }
        }
        let has_writes = !writes.is_empty();
        if has_writes {
            self.0.kvdb.atomically(writes).await?;
        }
        pending.services.clear();
        pending.counted.extend(counted);
        Ok(has_writes)
    }

    /// How often a service was called, failed calls included, on all servers that share the store.
    ///
    /// # Errors
    /// The key/value store failed.
    pub async fn usage(&self, service: &str) -> Result<u64, KvdbError> {
        let stored = self.0.kvdb.get(&slot::usage(service)).await?;
        Ok(stored.and_then(|text| std::str::from_utf8(&text).ok()?.parse().ok()).unwrap_or(0))
    }

    /// How a service fared since its first call, up to what was [flushed](Self::flush).
    ///
    /// # Errors
    /// The key/value store failed.
    pub async fn all_time(&self, service: &str) -> Result<AllTime, KvdbError> {
        let (stored, percentile) = self.stored(service).await?;
        // What no job has added to the stored figures yet.
        let raw = self.0.kvdb.list_range(&slot::raw(service), 0, -1).await?;
        Ok(stored.with(&Times::parse(&raw).reduce(percentile)))
    }

    async fn stored(&self, service: &str) -> Result<(AllTime, f64), KvdbError> {
        let fields: HashMap<String, Vec<u8>> =
            self.0.kvdb.hash_get_all(&slot::basic(service)).await?.into_iter().collect();
        let text = |name: &str| fields.get(name).and_then(|value| std::str::from_utf8(value).ok());
        let whole = |name: &str| text(name).and_then(|text| text.parse::<u64>().ok());
        let count = whole("count_all_time").unwrap_or(0);
        let mut all_time = AllTime { last: whole("last"), ..AllTime::default() };
        // Figures of the original lack the count, and their mean can't be gone on with.
        if count > 0 {
            all_time.minimum = whole("min_all_time").unwrap_or(0);
            all_time.maximum = whole("max_all_time").unwrap_or(0);
            all_time.total = whole("total_all_time").unwrap_or(0);
            all_time.count = count;
            all_time.mean = all_time.total as f64 / count as f64;
        }
        Ok((all_time, text("mean_percentile").and_then(|text| text.parse().ok()).unwrap_or(100.0)))
    }

    /// The percentile above which times of a service are left out of means: 100, unless somebody has stored another one.
    pub(crate) async fn percentile(&self, service: &str) -> Result<f64, KvdbError> {
        let stored = self.0.kvdb.hash_get(&slot::basic(service), "mean_percentile").await?;
        Ok(stored.and_then(|text| std::str::from_utf8(&text).ok()?.parse().ok()).unwrap_or(100.0))
    }

    /// Adds the times of calls to the all-time figures of each service, at most so many elements of each list.
    ///
    /// # Errors
    /// The key/value store failed. What was added before stays added.
    pub async fn process_raw_times(&self, maximum_batch: u64) -> Result<(), KvdbError> {
        self.flush().await?;
        let prefix = slot::raw_prefix();
        let size = i64::try_from(maximum_batch).unwrap_or(i64::MAX);
        for key in self.0.kvdb.keys(&prefix).await? {
            let Some(service) = key.strip_prefix(&*prefix).filter(|_| size > 0) else { continue };
            let batch = self.0.kvdb.list_range(&key, 0, size - 1).await?;
            let length = self.0.kvdb.list_len(&key).await?;
            if length > maximum_batch {
                tracing::warn!(
                    service,
                    length,
                    maximum_batch,
                    "there are more times than one run adds up; make its interval shorter or max_batch_size larger"
                );
            }
            let (stored, percentile) = self.stored(service).await?;
            let all_time = stored.with(&Times::parse(&batch).reduce(percentile));
            let fields = [
                ("min_all_time", all_time.minimum.to_string()),
                ("max_all_time", all_time.maximum.to_string()),
                ("mean_all_time", all_time.mean.to_string()),
                ("count_all_time", all_time.count.to_string()),
                ("total_all_time", all_time.total.to_string()),
            ];
            let taken = i64::try_from(batch.len()).unwrap_or(i64::MAX);
            let writes = vec![
                Write::hash_set(&slot::basic(service), &fields),
                Write::ListTrim(key.clone(), taken, -1),
            ];
            self.0.kvdb.atomically(writes).await?;
        }
        Ok(())
    }
}

/// Notes calls that were made by other means than through the registry.
impl Observer for Stats {
    fn succeeded(&self, service: &Arc<Registration>, ended: Instant, elapsed: Duration) {
        self.0.recorder.succeeded(service, ended, elapsed);
    }

    fn exchanged(&self, exchange: Exchange) {
        self.0.recorder.exchanged(exchange);
    }
}

impl fmt::Debug for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stats").finish_non_exhaustive()
    }
}

/// Logs the beginning of an outage. It is over once something was stored: a store that was not asked says nothing.
fn note_outage(stored: Result<bool, KvdbError>, is_away: &mut bool) {
    match stored {
        Ok(has_stored) => *is_away &= !has_stored,
        Err(error) => {
            if !*is_away {
                log(&error);
            }
            *is_away = true;
        }
    }
}

fn log(error: &KvdbError) {
    tracing::error!(error = error as &dyn std::error::Error, "statistics can't be stored");
}
