//! Makes guessing credentials slow.
//!
//! Owns who failed how often lately, and how long the answer to a failure is held back. It must not know what credentials
//! are, nor what is answered.
//!
//! Each failure counts against the client's address and against the security definition that it tried. The first failures
//! are answered at once; from then on each answer takes twice as long as the one before, up to a limit, until enough time
//! has passed. Answers to those who prove who they are never wait, so nobody is kept out by what others do to their
//! account. Only an address that has many answers held back at once is told to come back later before its credentials are
//! looked at: otherwise guessing on many connections would be as fast as if nothing was held back.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How failures of authentication are slowed down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureDelays {
    /// How many failures in a row are answered at once. 20 by default.
    pub free: u32,
    /// The time after which one failure is forgotten. One second by default.
    pub forget_after: Duration,
    /// For how long the first answer is held back; the next ones twice as long each. 100 milliseconds by default.
    pub first: Duration,
    /// For how long an answer is held back at most. 5 seconds by default.
    pub longest: Duration,
    /// How many answers to one address may be held back at once. More calls from there to channels with a security
    /// definition are refused with 429. 16 by default.
    pub held: usize,
    /// How many addresses and definitions are known at most. When there are more, those with the fewest failures are
    /// forgotten. 10,000 by default, which takes about 2 MB.
    pub entries: usize,
}

impl Default for FailureDelays {
    fn default() -> Self {
        Self {
            free: 20,
            forget_after: Duration::from_secs(1),
            first: Duration::from_millis(100),
            longest: Duration::from_secs(5),
            held: 16,
            entries: 10_000,
        }
    }
}

/// The failures of late.
#[derive(Debug)]
pub(crate) struct Throttle {
    delays: FailureDelays,
    begun: Instant,
    /// When the last answer is let go, in milliseconds. Until the first one is held back, and after that moment, calls
    /// take no lock.
    held_until: AtomicU64,
    entries: Mutex<HashMap<Key, Entry>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    Definition(i64),
}

#[derive(Debug)]
struct Entry {
    /// As many as there were at `counted`, which is moved on when some are forgotten.
    failures: u32,
    counted: Instant,
    /// When the answers that are held back are let go.
    releases: VecDeque<Instant>,
}

impl Throttle {
    pub(crate) fn new(delays: FailureDelays) -> Self {
        let (held_until, entries) = (AtomicU64::new(0), Mutex::default());
        Self { delays, begun: Instant::now(), held_until, entries }
    }

    /// Whether credentials from this address are looked at; if not, when the client may try again.
    pub(crate) fn admit(&self, address: IpAddr) -> Result<(), Duration> {
        let held_until = self.held_until.load(Relaxed);
        if held_until == 0 {
            return Ok(());
        }
        let now = Instant::now();
        if self.milliseconds(now) > held_until {
            return Ok(());
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = entries.get_mut(&Key::Address(client(address))) else { return Ok(()) };
        entry.let_go(now);
        match entry.releases.front() {
            Some(next) if entry.releases.len() >= self.delays.held => Err(*next - now),
            _ => Ok(()),
        }
    }

    /// Takes note of a failure. Its answer is to be held back for as long as this says.
    pub(crate) fn failed(&self, address: IpAddr, definition: i64) -> Duration {
        let now = Instant::now();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        self.make_room(&mut entries, now);
        let by_definition = self.count(&mut entries, Key::Definition(definition), now);
        let by_address = self.count(&mut entries, Key::Address(client(address)), now);
        let delay = self.delay(by_definition.max(by_address));
        if !delay.is_zero() {
            let release = now + delay;
            if let Some(entry) = entries.get_mut(&Key::Address(client(address))) {
                entry.let_go(now);
                entry.releases.push_back(release);
            }
            self.held_until.fetch_max(self.milliseconds(release).max(1), Relaxed);
        }
        delay
    }

    fn count(&self, entries: &mut HashMap<Key, Entry>, key: Key, now: Instant) -> u32 {
        let entry =
            entries.entry(key).or_insert(Entry { failures: 0, counted: now, releases: VecDeque::new() });
        entry.forget(now, self.delays.forget_after);
        entry.failures = entry.failures.saturating_add(1);
        entry.failures
    }

    fn delay(&self, failures: u32) -> Duration {
        match failures.checked_sub(self.delays.free) {
            None | Some(0) => Duration::ZERO,
            Some(beyond) => {
                let doubled = 2_u32.saturating_pow(beyond - 1);
                self.delays.first.saturating_mul(doubled).min(self.delays.longest)
            }
        }
    }

    /// Forgets those that don't matter any more, and, if these were not enough, those with the fewest failures.
    fn make_room(&self, entries: &mut HashMap<Key, Entry>, now: Instant) {
        // One failure adds two at most.
        if entries.len() + 2 <= self.delays.entries {
            return;
        }
        for entry in entries.values_mut() {
            entry.forget(now, self.delays.forget_after);
            entry.let_go(now);
        }
        entries.retain(|_, entry| entry.failures > 0 || !entry.releases.is_empty());
        // Some more than needed, so that the next failures find room without a search.
        let wanted = self.delays.entries * 3 / 4;
        if entries.len() > wanted {
            let mut failures: Vec<u32> = entries.values().map(|entry| entry.failures).collect();
            let superfluous = entries.len() - wanted;
            let (_, limit, _) = failures.select_nth_unstable(superfluous - 1);
            let (limit, mut left) = (*limit, superfluous);
            entries.retain(|_, entry| {
                let is_forgotten = entry.failures <= limit && left > 0;
                left -= usize::from(is_forgotten);
                !is_forgotten
            });
        }
    }

    fn milliseconds(&self, moment: Instant) -> u64 {
        u64::try_from(moment.saturating_duration_since(self.begun).as_millis()).unwrap_or(u64::MAX)
    }
}

impl Entry {
    fn forget(&mut self, now: Instant, after: Duration) {
        let passed = (now - self.counted).as_nanos().checked_div(after.as_nanos()).unwrap_or_default();
        let forgotten = u32::try_from(passed).unwrap_or(u32::MAX);
        if forgotten >= self.failures {
            (self.failures, self.counted) = (0, now);
        } else {
            self.failures -= forgotten;
            self.counted += after * forgotten;
        }
    }

