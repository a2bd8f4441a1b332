//! Stretches of time, and the keys under which figures of a service in one of them are stored.
//!
//! Owns the names of keys and the calendar of slots. It must not know what is stored there.

use time::{Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time};

const PREFIX: &str = "zato:stats:service:";

/// Hash of a service: `last`, `min_all_time`, `max_all_time`, `mean_all_time` and what the mean is made of.
pub(crate) fn basic(service: &str) -> String {
    format!("{PREFIX}time:basic:{service}")
}

/// Counter of the calls of a service.
pub(crate) fn usage(service: &str) -> String {
    format!("{PREFIX}usage:{service}")
}

/// List of times that are not part of the all-time figures yet, oldest first.
pub(crate) fn raw(service: &str) -> String {
    format!("{}{service}", raw_prefix())
}

pub(crate) fn raw_prefix() -> String {
    format!("{PREFIX}time:raw:")
}

/// How long a stretch of time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Unit {
    Minute,
    Hour,
    Day,
    Month,
    Year,
}

impl Unit {
    /// The beginning of the slot that a point in time is in.
    pub(crate) fn floor(self, time: OffsetDateTime) -> OffsetDateTime {
        let (date, clock) = (time.date(), time.time());
        let at = |date: Date, hour, minute| {
            PrimitiveDateTime::new(date, Time::from_hms(hour, minute, 0).unwrap_or(Time::MIDNIGHT))
                .assume_utc()
        };
        match self {
            Self::Minute => at(date, clock.hour(), clock.minute()),
            Self::Hour => at(date, clock.hour(), 0),
            Self::Day => at(date, 0, 0),
            Self::Month => at(date.replace_day(1).unwrap_or(date), 0, 0),
            Self::Year => at(Date::from_calendar_date(date.year(), Month::January, 1).unwrap_or(date), 0, 0),
        }
    }

    /// The end of the slot that begins at a point in time.
    pub(crate) fn end(self, begin: OffsetDateTime) -> OffsetDateTime {
        // Longer than any slot of its kind and shorter than two.
        let beyond = match self {
            Self::Minute => Duration::minutes(1),
            Self::Hour => Duration::hours(1),
            Self::Day => Duration::days(1),
            Self::Month => Duration::days(31),
            Self::Year => Duration::days(366),
        };
        self.floor(begin.saturating_add(beyond))
    }

    /// The beginning of the first slot that does not begin before a point in time.
    pub(crate) fn ceil(self, time: OffsetDateTime) -> OffsetDateTime {
        let floor = self.floor(time);
        if floor == time { floor } else { self.end(floor) }
    }

    /// The beginning of the slot before the one that begins at a point in time.
    pub(crate) fn before(self, begin: OffsetDateTime) -> OffsetDateTime {
        self.floor(begin.saturating_sub(Duration::seconds(1)))
    }

    /// The beginnings of the slots from one point in time to another one, which is not included.
    pub(crate) fn slots(
        self,
        from: OffsetDateTime,
        to: OffsetDateTime,
    ) -> impl Iterator<Item = OffsetDateTime> {
        let first = self.floor(from);
        std::iter::successors(Some(first), move |begin| Some(self.end(*begin)).filter(|next| next > begin))
            .take_while(move |begin| *begin < to)
    }

    /// How a slot is named in keys: the parts of its beginning, with colons between them.
    pub(crate) fn name(self, time: OffsetDateTime) -> String {
        let full = format!(
            "{:04}:{:02}:{:02}:{:02}:{:02}",
            time.year(),
            u8::from(time.month()),
            time.day(),
            time.hour(),
            time.minute()
        );
        full.chars().take(self.name_length()).collect()
    }

    pub(crate) fn name_length(self) -> usize {
        match self {
            Self::Minute => 16,
            Self::Hour => 13,
            Self::Day => 10,
            Self::Month => 7,
            Self::Year => 4,
        }
    }
}

/// Monday of the week that a point in time is in, 00:00.
pub(crate) fn monday(time: OffsetDateTime) -> OffsetDateTime {
    let days = time.weekday().number_days_from_monday();
    Unit::Day.floor(time.saturating_sub(Duration::days(days.into())))
}

/// A kind of stored figures: of each service one key a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Series {
    name: &'static str,
    /// How slots are named.
    pub(crate) unit: Unit,
}

