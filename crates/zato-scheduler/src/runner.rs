//! Makes the runs: waits until one is due, claims it, starts the service.
//!
//! Owns the jobs in memory and the order in which they are due. It must not know calendars, which `schedule` does, nor how
//! claims are stored.
//!
//! A job goes round in a circle. It is *scheduled*: queued until its next run is due. When that has come it is *claimed*,
//! which the store decides. A granted claim starts the service and the job is scheduled again, counted from the time of
//! day. A claim that the store could not decide is made again a little later. Whatever else the store says takes the job out
//! of the circle until it is put again or this server begins to lead.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use zato_service::{ChannelKind, Environment, Input, Job, Origin};

use crate::scheduler::Command;
use crate::{Claim, Claimed, JobConfig, Progress, Store, StoreError};

/// The longest sleep. The clock may be set at any time, which no sleep ends for, so it is looked at this often while there
/// are jobs to wait for.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// When to ask the store again that did not answer.
const RETRY: Duration = Duration::from_secs(1);

/// A clock that goes back by less than this was not set, it was corrected.
const CORRECTION: Duration = Duration::from_millis(500);

/// Makes the runs of jobs. See [`Scheduler::new`](crate::Scheduler::new).
pub struct Runner {
    environment: Environment,
    store: Arc<dyn Store>,
    leads: watch::Receiver<bool>,
    commands: mpsc::UnboundedReceiver<Command>,
    jobs: HashMap<i64, Entry>,
    /// Empty unless this server leads.
    queue: Queue,
    claims: JoinSet<Decided>,
    phase: Phase,
    /// The time of day when it was looked at last.
    seen: OffsetDateTime,
    /// Whether the store did not answer last time, which is logged once.
    is_store_away: bool,
}

/// When which job has to be looked at.
type Queue = BTreeSet<(OffsetDateTime, i64)>;

/// What this server does for the jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It only knows them.
    Follows,
    /// It is to lead, and does not know yet what was done before.
    Begins,
    /// It runs them.
    Leads,
}

struct Entry {
    config: Arc<JobConfig>,
    progress: Progress,
    /// When this server learned of the job, or began to lead.
    learned: OffsetDateTime,
    /// When the next run is due, and when it is looked at: later, if the store did not answer.
    next: Option<(OffsetDateTime, OffsetDateTime)>,
}

impl Entry {
    fn unqueue(&mut self, queue: &mut Queue) {
        if let Some((_, looked_at)) = self.next.take() {
            queue.remove(&(looked_at, self.config.id));
        }
    }

    /// Queues the job for its next run, if it has one.
    fn schedule(&mut self, queue: &mut Queue, now: OffsetDateTime) {
        self.unqueue(queue);
        match self.config.schedule.next(now, self.learned, &self.progress) {
            Some(due) => {
                self.next = Some((due, due));
                queue.insert((due, self.config.id));
            }
            None => {
                tracing::info!(job = &*self.config.name, runs = self.progress.runs, "a job has no more runs")
            }
        }
    }
}

/// What the store said to a claim of a job, which may have been changed meanwhile.
struct Decided {
    config: Arc<JobConfig>,
    claim: Claim,
    outcome: Result<Claimed, StoreError>,
}

impl Runner {
    pub(crate) fn new(
        environment: Environment,
        store: Arc<dyn Store>,
        leads: watch::Receiver<bool>,
        commands: mpsc::UnboundedReceiver<Command>,
    ) -> Self {
        let seen = environment.now();
        Self {
            environment,
            store,
            leads,
            commands,
            jobs: HashMap::new(),
            queue: BTreeSet::new(),
            claims: JoinSet::new(),
            phase: Phase::Follows,
            seen,
            is_store_away: false,
        }
    }