    fn let_go(&mut self, now: Instant) {
        self.releases.retain(|release| *release > now);
    }
}

/// What counts as one client: whoever has an IPv6 address usually has 64 bits of them.
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn throttle() -> Throttle {
        Throttle::new(FailureDelays { free: 2, held: 3, entries: 20, ..FailureDelays::default() })
    }

    fn millis(delays: impl IntoIterator<Item = Duration>) -> Vec<u128> {
        delays.into_iter().map(|delay| delay.as_millis()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn delays_grow_and_are_forgotten() {
        let throttle = throttle();
        let fail = || throttle.failed(address("192.0.2.1"), 1);
        assert_eq!(millis((0..9).map(|_| fail())), [0, 0, 100, 200, 400, 800, 1600, 3200, 5000]);
        tokio::time::advance(Duration::from_secs(8)).await;
        assert_eq!(millis([fail(), fail()]), [0, 100]);
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(millis([fail()]), [200]);
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(millis([fail()]), [200]);
        tokio::time::advance(Duration::from_secs(100)).await;
        assert_eq!(millis([fail()]), [0]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_and_an_account_count_each() {
        let throttle = throttle();
        let fail = |text: &str, definition| throttle.failed(address(text), definition);
        // One account from many addresses.
        assert_eq!(millis((1..=4).map(|host| fail(&format!("192.0.2.{host}"), 1))), [0, 0, 100, 200]);
        // Many accounts from one address.
        assert_eq!(millis((2..=5).map(|definition| fail("198.51.100.1", definition))), [0, 0, 100, 200]);
        assert_eq!(millis([fail("203.0.113.1", 6)]), [0]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_with_many_answers_held_back_has_to_wait() {
        let throttle = throttle();
        let (client, other) = (address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(throttle.admit(client), Ok(()));
        assert_eq!(millis((0..5).map(|_| throttle.failed(client, 1))), [0, 0, 100, 200, 400]);
        assert_eq!(throttle.admit(client), Err(Duration::from_millis(100)));
        assert_eq!(throttle.admit(address("2001:db8::2")), Err(Duration::from_millis(100)));
        assert_eq!(throttle.admit(other), Ok(()));
        tokio::time::advance(Duration::from_millis(101)).await;
        assert_eq!(throttle.admit(client), Ok(()));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(throttle.admit(client), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_and_those_who_fail_most_are_remembered() {
        let throttle = throttle();
        for _ in 0..10 {
            throttle.failed(address("192.0.2.1"), 1);
        }
        for number in 0..1_000 {
            throttle.failed(IpAddr::V4(std::net::Ipv4Addr::from_bits(number)), 1);
            assert!(throttle.entries.lock().unwrap().len() <= 20);
        }
        assert_eq!(throttle.failed(address("192.0.2.1"), 2), Duration::from_secs(5));
        tokio::time::advance(Duration::from_secs(2_000)).await;
        for number in 0..20 {
            throttle.failed(IpAddr::V4(std::net::Ipv4Addr::from_bits(number)), 1);
        }
        assert!(!throttle.entries.lock().unwrap().contains_key(&Key::Address(address("192.0.2.1"))));
    }
}
