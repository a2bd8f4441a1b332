//! How many calls a channel or a security definition lets through.
//!
//! Owns both limits, of calls in a time and of calls at a time, and their counters. It must not know what is limited,
//! nor what a caller who is too much is answered.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// How long a caller is to wait when all places are taken: nobody knows when one will be free.
const PLACE_RETRY: Duration = Duration::from_secs(1);

/// The limits of one channel or definition. None by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallLimits {
    /// How many calls in a time.
    pub rate: Option<Rate>,
    /// How many calls at a time.
    pub in_flight: Option<NonZeroU32>,
}

/// A number of calls in a time, written as `100/s`; `m` is a minute, `h` an hour and `d` a day.
///
/// Calls may come all at once; from then on each waits for its share of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    calls: NonZeroU32,
    period: Period,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Period {
    Second,
    Minute,
    Hour,
    Day,
}

impl Period {
    const ALL: [(Self, &'static str, u64); 4] = [
        (Self::Second, "s", 1),
        (Self::Minute, "m", 60),
        (Self::Hour, "h", 60 * 60),
        (Self::Day, "d", 24 * 60 * 60),
    ];

    fn duration(self) -> Duration {
        let found = Self::ALL.iter().find(|(period, ..)| *period == self);
        Duration::from_secs(found.map_or(1, |(.., seconds)| *seconds))
    }
}

/// A text is no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a rate is a number of calls in a second, minute, hour or day, such as 100/s, 100/m, 100/h or 100/d")]
pub struct InvalidRate;

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let (calls, period) = text.split_once('/').ok_or(InvalidRate)?;
        let calls = calls.trim().parse().map_err(|_| InvalidRate)?;
        let found = Period::ALL.iter().find(|(_, name, _)| *name == period.trim()).ok_or(InvalidRate)?;
        Ok(Self { calls, period: found.0 })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = Period::ALL.iter().find(|(period, ..)| *period == self.period);
        write!(f, "{}/{}", self.calls, found.map_or("s", |(_, name, _)| name))
    }
}

/// A call is one too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany {
    /// When it is worth to try again.
    pub(crate) retry_after: Duration,
}

/// Counts calls against limits. Clones count together.
#[derive(Clone)]
pub(crate) struct Limiter {
    limits: CallLimits,
    rate: Option<Arc<DefaultDirectRateLimiter>>,
    in_flight: Arc<AtomicU32>,
}

impl Limiter {
    pub(crate) fn new(limits: CallLimits) -> Self {
        let quota = |rate: Rate| {
            // A share of the time is at least a nanosecond, whatever the number of calls: never zero.
            let share = rate.period.duration() / rate.calls.get();
            Quota::with_period(share).map(|quota| quota.allow_burst(rate.calls))
        };
        let rate = limits.rate.and_then(quota).map(|quota| Arc::new(RateLimiter::direct(quota)));
        Self { limits, rate, in_flight: Arc::default() }
    }

    pub(crate) fn limits(&self) -> CallLimits {
        self.limits
    }

    /// The calls under way still count, and so do those before if the rate is the same.
    pub(crate) fn successor(&self, limits: CallLimits) -> Self {
        let in_flight = Arc::clone(&self.in_flight);
        if limits.rate == self.limits.rate {
            Self { limits, rate: self.rate.clone(), in_flight }
        } else {
            Self { in_flight, ..Self::new(limits) }
        }
    }

    /// Counts a call. Its place is free again when the result is dropped.
    pub(crate) fn admit(&self) -> Result<Place, TooMany> {
        let place = match self.limits.in_flight {
            None => Place(None),
            Some(limit) => self.place(limit)?,
        };
        if let Some(rate) = &self.rate
            && let Err(not_until) = rate.check()
        {
            let retry_after = not_until.wait_time_from(DefaultClock::default().now());
            return Err(TooMany { retry_after });
        }
        Ok(place)
    }

    fn place(&self, limit: NonZeroU32) -> Result<Place, TooMany> {
        // Made before the comparison, so that the place is given back if there is none.
        let taken = self.in_flight.fetch_add(1, Relaxed);
        let place = Place(Some(Arc::clone(&self.in_flight)));
        if taken < limit.get() { Ok(place) } else { Err(TooMany { retry_after: PLACE_RETRY }) }
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// A call that counts as being under way.
#[derive(Debug)]
pub(crate) struct Place(Option<Arc<AtomicU32>>);

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(in_flight) = &self.0 {
            in_flight.fetch_sub(1, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_written() {
        for text in ["1/s", "100/m", "5000/h", "1/d"] {
            assert_eq!(text.parse::<Rate>().map(|rate| rate.to_string()).as_deref(), Ok(text));
        }
        assert_eq!(" 10 / m ".parse::<Rate>(), "10/m".parse());
        for text in ["", "10", "0/s", "-1/s", "10/w", "10/s/s", "ten/s", "4294967296/s"] {
            assert_eq!(text.parse::<Rate>(), Err(InvalidRate), "{text}");
        }
    }

    #[test]
    fn a_rate_lets_its_number_through() {
        let limiter = Limiter::new(CallLimits { rate: "3/h".parse().ok(), in_flight: None });
        for _ in 0..3 {
            assert!(limiter.admit().is_ok());
        }
        let TooMany { retry_after } = limiter.admit().unwrap_err();
        assert!((1190..=1200).contains(&retry_after.as_secs()), "{retry_after:?}");
        assert!(limiter.successor(limiter.limits).admit().is_err());
        assert!(limiter.successor(CallLimits { rate: "4/h".parse().ok(), in_flight: None }).admit().is_ok());
    }

    #[test]
    fn places_are_given_back() {
        let limiter = Limiter::new(CallLimits { rate: None, in_flight: NonZeroU32::new(2) });
        let first = limiter.admit().unwrap();
        let second = limiter.admit().unwrap();
        assert_eq!(limiter.admit().unwrap_err(), TooMany { retry_after: PLACE_RETRY });
        drop(first);
        assert!(limiter.admit().is_ok());
        drop(second);
        assert_eq!(limiter.in_flight.load(Relaxed), 0);
    }

    #[test]
    fn a_change_of_one_limit_leaves_the_other_alone() {
        let limits = |rate: &str, in_flight| CallLimits {
            rate: rate.parse().ok(),
            in_flight: NonZeroU32::new(in_flight),
        };
        let limiter = Limiter::new(limits("2/h", 2));
        let _first = limiter.admit().unwrap();
        let faster = limiter.successor(limits("3/h", 2));
        let _second = faster.admit().unwrap();
        assert_eq!(faster.admit().unwrap_err(), TooMany { retry_after: PLACE_RETRY });
        assert!(limiter.successor(limits("2/h", 3)).admit().is_ok());
        assert_ne!(limiter.successor(limits("2/h", 9)).admit().unwrap_err().retry_after, PLACE_RETRY);
    }

    #[test]
    fn no_limits_are_none() {
        let limiter = Limiter::new(CallLimits::default());
        let places: Vec<_> = (0..1000).map(|_| limiter.admit()).collect();
        assert!(places.iter().all(Result::is_ok));
    }
}
