//! Which call it is, how far it has got, and how long each phase of it took.
//!
//! Owns the record which the layers of one call share. Inner layers write into it, the time-out and the errors read
//! from it. It knows no layer and no protocol.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use http::Extensions;
use time::OffsetDateTime;
use tokio::time::Instant;
use zato_cid::Cid;

/// One stretch of a call, in the order in which they happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum Phase {
    /// Waiting for one of the connections that the pool size allows.
    Queue = 0,
    /// Looking up the host's addresses.
    Resolve = 1,
    /// Opening the TCP connection.
    Connect = 2,
    /// Agreeing on TLS.
    Tls = 3,
    /// Sending the request and waiting for the head of the reply.
    FirstByte = 4,
    /// Reading the body of the reply.
    Body = 5,
    /// Waiting for an access token, before the queue. Connections that do not authenticate by OAuth 2.0 have no such phase.
    Token = 6,
    /// Waiting for a connection which another call opens and both may share, after the queue.
    Opening = 7,
}

const PHASES: usize = 8;

/// No time of day: no clock shows it.
const NEVER: i64 = i64::MIN;

/// No stretch of time: no call takes 584 years, nor is one given as many.
const NOT_YET: u64 = u64::MAX;

/// The present request may have been sent.
const SENT_NOW: u8 = 1;
/// A request of this attempt may have been sent which a reply then redirected.
const SENT_IN_ATTEMPT: u8 = 2;
/// A request of an earlier attempt may have been sent.
const SENT_BEFORE: u8 = 4;

impl Phase {
    const ALL: [Self; PHASES] = [
        Self::Queue,
        Self::Resolve,
        Self::Connect,
        Self::Tls,
        Self::FirstByte,
        Self::Body,
        Self::Token,
        Self::Opening,
    ];

    /// What the call was doing, as the end of a sentence: "timed out while …".
    pub fn description(self) -> &'static str {
        match self {
            Self::Queue => "waiting for a free connection",
            Self::Resolve => "resolving the host name",
            Self::Connect => "connecting",
            Self::Tls => "establishing TLS",
            Self::FirstByte => "waiting for the reply",
            Self::Body => "reading the reply",
            Self::Token => "waiting for an access token",
            Self::Opening => "waiting for a connection that another call opens",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}

/// The record of one call, shared by its layers. It travels in the request's extensions and its clones are one record.
#[derive(Clone, Debug)]
pub struct Progress(Arc<Record>);

/// Only one layer works on a call at a time, so relaxed ordering is enough, and no value has to be read and written in one step;
/// atomics are there because a layer may run on another thread than the one that asks.
#[derive(Debug)]
struct Record {
    cid: Option<Cid>,
    started: Instant,
    /// Nanoseconds after `started` at which the reply was handed out, or [`NOT_YET`].
    replied: AtomicU64,
    /// Nanoseconds after `started` at which the call's time is over, or [`NOT_YET`] if there is no such time.
    ends: AtomicU64,
    /// The time of day at which the call's first message was made, in microseconds since 1970, or [`NEVER`].
    called_at: AtomicI64,
    /// Nanoseconds after `started` at which the present phase was entered.
    entered: AtomicU64,
    phase: AtomicU8,
    /// What may have been sent, by [`SENT_NOW`] and its like.
    sent: AtomicU8,
    /// How often the request was begun anew, after an attempt that did not succeed.
    retries: AtomicU32,
    /// Nanoseconds spent in each phase which has been left; a phase entered twice, after a stale connection, adds up.
    spent: [AtomicU64; PHASES],
}

impl Progress {
    /// Starts the record of a call, in the phase [`Phase::Queue`].
    pub fn start() -> Self {
        Self::begin(None)
    }

    /// The same for a call that has a correlation id. Layers find it in here if the request's extensions have no [`Cid`] of their
    /// own: one extension takes less time than two.
    pub fn start_of(cid: Cid) -> Self {
        Self::begin(Some(cid))
    }

    fn begin(cid: Option<Cid>) -> Self {
        Self(Arc::new(Record {
            cid,
            started: Instant::now(),
            replied: AtomicU64::new(NOT_YET),
            ends: AtomicU64::new(NOT_YET),
            called_at: AtomicI64::new(NEVER),
            entered: AtomicU64::new(0),
            phase: AtomicU8::new(Phase::Queue as u8),
            sent: AtomicU8::new(0),
            retries: AtomicU32::new(0),
            spent: [const { AtomicU64::new(0) }; PHASES],
        }))
    }