    /// Makes runs until `stop` is cancelled. The runs themselves are among the
    /// [tasks](Environment::tasks) of the environment and may outlast this.
    pub async fn run(mut self, stop: CancellationToken) {
        self.leads.mark_changed();
        loop {
            let pause = self.pause();
            tokio::select! {
                () = stop.cancelled() => break,
                changed = self.leads.changed() => match changed {
                    Ok(()) => self.follow_leadership(),
                    Err(_) => break,
                },
                command = self.commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => break,
                },
                Some(decided) = self.claims.join_next(), if !self.claims.is_empty() => {
                    if let Ok(decided) = decided {
                        self.decided(decided);
                    }
                }
                () = sleep(pause.unwrap_or_default()), if pause.is_some() => self.look().await,
            }
        }
        // What is claimed is nobody else's to run.
        while let Some(decided) = self.claims.join_next().await {
            if let Ok(Decided { config, claim, outcome: Ok(Claimed::Granted) }) = decided {
                self.start(&config, claim.before.runs + 1, claim.due);
            }
        }
    }

    /// How long there is nothing to do; without an end if none is given.
    fn pause(&self) -> Option<Duration> {
        match self.phase {
            Phase::Follows => None,
            Phase::Begins if self.is_store_away => Some(RETRY),
            Phase::Begins => Some(Duration::ZERO),
            Phase::Leads => {
                let (first, _) = self.queue.first()?;
                let pause = (*first - self.environment.now()).try_into().unwrap_or(Duration::ZERO);
                Some(pause.min(LONGEST_SLEEP))
            }
        }
    }

    fn follow_leadership(&mut self) {
        let leads = *self.leads.borrow_and_update();
        self.phase = match (leads, self.phase) {
            (true, Phase::Follows) => Phase::Begins,
            (true, phase) => phase,
            (false, _) => {
                self.queue.clear();
                self.jobs.values_mut().for_each(|entry| entry.next = None);
                Phase::Follows
            }
        };
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::ReplaceAll(jobs) => {
                self.queue.clear();
                self.jobs.clear();
                jobs.into_iter().for_each(|job| self.put(job));
            }
            Command::Put(job) => self.put(job),
            Command::Remove(id) => {
                if let Some(mut entry) = self.jobs.remove(&id) {
                    entry.unqueue(&mut self.queue);
                }
            }
            Command::Execute(id) => match self.jobs.get(&id) {
                Some(entry) => self.start(&entry.config, 0, self.environment.now()),
                None => tracing::warn!(id, "a job that is not active can't be executed"),
            },
        }
    }

    fn put(&mut self, job: JobConfig) {
        let (id, progress, learned) = (job.id, job.progress, self.environment.now());
        if let Some(mut replaced) = self.jobs.remove(&id) {
            replaced.unqueue(&mut self.queue);
        }
        let mut entry = Entry { config: Arc::new(job), progress, learned, next: None };
        if self.phase == Phase::Leads {
            entry.schedule(&mut self.queue, learned);
        }
        self.jobs.insert(id, entry);
    }

    /// Does what is due.
    async fn look(&mut self) {
        if self.phase == Phase::Begins {
            self.begin().await;
            return;
        }
        let now = self.environment.now();
        if now + CORRECTION < self.seen {
            tracing::warn!(before = %self.seen, %now, "the clock was set back; all jobs are scheduled anew");
            let waiting = self.jobs.values_mut().filter(|entry| entry.next.is_some());
            waiting.for_each(|entry| entry.schedule(&mut self.queue, now));
        }
        self.seen = now;
        while let Some((looked_at, id)) =
            self.queue.first().copied().filter(|(looked_at, _)| *looked_at <= now)
        {
            self.queue.remove(&(looked_at, id));
            let Some(entry) = self.jobs.get_mut(&id) else { continue };
            let Some((due, _)) = entry.next.take() else { continue };
            let (config, store) = (Arc::clone(&entry.config), Arc::clone(&self.store));
            let claim = Claim { job_id: id, before: entry.progress, due };
            self.claims.spawn(async move {
                let outcome = store.claim(claim).await;
                Decided { config, claim, outcome }
            });
        }
    }

    /// Learns what was done so far, perhaps by other servers, and schedules everything.
    async fn begin(&mut self) {
        match self.store.progress().await {
            Ok(mut progress) => {
                self.is_store_away = false;
                self.phase = Phase::Leads;
                let now = self.environment.now();
                self.seen = now;
                for (id, entry) in &mut self.jobs {
                    entry.progress = progress.remove(id).unwrap_or_default();
                    entry.learned = now;
                    entry.schedule(&mut self.queue, now);
                }
                tracing::info!(jobs = self.jobs.len(), "this server runs the scheduler's jobs from now on");
            }
            Err(error) => self.store_is_away(&error),
        }
    }

    fn decided(&mut self, Decided { config, claim, outcome }: Decided) {
        let now = self.environment.now();
        let id = claim.job_id;
        // A job that was edited or deleted meanwhile still makes the run that was its own.
        let is_current = self.jobs.get(&id).is_some_and(|entry| Arc::ptr_eq(&entry.config, &config));
        if outcome.is_ok() {
            self.is_store_away = false;
        }
        match outcome {
            Ok(Claimed::Granted) => {
                let progress = Progress { runs: claim.before.runs + 1, last_due: Some(claim.due) };
                self.start(&config, progress.runs, claim.due);
                self.go_on(id, progress, is_current, now);
            }
            Ok(Claimed::Superseded(progress)) => self.go_on(id, progress, is_current, now),
            Ok(outcome @ (Claimed::Gone | Claimed::NotLeader)) => {
                tracing::debug!(job = &*config.name, ?outcome, "a run is not made here");
            }
            Err(error) => {
                self.store_is_away(&error);
                // One that is queued was scheduled meanwhile, when this server began to lead again.
                if is_current
                    && self.phase == Phase::Leads
                    && let Some(entry) = self.jobs.get_mut(&id).filter(|entry| entry.next.is_none())
                {
                    let again = now + RETRY;
                    entry.next = Some((claim.due, again));
                    self.queue.insert((again, id));
                }
            }
        }
    }

    /// Schedules a job after a run of it.
    fn go_on(&mut self, id: i64, progress: Progress, is_current: bool, now: OffsetDateTime) {
        if let Some(entry) = self.jobs.get_mut(&id).filter(|_| is_current) {
            entry.progress = progress;
            if self.phase == Phase::Leads {
                entry.schedule(&mut self.queue, now);
            }
        }
    }

    fn store_is_away(&mut self, error: &StoreError) {
        if !self.is_store_away {
            tracing::error!(error = &**error as &dyn std::error::Error, "runs of jobs wait for the database");
        }
        self.is_store_away = true;
    }

    /// Starts the service of a job. It runs beside everything else; its reply is dropped, its failure logged.
    fn start(&self, config: &JobConfig, run: u64, due: OffsetDateTime) {
        let cid = self.environment.new_cid();
        let job = Arc::clone(&config.name);
        let Some(service) = self.environment.registry().find(&config.service) else {
            tracing::error!(%cid, %job, service = &*config.service, "a job's service is not on this server");
            return;
        };
        if !service.is_active() {
            tracing::error!(%cid, %job, "Could not invoke an inactive service:`{}`, cid:`{cid}`", service.name());
            return;
        }
        tracing::debug!(%cid, %job, service = service.name(), run, "a job runs");
        let facts = Job { name: Arc::clone(&job), job_type: config.schedule.job_type(), run, due };
        let origin = Origin { job: Some(facts), ..Origin::default() };
        let mut context = self.environment.context(cid, ChannelKind::Scheduler, origin);
        let extra = config.extra.clone();
        self.environment.tasks().spawn(async move {
            let input = if extra.is_empty() { Input::Empty } else { Input::Raw(&extra) };
            if let Err(error) = service.call(&mut context, input).await {
                let causes = error.causes_in_line();
                tracing::error!(%cid, %job, service = service.name(), %error, causes, "a job's service failed");
            }
        });
    }
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner")
            .field("phase", &self.phase)
            .field("jobs", &self.jobs.len())
            .finish_non_exhaustive()
    }
}
