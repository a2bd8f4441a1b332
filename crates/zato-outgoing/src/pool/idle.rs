//! The connections of a pool which no call uses at the moment.
//!
//! Owns the list of them, its limits, and the task which closes what has lain unused for too long.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

use http::Uri;
use tokio::sync::{Notify, Semaphore, SemaphorePermit, watch};
use tokio::time::Instant;

use super::PoolOptions;
use super::sender::Open;
use crate::error::Failure;
use crate::origin::Origin;
use crate::progress::Phase;
use crate::timer::LONGEST;

/// How often the task looks at the list of a pool that is in use.
///
/// The list hardly needs it, the runtime's clock does: a call's time-out that is the next one to run out makes the runtime wake
/// a sleeping thread when it is set. While this one comes first, setting the others is cheap.
const WHILE_USED: Duration = Duration::from_secs(1);

/// Of how many origins a pool remembers that they want HTTP/1.1. Most pools have one origin, and whoever is forgotten says it again.
const REMEMBERED: usize = 16;

/// What all calls of a pool share.
#[derive(Debug)]
pub(super) struct Shared {
    options: PoolOptions,
    permits: Semaphore,
    waiting: AtomicUsize,
    /// Locked for a few instructions at a time, never across a wait. Connections are closed when it is free again, because what
    /// ends with them may want it.
    state: Mutex<State>,
    /// Tells the task which watches over the list that something has happened on a connection in it, or that there is no list
    /// any more.
    look: Arc<Look>,
    watcher: Waker,
}

/// Wakes the task which watches over the list.
#[derive(Debug, Default)]
struct Look(Notify);

impl Wake for Look {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.notify_one();
    }
}

/// A place in the queue, free again when it is dropped.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize, limit: usize) -> Result<Self, Failure> {
        // Taken first and looked at then, so that two calls cannot both take the last place.
        let place = Self(waiting);
        if waiting.fetch_add(1, Ordering::Relaxed) < limit {
            Ok(place)
        } else {
            Err(Failure::QueueFull { limit })
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug, Default)]
struct State {
    /// The most recently used one comes last. HTTP/2 connections are in here while they are used, too.
    idle: Vec<Idle>,
    /// Where the last connection with HTTP/1.1 led. It is all that is remembered because most pools have one origin.
    http1: Option<Arc<Origin>>,
    /// Who wants HTTP/1.1 though it says that it speaks HTTP/2, the last one last.
    http1_required: Vec<Arc<Origin>>,
    /// Where connections are being opened which may turn out to be ones for many calls, and what tells their ends.
    openings: Vec<(Arc<Origin>, watch::Receiver<bool>)>,
    retired: bool,
    /// Whether a task watches over this list.
    watched: bool,
    /// Whether a connection has come back since that task last looked. A busy pool's list is often empty for a moment,
    /// which must not end the task and start another one with every call.
    used: bool,
}

#[derive(Debug)]
struct Idle {
    open: Box<Open>,
    since: Instant,
}

/// Whose turn it is to open a connection that may turn out to be one for many calls.
pub(super) enum Turn {
    /// That of the call which asked.
    Own(Opening),
    /// Another call opens one to the same origin.
    Other(Awaited),
}

/// A connection that is being opened by one call, for which others wait. They go on when this is dropped.
#[derive(Debug)]
pub(super) struct Opening {
    pool: Weak<Shared>,
    opened: watch::Sender<bool>,
}

impl Opening {
    /// The connection is there, and so is all that has to be known of it.
    pub(super) fn succeeded(self) {
        // Whoever goes on now and needs another connection must not find this one any more.
        self.forget();
        self.opened.send_replace(true);
    }

    fn forget(&self) {
        if let Some(pool) = self.pool.upgrade() {
            let mut state = pool.lock();
            // Another one may have begun since this one was forgotten.
            state.openings.retain(|(_, awaited)| !awaited.same_channel(&self.opened.subscribe()));
        }
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.forget();
    }
}

/// The end of another call's attempt to open a connection.
pub(super) struct Awaited(watch::Receiver<bool>);

impl Awaited {
    /// Waits for it and says whether there is a connection now.
    pub(super) async fn has_succeeded(mut self) -> bool {
        self.0.wait_for(|opened| *opened).await.is_ok()
    }
}

/// The right to use a connection of a pool, which it keeps alive. It is free for another call when it is dropped.
#[derive(Debug)]
pub(super) struct Permit(Arc<Shared>);

impl Permit {
    /// The permit is taken out of the semaphore for as long as this one lives, so that both need the pool's one count only.
    fn new(pool: &Arc<Shared>, permit: SemaphorePermit<'_>) -> Self {
        permit.forget();
        Self(Arc::clone(pool))
    }

