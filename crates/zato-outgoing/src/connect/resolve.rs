//! The addresses of host names.
//!
//! Owns the cache in front of the operating system's resolver. That one does not say how long its answers are good for, so
//! the cache keeps them for a fixed time that is short enough for changes and long enough for bursts. It opens nothing.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long an answer is used.
const LIFETIME: Duration = Duration::from_secs(30);
/// How many host names are remembered at most.
const CAPACITY: usize = 1024;

/// Looks up host names and remembers the answers. Failures are not remembered.
#[derive(Debug, Default)]
pub(crate) struct Resolver {
    /// Locked for a few instructions at a time, never across a wait.
    answers: Mutex<HashMap<Box<str>, Answer>>,
}

#[derive(Debug)]
struct Answer {
    addresses: Arc<[IpAddr]>,
    expires: Instant,
}

impl Resolver {
    /// The addresses of `host`, at least one; an address is its own.
    pub(crate) async fn resolve(&self, host: &str) -> io::Result<Arc<[IpAddr]>> {
        self.resolve_by(host, async || {
            Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
        })
        .await
    }

    async fn resolve_by<F>(&self, host: &str, look_up: impl FnOnce() -> F) -> io::Result<Arc<[IpAddr]>>
    where
        F: Future<Output = io::Result<Vec<IpAddr>>>,
    {
        if let Ok(address) = host.parse() {
            return Ok(Arc::new([address]));
        }
        if let Some(known) = self.lock().get(host)
            && Instant::now() < known.expires
        {
            return Ok(Arc::clone(&known.addresses));
        }
        let mut addresses = look_up().await?;
        if addresses.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the host name has no addresses"));
        }
        // The resolver repeats an address for each kind of socket.
        let mut seen = std::collections::HashSet::new();
        addresses.retain(|address| seen.insert(*address));
        let addresses: Arc<[IpAddr]> = addresses.into();
        self.remember(host, &addresses);
        Ok(addresses)
    }

    /// Forgets a host whose addresses turned out not to lead to it, so that a host that has moved is found at once.
    pub(crate) fn forget(&self, host: &str) {
        self.lock().remove(host);
    }

    fn remember(&self, host: &str, addresses: &Arc<[IpAddr]>) {
        let now = Instant::now();
        let mut answers = self.lock();
        if answers.len() >= CAPACITY {
            answers.retain(|_, answer| now < answer.expires);
        }
        // Still full of answers younger than their lifetime: whatever is left out now is looked up again.
        if answers.len() < CAPACITY {
            let answer = Answer { addresses: Arc::clone(addresses), expires: now + LIFETIME };
            answers.insert(host.into(), answer);
        }
    }

    /// The answers are consistent at every point at which a panic could leave the lock, so a poisoned one is as good.
    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_used_for_its_lifetime() {
        let (resolver, lookups) = (Resolver::default(), AtomicUsize::new(0));
        let resolve = async || {
            let look_up = async || {
                lookups.fetch_add(1, Ordering::SeqCst);
                Ok(vec![ADDRESS, ADDRESS])
            };
            assert_eq!(*resolver.resolve_by("example.com", look_up).await.unwrap(), [ADDRESS]);
            lookups.load(Ordering::SeqCst)
        };
        assert_eq!((resolve().await, resolve().await), (1, 1));
        tokio::time::advance(LIFETIME).await;
        assert_eq!((resolve().await, resolve().await), (2, 2));
        resolver.forget("example.com");
        assert_eq!(resolve().await, 3);
    }

    #[tokio::test]
    async fn failures_are_not_remembered() {
        let resolver = Resolver::default();
        let error = resolver.resolve_by("a", async || Err(io::ErrorKind::TimedOut.into())).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let error = resolver.resolve_by("a", async || Ok(Vec::new())).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(resolver.resolve_by("a", async || Ok(vec![ADDRESS])).await.is_ok());
    }

    #[tokio::test]
    async fn an_address_needs_no_lookup() {
        let resolver = Resolver::default();
        for address in ["192.0.2.1", "::1"] {
            let addresses =
                resolver.resolve_by(address, async || panic!("nothing to look up")).await.unwrap();
            assert_eq!(*addresses, [address.parse::<IpAddr>().unwrap()]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_cache_is_bounded() {
        let resolver = Resolver::default();
        for number in 0..CAPACITY + 10 {
            resolver.resolve_by(&format!("host{number}"), async || Ok(vec![ADDRESS])).await.unwrap();
        }
        assert_eq!(resolver.lock().len(), CAPACITY);
        tokio::time::advance(LIFETIME).await;
        resolver.resolve_by("another", async || Ok(vec![ADDRESS])).await.unwrap();
        assert_eq!(resolver.lock().len(), 1);
    }
}
