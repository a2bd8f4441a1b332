//! Which server of a cluster does what must be done once: scheduler jobs, and connectors that consume.
//!
//! Owns the lease in the cluster's row and when this server takes, keeps and gives it up. It must not know what a leader
//! does: whoever does something subscribes.
//!
//! No clocks of different machines are compared. The holder writes the time into the row every [`LeaseTimes::renewal`],
//! and the others only look whether the row changes: one that stayed as it was for [`LeaseTimes::expiry`] of their own
//! clock has lost its holder. A holder that could not renew for [`LeaseTimes::hold`], counted from the beginning of the
//! last renewal that succeeded, stops leading. That is shorter than the expiry, so a leader stops before another begins,
//! also when it was merely cut off from the database. For a process that was frozen and does not know of it yet there is
//! [`holds_lease`]: work that must be done once checks the lease in the transaction by which it claims the work.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use zato_odb::model::Cluster;
use zato_odb::{Odb, OdbError, Read, Transaction};

/// How long the database may take to write down that a server that stops has no lease any more.
const RELEASE: Duration = Duration::from_secs(3);

/// The intervals of the lease. All servers of a cluster need the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseTimes {
    /// How often the holder renews its lease.
    pub renewal: Duration,
    /// How long a holder goes on without a renewal.
    pub hold: Duration,
    /// How long the others watch a lease that is not renewed before they take it.
    pub expiry: Duration,
    /// How often the others look.
    pub look: Duration,
}

/// A leader that was killed is replaced 11 to 14 seconds later.
impl Default for LeaseTimes {
    fn default() -> Self {
        Self {
            renewal: Duration::from_secs(3),
            hold: Duration::from_secs(8),
            expiry: Duration::from_secs(11),
            look: Duration::from_secs(1),
        }
    }
}

/// This server's part in the election of its cluster's leader. Clones share it.
#[derive(Clone)]
pub struct Leadership(Arc<Inner>);

struct Inner {
    odb: Odb,
    cluster_id: i64,
    server_id: i64,
    times: LeaseTimes,
    leads: watch::Sender<bool>,
    state: Mutex<State>,
}

/// What this server knows of the lease.
#[derive(Debug, Default)]
struct State {
    /// When the last renewal of this server's own lease began.
    renewed: Option<Instant>,
    /// Somebody else's lease, and when it was first seen like that.
    seen: Option<(Lease, Instant)>,
}

/// What the cluster's row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lease {
    server_id: Option<i64>,
    kept_alive: Option<OffsetDateTime>,
}

impl Lease {
    fn of(cluster: &Cluster) -> Self {
        Self { server_id: cluster.cw_srv_id, kept_alive: cluster.cw_srv_keep_alive_dt }
    }
}

/// Who leads after an attempt to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leader {
    /// This server.
    This,
    /// The server with this id.
    Other(i64),
    /// The cluster's row is gone, or somebody else was faster and has given up again.
    Nobody,
}

impl Leadership {
    /// A server that does not lead yet. `server_id` is the id of its row.
    #[must_use]
    pub fn new(odb: Odb, cluster_id: i64, server_id: i64, times: LeaseTimes) -> Self {
        let (leads, state) = (watch::Sender::new(false), Mutex::default());
        Self(Arc::new(Inner { odb, cluster_id, server_id, times, leads, state }))
    }

    /// The id of this server's row.
    #[must_use]
    pub fn server_id(&self) -> i64 {
        self.0.server_id
    }

    /// Whether this server leads.
    #[must_use]
    pub fn leads(&self) -> bool {
        *self.0.leads.borrow()
    }