    pub(super) fn pool(&self) -> &Arc<Shared> {
        &self.0
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.permits.add_permits(1);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.look.0.notify_one();
    }
}

impl Shared {
    pub(super) fn new(mut options: PoolOptions) -> Arc<Self> {
        options.idle_timeout = options.idle_timeout.min(LONGEST);
        options.max_lifetime = options.max_lifetime.map(|lifetime| lifetime.min(LONGEST));
        let size = options.size.clamp(1, Semaphore::MAX_PERMITS);
        let look = Arc::<Look>::default();
        Arc::new(Self {
            options,
            permits: Semaphore::new(size),
            waiting: AtomicUsize::new(0),
            state: Mutex::default(),
            watcher: Waker::from(Arc::clone(&look)),
            look,
        })
    }

    /// The right to use a connection, if no call waits for it.
    pub(super) fn permit_at_once(self: &Arc<Self>) -> Option<Permit> {
        self.permits.try_acquire().ok().map(|permit| Permit::new(self, permit))
    }

    /// Waits for the right to use a connection, unless too many do so already.
    pub(super) async fn permit(self: &Arc<Self>) -> Result<Permit, Failure> {
        if let Some(permit) = self.permit_at_once() {
            return Ok(permit);
        }
        let _place = Place::take(&self.waiting, self.options.queue_size)?;
        let acquired = match self.options.queue_timeout {
            Some(limit) => match tokio::time::timeout(limit, self.permits.acquire()).await {
                Ok(acquired) => acquired,
                Err(_) => return Err(Failure::TimedOut { phase: Phase::Queue }),
            },
            None => self.permits.acquire().await,
        };
        #[expect(clippy::expect_used, reason = "nothing closes the semaphore, it is dropped with the pool")]
        Ok(Permit::new(self, acquired.expect("the semaphore is never closed")))
    }

    /// Whom a connection in the list has to wake when something happens on it.
    pub(super) fn watcher(&self) -> Waker {
        self.watcher.clone()
    }

    pub(super) fn size(&self) -> usize {
        self.options.size
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Takes the most recently used live connection that leads to `url` and has room for a call: the others are then the first to
    /// become too old. Dead and outdated ones met on the way are closed.
    pub(super) fn take(&self, url: &Uri, now: Instant) -> Option<Box<Open>> {
        let mut closed = Vec::new();
        let mut state = self.lock();
        let mut index = state.idle.len();
        while index > 0 {
            index -= 1;
            let idle = &mut state.idle[index];
            if !idle.open.is_ready() || self.is_outdated(idle, now) {
                closed.push(state.idle.remove(index));
            } else if idle.open.leads_to(url) && idle.open.has_room() {
                if let Some(shared) = idle.open.share() {
                    idle.since = now;
                    return Some(shared);
                }
                return Some(state.idle.remove(index).open);
            }
        }
        None
    }

    /// Takes a connection back which no call uses since `since`.
    pub(super) fn put(self: &Arc<Self>, mut open: Box<Open>, since: Instant) {
        open.leave();
        if !open.is_ready() || self.is_too_old(&open, since) {
            return;
        }
        let mut state = self.lock();
        if state.retired {
            return;
        }
        state.idle.push(Idle { open, since });
        state.used = true;
        if !state.watched
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            state.watched = true;
            drop(state);
            runtime.spawn(close_outdated(Watch(Arc::downgrade(self)), Arc::clone(&self.look)));
        }
    }

    /// Asks for the turn to open a connection to `origin` which may be one for many calls: several calls at once would open one
    /// each, though all but one are not needed then.
    pub(super) fn turn_to_open(self: &Arc<Self>, origin: &Arc<Origin>) -> Turn {
        let mut state = self.lock();
        if let Some((_, awaited)) = state.openings.iter().find(|(known, _)| known == origin) {
            return Turn::Other(Awaited(awaited.clone()));
        }
        let (opened, awaited) = watch::channel(false);
        state.openings.push((Arc::clone(origin), awaited));
        Turn::Own(Opening { pool: Arc::downgrade(self), opened })
    }

    /// Whether a connection to `origin` may turn out to be one for many calls.
    pub(super) fn may_be_http2(&self, origin: &Arc<Origin>) -> bool {
        let state = self.lock();
        origin.is_tls() && state.http1.as_ref() != Some(origin) && !state.http1_required.contains(origin)
    }

    /// Whether `origin` has asked for HTTP/1.1.
    pub(super) fn is_http1_required(&self, origin: &Arc<Origin>) -> bool {
        self.lock().http1_required.contains(origin)
    }

