//! Figures of a stretch of time, and making those of a longer one of those of shorter ones.
//!
//! Owns the stored form of figures and the jobs by minute, hour, day and month. It must not know summaries or reports.

use std::collections::{BTreeMap, BTreeSet};

use time::{Duration, OffsetDateTime};
use zato_kvdb::{Comparison, Expiry, Kvdb, KvdbError, Selection, Write};

use crate::Stats;
use crate::slot::{Series, Unit};
use crate::times::Times;

/// In milliseconds: figures by minute are kept for a week, those by hour for 400 days, all others for good.
const MINUTES_LIFETIME: i64 = 7 * 86_400_000;
const HOURS_LIFETIME: i64 = 400 * 86_400_000;

/// How many writes are done at once.
const BATCH: usize = 500;

/// Which period is made of which shorter ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the public API has one service for each")]
pub enum Aggregate {
    /// An hour, of minutes.
    Hour,
    /// A day, of hours.
    Day,
    /// A month, of days.
    Month,
}

impl Aggregate {
    fn series(self) -> (Series, Series) {
        match self {
            Self::Hour => (Series::MINUTES, Series::HOURS),
            Self::Day => (Series::HOURS, Series::DAYS),
            Self::Month => (Series::DAYS, Series::MONTHS),
        }
    }
}

/// How a service fared in a stretch of time. Times are in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    pub(crate) minimum: f64,
    pub(crate) maximum: f64,
    pub(crate) mean: f64,
    pub(crate) usage: u64,
    /// Calls per second.
    pub(crate) rate: f64,
}

impl Figures {
    /// Those of a stretch of so many seconds, of those of its parts. A part's mean counts as often as there were calls in it:
    /// parts may be of different lengths, and the mean is that of the calls. The rate is that of the stretch, whatever those
    /// of the parts are.
    pub(crate) fn merge(parts: &[Self], seconds: f64) -> Option<Self> {
        let first = parts.first()?;
        let usage = parts.iter().fold(0_u64, |sum, part| sum.saturating_add(part.usage));
        Some(Self {
            minimum: parts.iter().fold(first.minimum, |least, part| least.min(part.minimum)),
            maximum: parts.iter().fold(first.maximum, |most, part| most.max(part.maximum)),
            mean: parts.iter().map(|part| part.mean * part.usage as f64).sum::<f64>() / usage.max(1) as f64,
            usage,
            rate: if seconds > 0.0 { usage as f64 / seconds } else { 0.0 },
        })
    }

    /// The command that stores them.
    pub(crate) fn write(&self, key: &str) -> Write {
        let fields = [
            ("min", self.minimum.to_string()),
            ("max", self.maximum.to_string()),
            ("mean", self.mean.to_string()),
            ("usage", self.usage.to_string()),
            ("rate", self.rate.to_string()),
        ];
        Write::hash_set(key, &fields)
    }

    /// Those stored under a key; none if they are not there or not complete.
    pub(crate) async fn read(kvdb: &Kvdb, key: &str) -> Result<Option<Self>, KvdbError> {
        let fields: BTreeMap<String, Vec<u8>> = kvdb.hash_get_all(key).await?.into_iter().collect();
        let number = |name: &str| std::str::from_utf8(fields.get(name)?).ok()?.parse::<f64>().ok();
        let figures = || {
            Some(Self {
                minimum: number("min")?,
                maximum: number("max")?,
                mean: number("mean")?,
                usage: number("usage")? as u64,
                rate: number("rate")?,
            })
        };
        let found = figures();
        if found.is_none() && !fields.is_empty() {
            tracing::warn!(key, "stored statistics are not complete and are left out");
        }
        Ok(found)
    }
}

/// What is stored of a series, by service and slot, of the slots from one point in time to another one.
pub(crate) async fn stored(
    kvdb: &Kvdb,
    series: Series,
    from: OffsetDateTime,
    to: OffsetDateTime,
) -> Result<BTreeMap<String, BTreeSet<String>>, KvdbError> {
    // Names of slots sort as the times that they stand for.
    let last = to.saturating_sub(Duration::nanoseconds(1));
    let (first, last) = (series.unit.name(from), series.unit.name(last));
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for key in kvdb.keys(&series.prefix()).await? {
        let wanted = series.parse(&key).filter(|(_, slot)| (&*first..=&*last).contains(slot));
        if let Some((service, slot)) = wanted {
            found.entry(service.to_owned()).or_default().insert(slot.to_owned());
        }
    }
    Ok(found)
}

