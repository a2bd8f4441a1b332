//! All services by name, with what is known of each at run time.
//!
//! Owns registration, look-up, the active flag and the counters. It must not know where those settings are stored.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use http::StatusCode;

use crate::endpoint::Endpoint;
use crate::observer::{self, Exchange, Observer};
use crate::{Context, Description, Error, ErrorKind, Input, Output, Raw, Service, Statistics};

/// In milliseconds; what the original gives to new services.
const DEFAULT_SLOW_THRESHOLD: u64 = 99_999;

/// The services of a server, by name. Look-ups take no lock.
#[derive(Clone, Default)]
pub struct Registry {
    services: Arc<ArcSwap<HashMap<Arc<str>, Arc<Registration>>>>,
    observer: SharedObserver,
}

/// The observer of a registry, which comes after the first services are there.
type SharedObserver = Arc<OnceLock<Arc<dyn Observer>>>;

/// Why a service could not be registered.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistryError {
    /// Another service answers under that name.
    #[error("there is a service of the name [{0}] already")]
    Duplicate(Arc<str>),
    /// A name is 1 to 300 bytes of UTF-8 without white space or control characters.
    #[error("[{0}] is no service name: it must have 1 to 300 bytes without white space")]
    InvalidName(Arc<str>),
}

impl Registry {
    /// A registry without services.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells an observer of all calls from now on. There can be one; a second one is not told and comes back.
    ///
    /// # Errors
    /// There is one already.
    pub fn observe(&self, observer: Arc<dyn Observer>) -> Result<(), Arc<dyn Observer>> {
        self.observer.set(observer)
    }

    /// Adds a service under its name and aliases.
    ///
    /// # Errors
    /// One of the names is taken or is not a name. Nothing is added then.
    pub fn register<S: Service>(&self, service: S) -> Result<Arc<Registration>, RegistryError> {
        let registration = Arc::new(Registration::new(Box::new(service), Arc::clone(&self.observer)));
        let aliases = registration.description.aliases.iter().map(|alias| Arc::from(*alias));
        let names: Vec<Arc<str>> = std::iter::once(Arc::clone(&registration.name)).chain(aliases).collect();
        if let Some(name) = names.iter().find(|name| !is_name(name)) {
            return Err(RegistryError::InvalidName(Arc::clone(name)));
        }
        let mut duplicate = None;
        self.services.rcu(|services| {
            duplicate = names.iter().find(|name| services.contains_key(*name)).cloned();
            let mut services = HashMap::clone(services);
            if duplicate.is_none() {
                services.extend(names.iter().map(|name| (Arc::clone(name), Arc::clone(&registration))));
            }
            services
        });
        duplicate.map_or(Ok(registration), |name| Err(RegistryError::Duplicate(name)))
    }

    /// Takes a service away under all its names, and says whether it was there. Calls of it that are under way go on.
    pub fn remove(&self, name: &str) -> bool {
        let mut is_there = false;
        self.services.rcu(|services| {
            let found = services.get(name).cloned();
            is_there = found.is_some();
            let mut services = HashMap::clone(services);
            if let Some(found) = found {
                services.retain(|_, registration| !Arc::ptr_eq(registration, &found));
            }
            services
        });
        is_there
    }

    /// Finds a service by its name or one of its aliases.
    pub fn find(&self, name: &str) -> Option<Arc<Registration>> {
        self.services.load().get(name).cloned()
    }

    /// All services, each once, sorted by name.
    pub fn services(&self) -> Vec<Arc<Registration>> {
        let services = self.services.load();
        let mut services: Vec<_> = services
            .iter()
            .filter(|(name, registration)| **name == registration.name)
            .map(|(_, registration)| Arc::clone(registration))
            .collect();
        services.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        services
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.services.load().keys()).finish()
    }
}