    /// The correlation id of the call, if the record was started with one.
    pub fn cid(&self) -> Option<&Cid> {
        self.0.cid.as_ref()
    }

    /// The correlation id of a request: that in its extensions, or else the one in its record.
    pub(crate) fn cid_of(extensions: &Extensions) -> Option<&Cid> {
        extensions.get().or_else(|| extensions.get::<Self>()?.cid())
    }

    /// When the call began.
    pub(crate) fn started(&self) -> Instant {
        self.0.started
    }

    /// The time of day which all messages of the call state: that of the first one, when `now` is asked.
    pub(crate) fn called_at(&self, now: impl FnOnce() -> OffsetDateTime) -> OffsetDateTime {
        let known = self.0.called_at.load(Ordering::Relaxed);
        if known != NEVER
            && let Ok(known) = OffsetDateTime::from_unix_timestamp_nanos(i128::from(known) * 1000)
        {
            return known;
        }
        let now = now();
        let whole_seconds = now.unix_timestamp().checked_mul(1_000_000);
        let microseconds =
            whole_seconds.map_or(NEVER, |whole| whole.saturating_add(now.microsecond().into()));
        self.0.called_at.store(microseconds, Ordering::Relaxed);
        now
    }

    /// Leaves the present phase for another one.
    pub fn enter(&self, phase: Phase) {
        self.enter_at(phase, Instant::now());
    }

    /// The same for those who have just read the clock for something else.
    pub(crate) fn enter_at(&self, phase: Phase, now: Instant) {
        let now = nanoseconds(now.saturating_duration_since(self.0.started));
        let record = &*self.0;
        let since = record.entered.load(Ordering::Relaxed);
        let spent = &record.spent[self.phase() as usize];
        spent.store(spent.load(Ordering::Relaxed) + now.saturating_sub(since), Ordering::Relaxed);
        record.entered.store(now, Ordering::Relaxed);
        record.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// The phase the call is in.
    pub fn phase(&self) -> Phase {
        Phase::ALL[usize::from(self.0.phase.load(Ordering::Relaxed))]
    }

    /// The phase the call is in, and when it was entered: the two together tell whether it is still the same stretch.
    pub(crate) fn present(&self) -> (Phase, u64) {
        (self.phase(), self.0.entered.load(Ordering::Relaxed))
    }

    /// Records whether any of the present request may have left this machine. The pool takes it back when a connection
    /// turns out to have been closed before it accepted the request.
    pub fn set_sent(&self, sent: bool) {
        let others = self.0.sent.load(Ordering::Relaxed) & !SENT_NOW;
        self.0.sent.store(others | if sent { SENT_NOW } else { 0 }, Ordering::Relaxed);
    }

    /// Whether any of the call's requests may have left this machine, in this attempt or an earlier one.
    pub fn sent(&self) -> bool {
        self.0.sent.load(Ordering::Relaxed) != 0
    }

    /// Whether any of the present attempt's requests may have left this machine.
    pub fn sent_in_attempt(&self) -> bool {
        self.0.sent.load(Ordering::Relaxed) & (SENT_NOW | SENT_IN_ATTEMPT) != 0
    }

    /// Records that the call goes on with another request, to which a reply has led.
    pub fn next_hop(&self) {
        if self.sent_in_attempt() {
            let earlier = self.0.sent.load(Ordering::Relaxed) & SENT_BEFORE;
            self.0.sent.store(earlier | SENT_IN_ATTEMPT, Ordering::Relaxed);
        }
    }

    /// Records that the call is tried again.
    pub fn next_attempt(&self) {
        if self.sent() {
            self.0.sent.store(SENT_BEFORE, Ordering::Relaxed);
        }
        self.0.retries.fetch_add(1, Ordering::Relaxed);
        self.enter(Phase::Queue);
    }

    /// How many attempts there have been, the present one included.
    pub fn attempts(&self) -> u32 {
        self.0.retries.load(Ordering::Relaxed).saturating_add(1)
    }

    /// The time spent so far.
    pub fn timing(&self) -> Timing {
        self.timing_until(nanoseconds(self.0.started.elapsed()))
    }

    /// Records how much time the call is given, from its beginning on. The [time-out](crate::layers::timeout) does so.
    pub(crate) fn set_time(&self, total: Duration) {
        self.0.ends.store(nanoseconds(total), Ordering::Relaxed);
    }

    /// Whether something that takes `wait` from now on ends while the call still has time.
    pub(crate) fn has_time_for(&self, wait: Duration) -> bool {
        let ends = self.0.ends.load(Ordering::Relaxed);
        ends == NOT_YET || nanoseconds(self.0.started.elapsed().saturating_add(wait)) < ends
    }

    /// When the call's time is over, if there is such a time.
    pub(crate) fn ends(&self) -> Option<Instant> {
        let ends = self.0.ends.load(Ordering::Relaxed);
        if ends == NOT_YET { None } else { self.0.started.checked_add(Duration::from_nanos(ends)) }
    }

    /// Records that the reply is handed out now.
    pub(crate) fn set_replied(&self) {
        self.0.replied.store(nanoseconds(self.0.started.elapsed()), Ordering::Relaxed);
    }

    /// The time spent until the reply was handed out, which the [timing layer](crate::layers::timing) records. `None` without it,
    /// and before.
    pub fn reply_timing(&self) -> Option<Timing> {
        let replied = self.0.replied.load(Ordering::Relaxed);
        (replied != NOT_YET).then(|| self.timing_until(replied))
    }

    fn timing_until(&self, total: u64) -> Timing {
        let mut phases = self.0.spent.each_ref().map(|spent| spent.load(Ordering::Relaxed));
        let present = total.saturating_sub(self.0.entered.load(Ordering::Relaxed));
        phases[usize::from(self.0.phase.load(Ordering::Relaxed))] += present;
        Timing { total, phases }
    }
}

/// 2^64 nanoseconds are 584 years, so the cut only matters to the compiler.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// How long a call took, as a whole and by phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// In nanoseconds, and so are the phases.
    total: u64,
    phases: [u64; PHASES],
}

impl Timing {
    /// From the start of the call until its reply was there, or until it failed.
    pub fn total(&self) -> Duration {
        Duration::from_nanos(self.total)
    }

