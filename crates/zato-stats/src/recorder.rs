//! What is noted of a call on its way.
//!
//! Owns the notes between calls and whoever stores what they took. Each thread takes its own, since cores that write to the same
//! memory wait for one another. It must not know where anything is stored.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use thread_local::ThreadLocal;
use tokio::sync::mpsc;
use zato_service::{Exchange, Observer, Registration};

/// How many notes a thread may take between two looks at them, which are a tenth of a second apart.
const CAPACITY: usize = 16_384;

/// Among how many of the latest notes one is looked for that a call can be added to.
const LATEST: usize = 8;

/// How long calls are added to a note: as precisely as it is known when they ended.
const SPAN: Duration = Duration::from_millis(100);

/// How many samples and slow calls may wait to be stored.
const EXCHANGES: usize = 256;

/// Calls of one service that succeeded on one thread within [`SPAN`], and took as long as one another.
#[derive(Debug)]
pub(crate) struct Timed {
    pub(crate) service: Arc<Registration>,
    /// When the first of them ended.
    pub(crate) ended: Instant,
    pub(crate) milliseconds: u64,
    pub(crate) count: u64,
}

impl Timed {
    fn includes(&self, service: &Arc<Registration>, ended: Instant, milliseconds: u64) -> bool {
        Arc::ptr_eq(&self.service, service)
            && self.milliseconds == milliseconds
            && ended.checked_duration_since(self.ended).is_some_and(|since| since < SPAN)
    }
}

/// Takes notes of calls.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// Only whoever collects the notes ever makes a thread wait for its lock.
    of_threads: ThreadLocal<Box<CachePadded<Mutex<Vec<Timed>>>>>,
    exchanges: mpsc::Sender<Exchange>,
    lost: AtomicU64,
}

impl Recorder {
    /// A recorder, and where the exchanges that it is told of come out.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Exchange>) {
        let (exchanges, receiver) = mpsc::channel(EXCHANGES);
        (Self { of_threads: ThreadLocal::new(), exchanges, lost: AtomicU64::new(0) }, receiver)
    }

    /// The calls that have ended since somebody asked last, in about the order in which they did.
    pub(crate) fn take(&self) -> Vec<Timed> {
        let mut taken = Vec::new();
        for timed in &self.of_threads {
            // What is left behind has room for as many again.
            taken.append(&mut *timed.lock().unwrap_or_else(PoisonError::into_inner));
        }
        taken.sort_by_key(|timed| timed.ended);
        taken
    }

    /// How many calls were not noted, because nobody asked for too long.
    pub(crate) fn take_lost(&self) -> u64 {
        self.lost.swap(0, Relaxed)
    }
}

impl Observer for Recorder {
    fn succeeded(&self, service: &Arc<Registration>, ended: Instant, elapsed: Duration) {
        let milliseconds = milliseconds(elapsed);
        let mut timed = self.of_threads.get_or_default().lock().unwrap_or_else(PoisonError::into_inner);
        let mut latest = timed.iter_mut().rev().take(LATEST);
        if let Some(known) = latest.find(|known| known.includes(service, ended, milliseconds)) {
            known.count += 1;
        } else if timed.len() < CAPACITY {
            timed.push(Timed { service: Arc::clone(service), ended, milliseconds, count: 1 });
        } else {
            self.lost.fetch_add(1, Relaxed);
        }
    }

    fn exchanged(&self, exchange: Exchange) {
        // The newest ones are of less use than a call that waits would cost.
        if self.exchanges.try_send(exchange).is_err() {
            self.lost.fetch_add(1, Relaxed);
        }
    }
}

/// A processing time as it is stored: in whole milliseconds, where 1 counts as none at all.
pub(crate) fn milliseconds(elapsed: Duration) -> u64 {
    let milliseconds = elapsed.as_secs_f64() * 1000.0;
    if milliseconds <= 1.0 { 0 } else { milliseconds.round() as u64 }
}

#[cfg(test)]
mod tests {
    use zato_service::{Context, Description, Error, Registry, Service};

    use super::*;

    struct Nothing(&'static str);

    impl Service for Nothing {
        type Input = ();
        type Output = ();

        fn description(&self) -> Description {
            Description::new(self.0)
        }

        async fn handle(&self, _: &mut Context, (): ()) -> Result<(), Error> {
            Ok(())
        }
    }

    #[test]
    fn calls_that_took_as_long_as_one_another_are_one_note() {
        let (recorder, _) = Recorder::new();
        let registry = Registry::new();
        let services = ["a", "b"].map(|name| registry.register(Nothing(name)).unwrap());
        let begun = Instant::now() + 10 * SPAN;
        for (service, ended, milliseconds) in [
            (0, begun, 5),
            (1, begun, 5),
            (0, begun + SPAN / 2, 5),
            (0, begun + SPAN / 2, 6),
            (0, begun + SPAN, 5),
            // The clock says when a call ended, not when it is noted.
            (0, begun - SPAN, 5),
        ] {
            recorder.succeeded(&services[service], ended, Duration::from_millis(milliseconds));
        }
        std::thread::scope(|scope| {
            scope.spawn(|| recorder.succeeded(&services[1], begun + 2 * SPAN, Duration::from_millis(5)));
        });
        let taken: Vec<_> = recorder
            .take()
            .into_iter()
            .map(|timed| (timed.service.name().to_owned(), timed.ended, timed.milliseconds, timed.count))
            .collect();
        let expected = [
            ("a", begun - SPAN, 5, 1),
            ("a", begun, 5, 2),
            ("b", begun, 5, 1),
            ("a", begun + SPAN / 2, 6, 1),
            ("a", begun + SPAN, 5, 1),
            ("b", begun + 2 * SPAN, 5, 1),
        ];
        assert_eq!(taken, expected.map(|(name, ended, time, count)| (name.to_owned(), ended, time, count)));
        assert!(recorder.take().is_empty());
        assert_eq!(recorder.take_lost(), 0);
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let (recorder, _) = Recorder::new();
        let service = Registry::new().register(Nothing("a")).unwrap();
        let begun = Instant::now();
        for number in 0..CAPACITY as u64 + 3 {
            recorder.succeeded(&service, begun, Duration::from_millis(2 + number));
        }
        assert_eq!(recorder.take().len(), CAPACITY);
        assert_eq!((recorder.take_lost(), recorder.take_lost()), (3, 0));
    }

    #[test]
    fn short_times_count_as_none() {
        for (microseconds, expected) in
            [(0, 0), (1_000, 0), (1_001, 1), (1_499, 1), (1_500, 2), (3_600_000_000, 3_600_000)]
        {
            assert_eq!(milliseconds(Duration::from_micros(microseconds)), expected, "{microseconds} µs");
        }
    }
}
