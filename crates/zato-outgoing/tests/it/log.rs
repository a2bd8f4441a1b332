//! What is logged, as text.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::Field;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Metadata, Subscriber};

/// Keeps the events and spans of a level and of those above it, one line each.
#[derive(Clone)]
pub(crate) struct Log {
    level: Level,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Log {
    /// One that takes effect on this thread until the guard is dropped.
    pub(crate) fn of(level: Level) -> (Self, DefaultGuard) {
        let log = Self { level, lines: Arc::default() };
        let guard = tracing::subscriber::set_default(log.clone());
        // Another thread may have come by what is logged for the first time just when this log was not known yet.
        tracing::callsite::rebuild_interest_cache();
        (log, guard)
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    fn keep(&self, target: &str, record: impl FnOnce(&mut dyn FnMut(&Field, &dyn Debug))) {
        let mut line = format!("{target}: ");
        record(&mut |field, value| line += &format!("{field}={value:?} "));
        self.lines.lock().unwrap().push(line);
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.keep(span.metadata().target(), |mut visit| span.record(&mut visit));
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, values: &Record<'_>) {
        self.keep("", |mut visit| values.record(&mut visit));
    }

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.keep(event.metadata().target(), |mut visit| event.record(&mut visit));
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}