    /// The time spent in one phase; zero if the call did not come to it or did not need it.
    pub fn phase(&self, phase: Phase) -> Duration {
        Duration::from_nanos(self.phases[phase as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn phases_add_up_to_the_total() {
        let progress = Progress::start();
        tokio::time::advance(Duration::from_millis(3)).await;
        progress.enter(Phase::Connect);
        tokio::time::advance(Duration::from_millis(5)).await;
        progress.enter(Phase::FirstByte);
        tokio::time::advance(Duration::from_millis(7)).await;
        progress.enter(Phase::Connect);
        tokio::time::advance(Duration::from_millis(11)).await;

        let timing = progress.timing();
        assert_eq!(progress.phase(), Phase::Connect);
        assert_eq!(timing.phase(Phase::Queue), Duration::from_millis(3));
        assert_eq!(timing.phase(Phase::Connect), Duration::from_millis(16));
        assert_eq!(timing.phase(Phase::FirstByte), Duration::from_millis(7));
        assert_eq!(timing.phase(Phase::Tls), Duration::ZERO);
        assert_eq!(timing.total(), Duration::from_millis(26));
    }

    #[test]
    fn what_was_sent_stays_sent() {
        let progress = Progress::start();
        let check = |attempts, sent_in_attempt, sent| {
            assert_eq!(progress.attempts(), attempts);
            assert_eq!((progress.sent_in_attempt(), progress.sent()), (sent_in_attempt, sent));
        };
        check(1, false, false);
        progress.next_attempt();
        check(2, false, false);
        progress.set_sent(true);
        progress.next_hop();
        progress.set_sent(true);
        progress.set_sent(false);
        check(2, true, true);
        progress.next_attempt();
        check(3, false, true);
        progress.next_hop();
        check(3, false, true);
    }

    #[test]
    fn clones_are_one_record() {
        let progress = Progress::start();
        progress.clone().set_sent(true);
        progress.clone().enter(Phase::Body);
        assert!(progress.sent());
        assert_eq!(progress.phase(), Phase::Body);
    }
}