impl Series {
    pub(crate) const RAW: Self = Self { name: "time:raw-by-minute", unit: Unit::Minute };
    pub(crate) const MINUTES: Self = Self { name: "time:aggr-by-minute", unit: Unit::Minute };
    pub(crate) const HOURS: Self = Self { name: "time:aggr-by-hour", unit: Unit::Hour };
    pub(crate) const DAYS: Self = Self { name: "time:aggr-by-day", unit: Unit::Day };
    pub(crate) const MONTHS: Self = Self { name: "time:aggr-by-month", unit: Unit::Month };
    pub(crate) const DAY_SUMMARIES: Self = Self { name: "summary:by-day", unit: Unit::Day };
    pub(crate) const WEEK_SUMMARIES: Self = Self { name: "summary:by-week", unit: Unit::Day };
    pub(crate) const MONTH_SUMMARIES: Self = Self { name: "summary:by-month", unit: Unit::Month };
    pub(crate) const YEAR_SUMMARIES: Self = Self { name: "summary:by-year", unit: Unit::Year };

    pub(crate) fn prefix(self) -> String {
        format!("{PREFIX}{}:", self.name)
    }

    pub(crate) fn key(self, service: &str, slot: &str) -> String {
        format!("{}{service}:{slot}", self.prefix())
    }

    /// The service and the slot that a key of this series is for.
    pub(crate) fn parse(self, key: &str) -> Option<(&str, &str)> {
        let rest = key.strip_prefix(&*self.prefix())?;
        let middle = rest.len().checked_sub(self.unit.name_length() + 1)?;
        let (service, slot) = (rest.get(..middle)?, rest.get(middle..)?);
        let slot = slot.strip_prefix(':')?;
        // Every fifth character is a colon, and then every third.
        let is_part = |(index, byte): (usize, u8)| match index {
            4 | 7 | 10 | 13 => byte == b':',
            _ => byte.is_ascii_digit(),
        };
        (!service.is_empty() && slot.bytes().enumerate().all(is_part)).then_some((service, slot))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn slots_follow_the_calendar() {
        let time = datetime!(2028-02-29 23:59:58.7 UTC);
        assert_eq!(Unit::Hour.floor(time), datetime!(2028-02-29 23:00 UTC));
        assert_eq!(Unit::Month.end(Unit::Month.floor(time)), datetime!(2028-03-01 00:00 UTC));
        assert_eq!(Unit::Month.before(datetime!(2028-03-01 00:00 UTC)), datetime!(2028-02-01 00:00 UTC));
        assert_eq!(Unit::Year.end(Unit::Year.floor(time)), datetime!(2029-01-01 00:00 UTC));
        assert_eq!(Unit::Day.ceil(time), datetime!(2028-03-01 00:00 UTC));
        assert_eq!(Unit::Minute.name(time), "2028:02:29:23:59");
        assert_eq!(Unit::Year.name(time), "2028");
        assert_eq!(monday(time), datetime!(2028-02-28 00:00 UTC));
        let months: Vec<_> = Unit::Month
            .slots(datetime!(2026-11-15 00:00 UTC), datetime!(2027-01-02 00:00 UTC))
            .map(|month| Unit::Month.name(month))
            .collect();
        assert_eq!(months, ["2026:11", "2026:12", "2027:01"]);
    }

    proptest! {
        #[test]
        fn every_time_is_in_one_slot(seconds in 0_i64..4_000_000_000) {
            let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            for unit in [Unit::Minute, Unit::Hour, Unit::Day, Unit::Month, Unit::Year] {
                let begin = unit.floor(time);
                prop_assert!(begin <= time && time < unit.end(begin));
                prop_assert_eq!(unit.floor(begin), begin);
                prop_assert_eq!(unit.end(unit.before(begin)), begin);
                prop_assert_eq!(unit.name(time).len(), unit.name_length());
            }
        }

        #[test]
        fn keys_are_read_back(service in "[a-z:.]{1,9}", seconds in 0_i64..4_000_000_000, other: String) {
            let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            for series in [Series::RAW, Series::DAYS, Series::YEAR_SUMMARIES] {
                let slot = series.unit.name(time);
                let key = series.key(&service, &slot);
                prop_assert_eq!(series.parse(&key), Some((&*service, &*slot)));
                let _ = series.parse(&format!("{}{other}", series.prefix()));
            }
        }
    }
}
