//! Summaries of the periods that are under way.
//!
//! Owns which stored figures a summary is made of: of each stretch of the period the coarsest ones that there are, so that
//! nothing is counted twice and nothing is left out. It must not know how summaries are shown.

use std::collections::{BTreeMap, BTreeSet};

use time::{Duration, OffsetDateTime};
use zato_kvdb::KvdbError;

use crate::Stats;
use crate::aggregate::{Figures, read_all, stored, write_all};
use crate::slot::{Series, Unit, monday};

/// For how long after the end of a period its summary is still made anew: until the last figures of it are there.
const LATENESS: Duration = Duration::hours(3);

/// What a summary is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the public API has two services for each")]
pub enum Period {
    /// A day.
    Day,
    /// A week, from Monday on.
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
}

impl Period {
    pub(crate) fn series(self) -> Series {
        match self {
            Self::Day => Series::DAY_SUMMARIES,
            Self::Week => Series::WEEK_SUMMARIES,
            Self::Month => Series::MONTH_SUMMARIES,
            Self::Year => Series::YEAR_SUMMARIES,
        }
    }

    /// The beginning of the period that a point in time is in.
    pub(crate) fn begin(self, time: OffsetDateTime) -> OffsetDateTime {
        match self {
            Self::Day => Unit::Day.floor(time),
            Self::Week => monday(time),
            Self::Month => Unit::Month.floor(time),
            Self::Year => Unit::Year.floor(time),
        }
    }

    /// The end of the period that begins at a point in time.
    pub(crate) fn end(self, begin: OffsetDateTime) -> OffsetDateTime {
        match self {
            Self::Day => Unit::Day.end(begin),
            Self::Week => begin.saturating_add(Duration::days(7)),
            Self::Month => Unit::Month.end(begin),
            Self::Year => Unit::Year.end(begin),
        }
    }

    /// The series that a summary is made of, the coarsest first.
    fn sources(self) -> &'static [Series] {
        match self {
            Self::Day => &[Series::HOURS, Series::MINUTES],
            Self::Week | Self::Month => &[Series::DAYS, Series::HOURS, Series::MINUTES],
            Self::Year => &[Series::MONTHS, Series::DAYS, Series::HOURS, Series::MINUTES],
        }
    }
}

impl Stats {
    /// Makes the summary of the period that is under way, and of the one before if that has only just ended.
    ///
    /// # Errors
    /// The key/value store failed.
    pub async fn summarize(&self, period: Period) -> Result<(), KvdbError> {
        let now = self.now();
        let begin = period.begin(now);
        if now - begin < LATENESS {
            let before = period.begin(begin.saturating_sub(Duration::seconds(1)));
            self.summarize_from(period, before, begin).await?;
        }
        self.summarize_from(period, begin, now).await
    }

    async fn summarize_from(
        &self,
        period: Period,
        begin: OffsetDateTime,
        end: OffsetDateTime,
    ) -> Result<(), KvdbError> {
        let mut parts: BTreeMap<String, Vec<Figures>> = BTreeMap::new();
        let mut covered: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for series in period.sources() {
            for (service, mut slots) in stored(self.kvdb(), *series, begin, end).await? {
                let covered = covered.entry(service.clone()).or_default();
                // The name of a slot begins with those of all longer ones that it is part of.
                slots.retain(|slot| {
                    let longer = [Unit::Month, Unit::Day, Unit::Hour].map(Unit::name_length);
                    !longer
                        .iter()
                        .any(|length| slot.get(..*length).is_some_and(|part| covered.contains(part)))
                });
                let found = read_all(self.kvdb(), *series, &service, &slots).await?;
                parts.entry(service).or_default().extend(found);
                covered.append(&mut slots);
            }
        }
        let slot = period.series().unit.name(begin);
        let seconds = (end - begin).as_seconds_f64();
        let summaries = parts.iter().filter_map(|(service, parts)| {
            let figures = Figures::merge(parts, seconds)?;
            let rounded = Figures { mean: round(figures.mean, 2), rate: round(figures.rate, 2), ..figures };
            Some(rounded.write(&period.series().key(service, &slot)))
        });
        write_all(self.kvdb(), summaries.collect()).await
    }
}

/// Rounds to so many decimals.
pub(crate) fn round(value: f64, decimals: i32) -> f64 {
    let factor = 10_f64.powi(decimals);
    (value * factor).round() / factor
}