fn is_name(name: &str) -> bool {
    (1..=300).contains(&name.len()) && !name.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// A registered service and its run-time settings.
pub struct Registration {
    name: Arc<str>,
    description: Description,
    endpoint: Box<dyn Endpoint>,
    id: AtomicI64,
    is_active: AtomicBool,
    slow_threshold: AtomicU64,
    sample_frequency: AtomicU64,
    /// How many calls there were while some of them were samples.
    sampled: AtomicU64,
    statistics: Statistics,
    observer: SharedObserver,
}

impl Registration {
    fn new(endpoint: Box<dyn Endpoint>, observer: SharedObserver) -> Self {
        let description = endpoint.description();
        Self {
            name: Arc::from(&*description.name),
            description,
            endpoint,
            id: AtomicI64::new(0),
            is_active: AtomicBool::new(true),
            slow_threshold: AtomicU64::new(DEFAULT_SLOW_THRESHOLD),
            sample_frequency: AtomicU64::new(0),
            sampled: AtomicU64::new(0),
            statistics: Statistics::default(),
            observer,
        }
    }

    /// The service's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Further names that it answers under.
    pub fn aliases(&self) -> &'static [&'static str] {
        self.description.aliases
    }

    /// The local name that the root of an XML payload must have.
    pub fn request_element(&self) -> Option<&str> {
        self.description.request_element.as_deref()
    }

    /// The element, or JSON key, that holds the reply's payload.
    pub fn response_element(&self) -> Option<&str> {
        self.description.response_element.as_deref()
    }

    /// The XML namespace of replies.
    pub fn namespace(&self) -> Option<&str> {
        self.description.namespace.as_deref()
    }

    /// Whether it belongs to the house and not to its users.
    pub fn is_internal(&self) -> bool {
        self.description.is_internal
    }

    /// Whether JSON replies carry a `zato_env`.
    pub fn has_json_envelope(&self) -> bool {
        self.description.has_json_envelope
    }

    /// The service's id in the operational database; 0 before it is stored there.
    pub fn id(&self) -> i64 {
        self.id.load(Relaxed)
    }

    /// Whether it may be invoked.
    pub fn is_active(&self) -> bool {
        self.is_active.load(Relaxed)
    }

    /// Applies what is stored about the service.
    pub fn configure(&self, id: i64, is_active: bool, slow_threshold: Duration) {
        self.id.store(id, Relaxed);
        self.slow_threshold.store(u64::try_from(slow_threshold.as_millis()).unwrap_or(u64::MAX), Relaxed);
        self.is_active.store(is_active, Relaxed);
    }

    /// Above which processing time a reply counts as slow.
    pub fn slow_threshold(&self) -> Duration {
        Duration::from_millis(self.slow_threshold.load(Relaxed))
    }

    /// Keeps request and reply of every `frequency`th call from now on as a sample; 0 keeps none.
    pub fn sample_every(&self, frequency: u64) {
        if self.sample_frequency.swap(frequency, Relaxed) != frequency {
            self.sampled.store(0, Relaxed);
        }
    }

    /// How it fared since the server's start.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Runs the service: hooks, handler, counters. Does not look at the active flag; whoever resolves a name does.
    ///
    /// # Errors
    /// Whatever the service fails with, with the service named in it.
    pub async fn call(
        self: &Arc<Self>,
        cx: &mut Context,
        input: Input<'_>,
    ) -> Result<Box<dyn Output>, Error> {
        cx.enter(self);
        if !self.endpoint.accept(cx) {
            cx.response().status = Some(StatusCode::BAD_REQUEST);
            return Ok(Box::new(Raw::default()));
        }
        self.statistics.began();
        let is_sample = self.is_sample();
        let begun = Instant::now();
        let succeeded = |cx: &Context, ended: Instant, output: &dyn Output| {
            let elapsed = ended.duration_since(begun);
            self.statistics.succeeded(ended, elapsed);
            self.tell(cx, is_sample, ended, elapsed, &input, output);
        };
        self.endpoint.call(cx, &input, &succeeded).await.map_err(|error| {
            self.statistics.failed();
            error.in_service(self.name())
        })
    }

    /// Whether the call that begins is one whose request and reply are to be kept. Calls are numbered only where that matters,
    /// because all cores count on at the same place.
    fn is_sample(&self) -> bool {
        let frequency = self.sample_frequency.load(Relaxed);
        frequency > 0 && (self.sampled.fetch_add(1, Relaxed) + 1).is_multiple_of(frequency)
    }

    /// Tells the observer of a call that succeeded, and logs a slow one.
    fn tell(
        self: &Arc<Self>,
        cx: &Context,
        is_sample: bool,
        ended: Instant,
        elapsed: Duration,
        input: &Input<'_>,
        output: &dyn Output,
    ) {
        let is_slow = elapsed > self.slow_threshold();
        if is_slow {
            tracing::warn!(cid = %cx.cid(), service = self.name(), ?elapsed, "a slow response");
        }
        let Some(observer) = self.observer.get() else { return };
        observer.succeeded(self, ended, elapsed);
        if is_slow || is_sample {
            let answered = cx.now();
            observer.exchanged(Exchange {
                service: Arc::clone(self),
                cid: cx.cid(),
                is_sample,
                is_slow,
                request: input.to_bytes(),
                response: observer::encode(self, input, output),
                received: answered - elapsed,
                answered,
                elapsed,
            });
        }
    }

    /// The error of a service that may not be invoked.
    pub fn inactive(&self) -> Error {
        Error::new(ErrorKind::NotFound, format!("`{}` is inactive", self.name))
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("name", &self.name)
            .field("id", &self.id)
            .field("is_active", &self.is_active)
            .finish_non_exhaustive()
    }
}
