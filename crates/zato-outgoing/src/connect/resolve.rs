//! The addresses of host names.
//!
//! Owns the cache in front of the operating system's resolver. That one is asked for the addresses, so that a name means here what
//! it means everywhere else on the machine, whatever that takes them from. It does not say how long its answers are good for; DNS
//! does, and is asked for nothing but that, after the call has gone on. It opens no connections to hosts.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::ResolveHosts;
use tokio::time::Instant;

/// How long an answer is used of which DNS knows nothing, such as one of the hosts file: short enough for changes and long enough
/// for bursts.
const UNCONFIRMED: Duration = Duration::from_secs(30);
/// The longest and the shortest time for which an answer is used, whatever DNS says.
const LONGEST: Duration = Duration::from_secs(60 * 60);
const SHORTEST: Duration = Duration::from_secs(1);
/// How long DNS may take to say it.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many host names are remembered at most.
const CAPACITY: usize = 1024;

/// Looks up host names and remembers the answers. Failures are not remembered.
#[derive(Default)]
pub(crate) struct Resolver {
    answers: Arc<Answers>,
    /// Absent if the machine has no name servers.
    dns: OnceLock<Option<TokioResolver>>,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("answers", &self.answers).finish_non_exhaustive()
    }
}

/// Locked for a few instructions at a time, never across a wait.
#[derive(Debug, Default)]
struct Answers(Mutex<HashMap<Box<str>, Answer>>);

#[derive(Debug)]
struct Answer {
    addresses: Arc<[IpAddr]>,
    expires: Instant,
}

/// The name servers which the operating system is configured with.
fn name_servers() -> Option<TokioResolver> {
    let mut builder = TokioResolver::builder_tokio()
        .inspect_err(|error| tracing::warn!(%error, "there are no name servers to ask for times to live"))
        .ok()?;
    let options = builder.options_mut();
    // What has been remembered, here or in the hosts file, has no time to live any more.
    (options.cache_size, options.use_hosts_file) = (0, ResolveHosts::Never);
    (options.timeout, options.attempts) = (PATIENCE, 1);
    builder.build().ok()
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
        if let Some(known) = self.answers.lock().get(host)
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
        self.answers.remember(host, &addresses);
        self.ask_for_time_to_live(host, &addresses);
        Ok(addresses)
    }

    /// Forgets a host whose addresses turned out not to lead to it, so that a host that has moved is found at once.
    pub(crate) fn forget(&self, host: &str) {
        self.answers.lock().remove(host);
    }

    /// Asks DNS how long an answer is good for. It is used meanwhile.
    fn ask_for_time_to_live(&self, host: &str, addresses: &Arc<[IpAddr]>) {
        let Some(dns) = self.dns.get_or_init(name_servers).clone() else { return };
        let (host, addresses, answers) = (host.to_owned(), Arc::clone(addresses), Arc::clone(&self.answers));
        tokio::spawn(async move {
            let Ok(found) = dns.lookup_ip(host.as_str()).await else { return };
            // If these are other addresses, the operating system does not have its own ones from DNS.
            if found.iter().any(|address| addresses.contains(&address)) {
                let lifetime = found.valid_until().saturating_duration_since(std::time::Instant::now());
                answers.set_lifetime(&host, lifetime.clamp(SHORTEST, LONGEST));
            }
        });
    }
}

impl Answers {
    fn remember(&self, host: &str, addresses: &Arc<[IpAddr]>) {
        let now = Instant::now();
        let mut answers = self.lock();
        if answers.len() >= CAPACITY {
            answers.retain(|_, answer| now < answer.expires);
        }
        // Still full of answers younger than their lifetime: whatever is left out now is looked up again.
        if answers.len() < CAPACITY {
            let answer = Answer { addresses: Arc::clone(addresses), expires: now + UNCONFIRMED };
            answers.insert(host.into(), answer);
        }
    }

    fn set_lifetime(&self, host: &str, lifetime: Duration) {
        if let Some(answer) = self.lock().get_mut(host) {
            answer.expires = Instant::now() + lifetime;
        }
    }

    /// The answers are consistent at every point at which a panic could leave the lock, so a poisoned one is as good.
    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
    use hickory_resolver::net::runtime::TokioRuntimeProvider;
    use tokio::net::UdpSocket;

    use super::*;

    /// A resolver on a machine without name servers.
    fn unconfirmed() -> Resolver {
        Resolver { answers: Arc::default(), dns: OnceLock::from(None) }
    }

