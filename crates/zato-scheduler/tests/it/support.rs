//! A scheduler on a clock that tests turn, with a store in memory.

use std::cell::Cell;
use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zato_cid::{Form, SystemGenerator};
use zato_kvdb::{Embedded, Kvdb, SystemClock};
use zato_scheduler::{Claim, Claimed, JobConfig, Progress, Schedule, Scheduler, Store, StoreError};
use zato_service::{
    Context, Description, Environment, EnvironmentParts, Error, Outgoing, RawInput, Registry, Service,
};

/// When tests begin.
pub(crate) const START: OffsetDateTime = datetime!(2026-03-01 12:00:00 UTC);

thread_local! {
    /// When the paused clock of this test stood at [`START`], and by how much the clock was set since.
    static CLOCK: Cell<Option<(Instant, Duration)>> = const { Cell::new(None) };
}

/// The time of day, which goes as the paused clock does.
fn now() -> OffsetDateTime {
    let (begun, set) = CLOCK.get().unwrap_or_else(|| (Instant::now(), Duration::ZERO));
    START + begun.elapsed() + set
}

/// A job with an id that its name says.
pub(crate) fn job(id: i64, schedule: Schedule) -> JobConfig {
    JobConfig {
        id,
        name: format!("job{id}").into(),
        service: "record".into(),
        extra: Bytes::from(format!("extra{id}")),
        schedule,
        progress: Progress::default(),
    }
}

pub(crate) fn every(seconds: u64, repeats: u64) -> Schedule {
    Schedule::Interval {
        start: START,
        every: NonZeroU64::new(seconds).unwrap(),
        repeats: NonZeroU64::new(repeats),
    }
}

/// A run that was made: at how many seconds after [`START`], of which job, its number, and what the service got.
pub(crate) type Run = (i64, String, u64, String);

/// Writes down its runs.
struct Record(Arc<Mutex<Vec<Run>>>);

impl Service for Record {
    type Input = RawInput;
    type Output = ();

    fn description(&self) -> Description {
        Description::new("record")
    }

    async fn handle(&self, cx: &mut Context, input: RawInput) -> Result<(), Error> {
        let job = cx.job().expect("a job runs it");
        let extra = String::from_utf8(input.body.to_vec()).unwrap();
        self.0.lock().unwrap().push((
            (cx.now() - START).whole_seconds(),
            job.name.to_string(),
            job.run,
            extra,
        ));
        if job.name.ends_with('9') {
            let cause = std::io::Error::other("no route to host");
            return Err(Error::internal("it fails").with_source(cause));
        }
        Ok(())
    }
}

/// What servers share: who leads, and what was done.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) progress: Mutex<HashMap<i64, Progress>>,
    pub(crate) is_away: Mutex<bool>,
    /// How long a claim takes, whether the store is away or not.
    pub(crate) pause: Mutex<std::time::Duration>,
}

impl Shared {
    fn check(&self) -> Result<(), StoreError> {
        if *self.is_away.lock().unwrap() { Err("the store is away".into()) } else { Ok(()) }
    }
}

impl Store for Shared {
    fn progress(&self) -> BoxFuture<'_, Result<HashMap<i64, Progress>, StoreError>> {
        Box::pin(async move {
            self.check()?;
            Ok(self.progress.lock().unwrap().clone())
        })
    }

    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Claimed, StoreError>> {
        Box::pin(async move {
            let pause = *self.pause.lock().unwrap();
            tokio::time::sleep(pause).await;
            self.check()?;
            let mut progress = self.progress.lock().unwrap();
            let stored = progress.entry(claim.job_id).or_default();
            if *stored != claim.before {
                return Ok(Claimed::Superseded(*stored));
            }
            *stored = Progress { runs: stored.runs + 1, last_due: Some(claim.due) };
            Ok(Claimed::Granted)
        })
    }
}

/// One server: its scheduler, and who leads.
pub(crate) struct House {
    pub(crate) scheduler: Scheduler,
    pub(crate) leads: watch::Sender<bool>,
    pub(crate) store: Arc<Shared>,
    pub(crate) registry: Registry,
    runs: Arc<Mutex<Vec<Run>>>,
    stop: CancellationToken,
    task: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl House {
    /// A server that leads. The clock stands at [`START`].
    pub(crate) async fn new() -> Self {
        CLOCK.set(Some((Instant::now(), Duration::ZERO)));
        Self::with(Arc::default(), true).await
    }

    /// Another server with the same store.
    pub(crate) async fn beside(&self) -> Self {
        Self::with(Arc::clone(&self.store), false).await
    }

    async fn with(store: Arc<Shared>, leads: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::new();
        let runs = Arc::default();
        registry.register(Record(Arc::clone(&runs))).unwrap();
        let kvdb = Embedded::open(&folder.path().join("kvdb"), Arc::new(SystemClock)).await.unwrap();
        let environment = Environment::new(EnvironmentParts {
            outgoing: Outgoing::new(zato_outgoing::Outgoing::new(
                zato_outgoing::Environment::new("test").unwrap(),
            )),
            kvdb: Kvdb::new(kvdb),
            registry: registry.clone(),
            cids: SystemGenerator::new(Form::default()),
            clock: now,
            tasks: TaskTracker::new(),
        });
        let leads = watch::Sender::new(leads);
        let (scheduler, runner) = Scheduler::new(environment, store.clone(), leads.subscribe());
        let stop = CancellationToken::new();
        let task = tokio::spawn(runner.run(stop.clone()));
        Self { scheduler, leads, store, registry, runs, stop, task, _folder: folder }
    }

    /// Sets the clock, by so many seconds.
    pub(crate) fn set_clock(seconds: i64) {
        CLOCK.set(CLOCK.get().map(|(begun, set)| (begun, set + Duration::seconds(seconds))));
    }

    /// Lets time pass until so many seconds after [`START`] by an unset clock, and returns the runs made meanwhile.
    pub(crate) async fn until(&self, seconds: u64) -> Vec<Run> {
        let begun = CLOCK.get().unwrap().0;
        tokio::time::sleep_until(begun + std::time::Duration::from_millis(seconds * 1000 + 500)).await;
        std::mem::take(&mut *self.runs.lock().unwrap())
    }

    /// Ends the scheduler, and returns the runs made since somebody looked last.
    pub(crate) async fn stopped(self) -> Vec<Run> {
        self.stop.cancel();
        self.task.await.unwrap();
        std::mem::take(&mut *self.runs.lock().unwrap())
    }
}

/// Runs as they are easiest to read: when, and which job with which number.
#[track_caller]
pub(crate) fn assert_runs(found: &[Run], expected: &[(i64, i64, u64)]) {
    let expected: Vec<Run> = expected
        .iter()
        .map(|(seconds, id, run)| (*seconds, format!("job{id}"), *run, format!("extra{id}")))
        .collect();
    assert_eq!(found, expected);
}