/// The figures in some slots of a series.
pub(crate) async fn read_all(
    kvdb: &Kvdb,
    series: Series,
    service: &str,
    slots: impl IntoIterator<Item = &String>,
) -> Result<Vec<Figures>, KvdbError> {
    let mut parts = Vec::new();
    for slot in slots {
        parts.extend(Figures::read(kvdb, &series.key(service, slot)).await?);
    }
    Ok(parts)
}

/// Does many writes, some at a time.
pub(crate) async fn write_all(kvdb: &Kvdb, mut writes: Vec<Write>) -> Result<(), KvdbError> {
    while !writes.is_empty() {
        let rest = writes.split_off(writes.len().min(BATCH));
        kvdb.atomically(std::mem::replace(&mut writes, rest)).await?;
    }
    Ok(())
}

fn expire(key: &str, milliseconds: i64) -> Write {
    Write::Expire(key.to_owned(), Expiry::In(milliseconds), Selection::Any, Comparison::Any)
}

impl Stats {
    /// Makes the figures of the minute two minutes ago, and of those before it that were missed and whose times are still
    /// there.
    ///
    /// # Errors
    /// The key/value store failed.
    pub async fn aggregate_by_minute(&self) -> Result<(), KvdbError> {
        self.flush().await?;
        let kvdb = self.kvdb();
        let end = Unit::Minute.floor(self.now()).saturating_sub(Duration::minutes(1));
        let newest = Unit::Minute.name(Unit::Minute.before(end));
        let mut writes = Vec::new();
        for (service, slots) in
            stored(kvdb, Series::RAW, end.saturating_sub(Duration::minutes(5)), end).await?
        {
            let percentile = self.percentile(&service).await?;
            for slot in slots {
                let key = Series::MINUTES.key(&service, &slot);
                if slot != newest && kvdb.exists(&key).await? {
                    continue;
                }
                let raw = kvdb.list_range(&Series::RAW.key(&service, &slot), 0, -1).await?;
                let reduced = Times::parse(&raw).reduce(percentile);
                if reduced.count > 0 {
                    let figures = Figures {
                        minimum: reduced.minimum as f64,
                        maximum: reduced.maximum as f64,
                        mean: reduced.mean,
                        usage: reduced.count,
                        rate: reduced.count as f64 / 60.0,
                    };
                    writes.extend([figures.write(&key), expire(&key, MINUTES_LIFETIME)]);
                }
            }
        }
        write_all(kvdb, writes).await
    }

    /// Makes the figures of the last whole hour, day or month.
    ///
    /// # Errors
    /// The key/value store failed.
    pub async fn aggregate(&self, period: Aggregate) -> Result<(), KvdbError> {
        let (parts, whole) = period.series();
        let end = whole.unit.floor(self.now());
        let begin = whole.unit.before(end);
        let slot = whole.unit.name(begin);
        let mut writes = Vec::new();
        for (service, slots) in stored(self.kvdb(), parts, begin, end).await? {
            let parts = read_all(self.kvdb(), parts, &service, &slots).await?;
            if let Some(figures) = Figures::merge(&parts, (end - begin).as_seconds_f64()) {
                let key = whole.key(&service, &slot);
                writes.push(figures.write(&key));
                if whole == Series::HOURS {
                    writes.push(expire(&key, HOURS_LIFETIME));
                }
            }
        }
        write_all(self.kvdb(), writes).await
    }

    /// Deletes the figures by minute from one point in time to another one, both included.
    ///
    /// # Errors
    /// The key/value store failed.
    pub async fn delete(&self, start: OffsetDateTime, stop: OffsetDateTime) -> Result<(), KvdbError> {
        let (first, last) = (Unit::Minute.name(start), Unit::Minute.name(stop));
        let keys: Vec<String> = self.kvdb().keys(&Series::MINUTES.prefix()).await?;
        let is_old = |key: &String| {
            // Names of slots sort as the times that they stand for.
            Series::MINUTES.parse(key).is_some_and(|(_, slot)| *first <= *slot && *slot <= *last)
        };
        let doomed = keys.into_iter().filter(is_old).map(|key| Write::Delete(vec![key])).collect();
        write_all(self.kvdb(), doomed).await
    }
}
