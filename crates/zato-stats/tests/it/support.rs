//! A service whose calls take as long as a test says, at a time that a test says.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use time::macros::datetime;
use tokio_util::task::TaskTracker;
use zato_cid::{Form, SystemGenerator};
use zato_kvdb::{Embedded, Kvdb, SystemClock};
use zato_service::{
    Context, Description, Environment, EnvironmentParts, Error, Observer, Outgoing, Registration, Registry,
    Service,
};
use zato_stats::Stats;

thread_local! {
    static NOW: Cell<OffsetDateTime> = const { Cell::new(datetime!(2026-03-04 10:00 UTC)) };
}

/// Turns the clock of this test's thread.
pub(crate) fn set_clock(time: OffsetDateTime) {
    NOW.set(time);
}

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

pub(crate) struct House {
    pub(crate) stats: Stats,
    pub(crate) kvdb: Kvdb,
    pub(crate) environment: Environment,
    pub(crate) services: Vec<Arc<Registration>>,
    _folder: Option<tempfile::TempDir>,
}

impl House {
    pub(crate) async fn new(names: &[&'static str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Embedded::open(&folder.path().join("kvdb"), Arc::new(SystemClock)).await.unwrap();
        Self { _folder: Some(folder), ..Self::on(Kvdb::new(store), names) }
    }

    /// The same on a store of any kind.
    pub(crate) fn on(kvdb: Kvdb, names: &[&'static str]) -> Self {
        let registry = Registry::new();
        let services = names.iter().map(|name| registry.register(Nothing(name)).unwrap()).collect();
        let environment = Environment::new(EnvironmentParts {
            outgoing: Outgoing::new(zato_outgoing::Outgoing::new(
                zato_outgoing::Environment::new("test").unwrap(),
            )),
            kvdb: kvdb.clone(),
            registry,
            cids: SystemGenerator::new(Form::default()),
            clock: || NOW.get(),
            tasks: TaskTracker::new(),
        });
        let stats = Stats::new(&environment, |message| String::from_utf8_lossy(message).into_owned());
        Self { stats, kvdb, environment, services, _folder: None }
    }

    /// Has a call noted that ends now.
    pub(crate) fn note(&self, service: usize, milliseconds: u64) {
        let elapsed = Duration::from_millis(milliseconds);
        self.stats.succeeded(&self.services[service], Instant::now(), elapsed);
    }
}