    /// Tells of every change. What a leader does must have stopped soon after the value becomes `false`: the next leader
    /// begins seconds later.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<bool> {
        self.0.leads.subscribe()
    }

    /// Takes part in the election until `stop` is cancelled, then gives the lease back.
    pub async fn run(self, stop: CancellationToken) {
        let mut is_away = false;
        loop {
            let pause = match self.step().await {
                Ok(pause) => {
                    is_away = false;
                    pause
                }
                Err(error) => {
                    if !is_away {
                        tracing::warn!(%error, "the lease of the cluster's leader can't be read or written");
                    }
                    is_away = true;
                    self.0.times.look
                }
            };
            if stop.run_until_cancelled(sleep(pause)).await.is_none() {
                break;
            }
        }
        if let Err(error) = timeout(RELEASE, self.release()).await.unwrap_or(Ok(())) {
            tracing::warn!(%error, "the lease could not be given back; another server takes it when it has expired");
        }
    }

    /// Renews this server's lease, or looks after somebody else's. Returns when to do so again.
    async fn step(&self) -> Result<Duration, OdbError> {
        let mut state = self.0.state.lock().await;
        if state.renewed.is_some() {
            self.renew_in_time(&mut state).await?;
        } else {
            self.challenge(&mut state).await?;
        }
        let due = state.renewed.map(|renewed| renewed + self.0.times.renewal);
        Ok(due.map_or(self.0.times.look, |due| due.saturating_duration_since(Instant::now())))
    }

    /// Renews this server's lease, or stops leading when the lease may soon be somebody else's.
    async fn renew_in_time(&self, state: &mut State) -> Result<(), OdbError> {
        let Some(renewed) = state.renewed else { return Ok(()) };
        let deadline = renewed + self.0.times.hold;
        match timeout_at(deadline, self.renew(state)).await {
            Ok(Err(error)) if Instant::now() < deadline => Err(error),
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => {
                self.step_down(state, "it could not be renewed");
                Ok(())
            }
        }
    }

    /// Writes the time into this server's lease.
    async fn renew(&self, state: &mut State) -> Result<(), OdbError> {
        let begun = Instant::now();
        let mut tx = self.0.odb.begin().await?;
        match tx.find::<Cluster>(self.0.cluster_id).await? {
            Some(cluster) if cluster.cw_srv_id == Some(self.0.server_id) => {
                self.write(&mut tx, cluster).await?;
                tx.commit().await?;
                state.renewed = Some(begun);
            }
            _ => self.step_down(state, "another server has it"),
        }
        Ok(())
    }

    /// Takes the lease if nobody has it, if it is left from an earlier life of this server, or if its holder is gone.
    async fn challenge(&self, state: &mut State) -> Result<Leader, OdbError> {
        let Some(cluster) = self.0.odb.find::<Cluster>(self.0.cluster_id).await? else {
            return Ok(Leader::Nobody);
        };
        let lease = Lease::of(&cluster);
        if let Some(holder) = lease.server_id.filter(|holder| *holder != self.0.server_id) {
            let now = Instant::now();
            match state.seen {
                Some((seen, since)) if seen == lease => {
                    if now < since + self.0.times.expiry {
                        return Ok(Leader::Other(holder));
                    }
                }
                _ => {
                    state.seen = Some((lease, now));
                    return Ok(Leader::Other(holder));
                }
            }
        }
        let begun = Instant::now();
        let mut tx = self.0.odb.begin().await?;
        match tx.find::<Cluster>(self.0.cluster_id).await? {
            Some(cluster) if Lease::of(&cluster) == lease => {
                self.write(&mut tx, cluster).await?;
                tx.commit().await?;
                *state = State { renewed: Some(begun), seen: None };
                self.0.leads.send_replace(true);
                tracing::info!(before = lease.server_id, "this server leads the cluster from now on");
                Ok(Leader::This)
            }
            changed => {
                Ok(changed.and_then(|cluster| cluster.cw_srv_id).map_or(Leader::Nobody, Leader::Other))
            }
        }
    }

    async fn write(&self, tx: &mut Transaction, mut cluster: Cluster) -> Result<(), OdbError> {
        cluster.cw_srv_id = Some(self.0.server_id);
        cluster.cw_srv_keep_alive_dt = Some(OffsetDateTime::now_utc());
        tx.update(&cluster).await
    }

    fn step_down(&self, state: &mut State, why: &'static str) {
        *state = State::default();
        self.0.leads.send_replace(false);
        tracing::warn!(why, "this server leads the cluster no more: it lost the lease");
    }

    async fn release(&self) -> Result<(), OdbError> {
        let mut state = self.0.state.lock().await;
        if state.renewed.is_none() {
            return Ok(());
        }
        *state = State::default();
        self.0.leads.send_replace(false);
        let mut tx = self.0.odb.begin().await?;
        if let Some(mut cluster) = tx.find::<Cluster>(self.0.cluster_id).await?
            && cluster.cw_srv_id == Some(self.0.server_id)
        {
            cluster.cw_srv_id = None;
            cluster.cw_srv_keep_alive_dt = None;
            tx.update(&cluster).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Tries to make this server the leader now. Nothing is taken from a holder that is not known to be gone.
    pub(crate) async fn ensure(&self) -> Result<Leader, OdbError> {
        let mut state = self.0.state.lock().await;
        if state.renewed.is_some() { Ok(Leader::This) } else { self.challenge(&mut state).await }
    }

    /// Renews the lease now. Returns whether this server has it.
    pub(crate) async fn keep_alive(&self) -> Result<bool, OdbError> {
        let mut state = self.0.state.lock().await;
        self.renew_in_time(&mut state).await?;
        Ok(state.renewed.is_some())
    }
}

impl fmt::Debug for Leadership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leadership")
            .field("server_id", &self.0.server_id)
            .field("leads", &self.leads())
            .finish_non_exhaustive()
    }
}

/// Whether a server has the lease of its cluster, as a transaction sees it. The answer stays true until the transaction
/// ends, because there is one at a time.
///
/// # Errors
/// The operational database can't be read.
pub async fn holds_lease(tx: &Transaction, cluster_id: i64, server_id: i64) -> Result<bool, OdbError> {
    let cluster = tx.find::<Cluster>(cluster_id).await?;
    Ok(cluster.is_some_and(|cluster| cluster.cw_srv_id == Some(server_id)))
}