    /// Remembers that `origin` has asked for HTTP/1.1. Connections of HTTP/2 to it end with their calls.
    pub(super) fn require_http1(&self, origin: &Arc<Origin>) {
        let mut closed = Vec::new();
        let mut state = self.lock();
        closed.extend(state.idle.extract_if(.., |idle| idle.open.leads_by_http2_to(origin)));
        if state.http1_required.contains(origin) {
            return;
        }
        if state.http1_required.len() >= REMEMBERED {
            state.http1_required.remove(0);
        }
        state.http1_required.push(Arc::clone(origin));
    }

    /// Remembers which protocol is spoken where a new connection leads.
    pub(super) fn learn(&self, open: &Open) {
        let (origin, is_http1) = open.leads_by_http1_to();
        if !origin.is_tls() {
            return;
        }
        let mut state = self.lock();
        if is_http1 {
            state.http1 = Some(Arc::clone(origin));
        } else if state.http1.as_ref() == Some(origin) {
            state.http1 = None;
        }
    }

    /// Keeps a second handle to a connection that can carry several calls. If several such connections were opened at
    /// once, though one of them can carry all calls, the first one stays and the others end with their calls.
    pub(super) fn share(self: &Arc<Self>, open: &Open) {
        let Some(shared) = open.share() else { return };
        let known = self.lock().idle.iter().any(|idle| idle.open.replaces(&shared));
        if !known {
            self.put(shared, Instant::now());
        }
    }

    /// Makes sure that a connection about to be opened does not exceed the pool's size, which matters when there are
    /// unused ones to other origins. The caller holds a permit for its own one.
    pub(super) fn make_room(&self) {
        let mut closed = Vec::new();
        let mut state = self.lock();
        // One for many calls which some of them use is in the list as well, and those calls have their permits.
        let unused = state.idle.iter().filter(|idle| !idle.open.is_used()).count();
        let mut surplus = unused.saturating_sub(self.permits.available_permits());
        closed.extend(state.idle.extract_if(.., |idle| {
            let is_surplus = surplus > 0 && !idle.open.is_used();
            surplus -= usize::from(is_surplus);
            is_surplus
        }));
    }

    pub(super) fn retire(&self) {
        let mut state = self.lock();
        state.retired = true;
        let closed = std::mem::take(&mut state.idle);
        drop(state);
        drop(closed);
    }

    pub(super) fn idle_connections(&self) -> usize {
        self.lock().idle.len()
    }

    fn is_outdated(&self, idle: &Idle, now: Instant) -> bool {
        now.saturating_duration_since(idle.since) >= self.options.idle_timeout
            || self.is_too_old(&idle.open, now)
    }

    fn is_too_old(&self, open: &Open, now: Instant) -> bool {
        self.options.max_lifetime.is_some_and(|lifetime| now.duration_since(open.opened) >= lifetime)
    }

    /// When an unused connection is to be closed.
    fn end(&self, idle: &Idle) -> Instant {
        let end = idle.since + self.options.idle_timeout;
        self.options.max_lifetime.map_or(end, |lifetime| end.min(idle.open.opened + lifetime))
    }

    /// Closes what is outdated and says when to look again, or `None` if the pool is out of use.
    fn close_outdated(&self) -> Option<Instant> {
        let mut closed = Vec::new();
        let mut state = self.lock();
        let now = Instant::now();
        closed.extend(state.idle.extract_if(.., |idle| {
            // What happens on a connection which nobody uses is that the other side closes it.
            let is_alive = if idle.open.is_woken() { idle.open.is_ready() } else { !idle.open.is_closed() };
            !is_alive || self.is_outdated(idle, now)
        }));
        let next = state.idle.iter().map(|idle| self.end(idle)).min();
        let used = std::mem::take(&mut state.used);
        state.watched = used || next.is_some();
        let next = next.unwrap_or(now + self.options.idle_timeout);
        state.watched.then(|| if used { next.min(now + WHILE_USED) } else { next })
    }

    /// The state is consistent at every point at which a panic could leave the lock, so a poisoned one is as good.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The watch over the list of a pool, which it does not keep alive. It ends with its task, also where that is dropped because its
/// runtime has ended: the next connection that comes back has another one begin.
struct Watch(Weak<Shared>);

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(pool) = self.0.upgrade() {
            pool.lock().watched = false;
        }
    }
}

/// Runs as long as a pool has unused connections, one task a pool.
async fn close_outdated(mut watch: Watch, look: Arc<Look>) {
    loop {
        let next = watch.0.upgrade().and_then(|pool| pool.close_outdated());
        let Some(next) = next else {
            // The pool knows, and may have begun another one by now.
            watch.0 = Weak::new();
            return;
        };
        // Whether the time is over, something has happened or the pool is gone, the next look tells what is left to do.
        let _elapsed = tokio::time::timeout_at(next, look.0.notified()).await;
    }
}