    const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_used_for_its_lifetime() {
        let (resolver, lookups) = (unconfirmed(), AtomicUsize::new(0));
        let resolve = async || {
            let look_up = async || {
                lookups.fetch_add(1, Ordering::SeqCst);
                Ok(vec![ADDRESS, ADDRESS])
            };
            assert_eq!(*resolver.resolve_by("example.com", look_up).await.unwrap(), [ADDRESS]);
            lookups.load(Ordering::SeqCst)
        };
        assert_eq!((resolve().await, resolve().await), (1, 1));
        tokio::time::advance(UNCONFIRMED).await;
        assert_eq!((resolve().await, resolve().await), (2, 2));
        resolver.forget("example.com");
        assert_eq!(resolve().await, 3);
    }

    /// The answer of a name server to a query: one address, if it is asked for those of IPv4.
    fn answer(query: &[u8], time_to_live: u32) -> Vec<u8> {
        let name = query[12..].iter().position(|byte| *byte == 0).unwrap() + 13;
        let question = &query[12..name + 4];
        let is_ipv4 = query[name..name + 2] == [0, 1];
        let counts = [0, 1, 0, u8::from(is_ipv4), 0, 0, 0, 0];
        let mut answer = [&query[..2], &[0x81, 0x80], &counts, question].concat();
        if is_ipv4 {
            answer.extend([0xc0, 12, 0, 1, 0, 1]);
            answer.extend(time_to_live.to_be_bytes());
            answer.extend([0, 4, 192, 0, 2, 1]);
        }
        answer
    }

    /// Resolves a name to `address`, which DNS says to be [`ADDRESS`] for `time_to_live` seconds, and gives back how long that is
    /// used, in seconds.
    async fn lifetime(address: IpAddr, time_to_live: u32) -> u64 {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut connection = ConnectionConfig::udp();
        connection.port = socket.local_addr().unwrap().port();
        let mut server = NameServerConfig::udp(Ipv4Addr::LOCALHOST.into());
        server.connections = vec![connection];
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        let dns =
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()).build().unwrap();
        let answered = tokio::spawn(async move {
            let mut buffer = [0; 512];
            for _ in 0..2 {
                let (length, client) = socket.recv_from(&mut buffer).await.unwrap();
                socket.send_to(&answer(&buffer[..length], time_to_live), client).await.unwrap();
            }
        });

        let resolver = Resolver { answers: Arc::default(), dns: OnceLock::from(Some(dns)) };
        resolver.resolve_by("example.com.", async || Ok(vec![address])).await.unwrap();
        answered.await.unwrap();
        // Whoever has heard the answer holds the answers no more.
        while Arc::strong_count(&resolver.answers) > 1 {
            tokio::task::yield_now().await;
        }
        let expires = resolver.answers.lock()["example.com."].expires;
        (expires - Instant::now()).as_secs_f64().round() as u64
    }

    #[tokio::test]
    async fn dns_says_how_long_an_answer_is_good_for() {
        for (time_to_live, expected) in [(300, 300), (5, 5), (0, 1), (1_000_000, 3600)] {
            assert_eq!(lifetime(ADDRESS, time_to_live).await, expected, "{time_to_live}");
        }
        let elsewhere = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
        assert_eq!(lifetime(elsewhere, 300).await, 30);
    }

    #[tokio::test]
    async fn failures_are_not_remembered() {
        let resolver = unconfirmed();
        let error = resolver.resolve_by("a", async || Err(io::ErrorKind::TimedOut.into())).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let error = resolver.resolve_by("a", async || Ok(Vec::new())).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(resolver.resolve_by("a", async || Ok(vec![ADDRESS])).await.is_ok());
    }

    #[tokio::test]
    async fn an_address_needs_no_lookup() {
        let resolver = unconfirmed();
        for address in ["192.0.2.1", "::1"] {
            let addresses =
                resolver.resolve_by(address, async || panic!("nothing to look up")).await.unwrap();
            assert_eq!(*addresses, [address.parse::<IpAddr>().unwrap()]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_cache_is_bounded() {
        let resolver = unconfirmed();
        for number in 0..CAPACITY + 10 {
            resolver.resolve_by(&format!("host{number}"), async || Ok(vec![ADDRESS])).await.unwrap();
        }
        assert_eq!(resolver.answers.lock().len(), CAPACITY);
        tokio::time::advance(UNCONFIRMED).await;
        resolver.resolve_by("another", async || Ok(vec![ADDRESS])).await.unwrap();
        assert_eq!(resolver.answers.lock().len(), 1);
    }
}
