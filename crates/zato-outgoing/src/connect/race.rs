//! Which of a host's addresses a connection is opened to.
//!
//! Owns the order and the timing of the attempts, which are those of "Happy Eyeballs" (RFC 8305): the families take turns,
//! and an address that does not answer soon gets competition by the next one. It does not know what an attempt is.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

/// How long an attempt has the field to itself (RFC 8305, section 5).
const DELAY: Duration = Duration::from_millis(250);

/// The first success of the attempts at `addresses`; the others are dropped. A failed attempt starts the next one at once.
/// If all fail, the error is that of the last one to fail.
pub(super) async fn first_success<T, F>(addresses: &[IpAddr], attempt: impl Fn(IpAddr) -> F) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    // The common case needs neither order nor timer.
    if let [only] = addresses {
        return attempt(*only).await;
    }
    let mut waiting = taking_turns(addresses).into_iter();
    let mut running = FuturesUnordered::new();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host name has no addresses");
    loop {
        let more = waiting.next().map(|address| running.push(attempt(address))).is_some();
        let ended = if more {
            match tokio::time::timeout(DELAY, running.next()).await {
                Ok(ended) => ended,
                Err(_) => continue,
            }
        } else {
            running.next().await
        };
        match ended {
            Some(Ok(opened)) => return Ok(opened),
            Some(Err(error)) => last = error,
            None => return Err(last),
        }
    }
}

/// The addresses with the families in turn, beginning with that of the first one, which the resolver prefers.
fn taking_turns(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let prefers_v6 = addresses.first().is_some_and(IpAddr::is_ipv6);
    let mut preferred = addresses.iter().filter(|address| address.is_ipv6() == prefers_v6);
    let mut others = addresses.iter().filter(|address| address.is_ipv6() != prefers_v6);
    let mut ordered = Vec::with_capacity(addresses.len());
    while ordered.len() < addresses.len() {
        ordered.extend(preferred.next());
        ordered.extend(others.next());
    }
    ordered
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::time::Instant;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// What becomes of an attempt at an address: `1` succeeds, `2` fails, `3` never ends, `4` succeeds after a second, each at
    /// the end of the address.
    async fn attempt(address: IpAddr) -> io::Result<IpAddr> {
        match address.to_string().chars().last() {
            Some('1') => Ok(address),
            Some('2') => Err(io::ErrorKind::ConnectionRefused.into()),
            Some('3') => std::future::pending().await,
            _ => {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(address)
            }
        }
    }

    #[track_caller]
    fn check_order(addresses: &[&str], expected: &[&str]) {
        let addresses: Vec<_> = addresses.iter().copied().map(address).collect();
        let expected: Vec<_> = expected.iter().copied().map(address).collect();
        assert_eq!(taking_turns(&addresses), expected);
    }

    #[test]
    fn families_take_turns() {
        check_order(&[], &[]);
        check_order(&["::1", "::2", "10.0.0.1", "10.0.0.2"], &["::1", "10.0.0.1", "::2", "10.0.0.2"]);
        check_order(&["10.0.0.1", "::1", "::2"], &["10.0.0.1", "::1", "::2"]);
        check_order(&["::1", "::2", "::3"], &["::1", "::2", "::3"]);
    }

    /// Races the addresses, and says which one won, after what time, and how many were tried.
    async fn race(addresses: &[&str]) -> (io::Result<IpAddr>, Duration, usize) {
        let addresses: Vec<_> = addresses.iter().copied().map(address).collect();
        let (started, tried) = (Instant::now(), Mutex::new(0));
        let result = first_success(&addresses, |address| {
            *tried.lock().unwrap() += 1;
            attempt(address)
        })
        .await;
        (result, started.elapsed(), tried.into_inner().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_success_wins() {
        let (result, after, tried) = race(&["::1", "10.0.0.1"]).await;
        assert_eq!((result.unwrap(), after, tried), (address("::1"), Duration::ZERO, 1));
        let (result, after, tried) = race(&["::2", "10.0.0.1"]).await;
        assert_eq!((result.unwrap(), after, tried), (address("10.0.0.1"), Duration::ZERO, 2));
        let (result, after, tried) = race(&["::3", "::2", "10.0.0.3", "10.0.0.1"]).await;
        assert_eq!((result.unwrap(), tried), (address("10.0.0.1"), 4));
        assert!(after >= DELAY * 2 && after < DELAY * 3, "{after:?}");
        // One that is slow but started earlier still wins over one that never answers.
        let (result, after, _) = race(&["::4", "10.0.0.3"]).await;
        assert_eq!(result.unwrap(), address("::4"));
        assert!(after >= Duration::from_secs(1) && after < Duration::from_secs(2), "{after:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn if_all_fail_there_is_an_error() {
        let (result, after, tried) = race(&["::2", "10.0.0.2"]).await;
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!((after, tried), (Duration::ZERO, 2));
        assert_eq!(race(&[]).await.0.unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(race(&["10.0.0.2"]).await.0.is_err());
    }
}
