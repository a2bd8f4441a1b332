//! Any stretch of time, cut into slices of stored figures.
//!
//! Owns where the cuts are and how the reports of slices become one. It must not read anything.

use std::collections::BTreeMap;

use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use crate::report::{Report, ReportError, compare};
use crate::slot::{Series, Unit};
use crate::summary::round;

/// Part of a stretch of time, of which figures of one series are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) series: Series,
    pub(crate) start: OffsetDateTime,
    /// Not included.
    pub(crate) stop: OffsetDateTime,
}

impl Slice {
    /// The names of its slots.
    pub(crate) fn slots(self) -> impl Iterator<Item = String> {
        let unit = self.series.unit;
        unit.slots(self.start, self.stop).map(move |slot| unit.name(slot))
    }

    pub(crate) fn seconds(self) -> f64 {
        (self.stop - self.start).as_seconds_f64()
    }
}

/// The slices of a stretch: the coarsest that its length allows in the middle, finer ones at the ends.
///
/// # Errors
/// [`ReportError::Reversed`], [`ReportError::TooShort`].
pub(crate) fn slices(start: OffsetDateTime, stop: OffsetDateTime) -> Result<Vec<Slice>, ReportError> {
    let texts = || (text(start), text(stop));
    if start > stop {
        let (start, stop) = texts();
        return Err(ReportError::Reversed { start, stop });
    }
    let length = stop - start;
    if length < Duration::minutes(3) {
        let (start, stop) = texts();
        return Err(ReportError::TooShort { start, stop });
    }
    let first = Unit::Month.floor(start);
    let month = Unit::Month.end(first) - first;
    let coarse: &[Series] = if length <= Duration::hours(1) {
        &[]
    } else if length <= Duration::days(1) {
        &[Series::HOURS]
    } else if length <= month {
        &[Series::DAY_SUMMARIES, Series::HOURS]
    } else {
        &[Series::MONTH_SUMMARIES, Series::DAY_SUMMARIES, Series::HOURS]
    };
    let mut slices = Vec::new();
    cut(start, stop, coarse, &mut slices);
    Ok(slices)
}

fn text(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    time.format(format).unwrap_or_default()
}

fn cut(start: OffsetDateTime, stop: OffsetDateTime, coarse: &[Series], slices: &mut Vec<Slice>) {
    let Some((series, finer)) = coarse.split_first() else {
        if start < stop {
            slices.push(Slice { series: Series::MINUTES, start, stop });
        }
        return;
    };
    let (first, last) = (series.unit.ceil(start), series.unit.floor(stop));
    if first < last {
        cut(start, first, finer, slices);
        slices.push(Slice { series: *series, start: first, stop: last });
        cut(last, stop, finer, slices);
    } else {
        cut(start, stop, finer, slices);
    }
}

/// One report a service of those of its slices.
pub(crate) fn merge(slices: Vec<(Slice, Vec<Report>)>) -> Vec<Report> {
    let seconds: f64 = slices.iter().map(|(slice, _)| slice.seconds()).sum();
    /// A report under way, the means of its slices, and how many calls its rates come to.
    struct Sum {
        report: Report,
        means: Vec<f64>,
        calls: f64,
    }
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    for (slice, reports) in slices {
        for part in reports {
            let calls = slice.seconds() * part.rate;
            match sums.get_mut(&part.service_name) {
                Some(sum) => {
                    sum.report.usage = sum.report.usage.saturating_add(part.usage);
                    sum.report.time += part.time;
                    sum.report.minimum = sum.report.minimum.min(part.minimum);
                    sum.report.maximum = sum.report.maximum.max(part.maximum);
                    sum.means.push(part.mean);
                    sum.calls += calls;
                }
                None => {
                    let (name, means) = (part.service_name.clone(), vec![part.mean]);
                    sums.insert(name, Sum { report: part, means, calls });
                }
            }
        }
    }
    let all: f64 = sums.values().flat_map(|sum| &sum.means).sum();
    let mean_all_services = if sums.is_empty() { 0.0 } else { all / sums.len() as f64 };
    let finish = |Sum { report, means, calls }: Sum| Report {
        time: round(report.time, 1),
        mean: round(means.iter().sum::<f64>() / means.len().max(1) as f64, 0),
        rate: round(if seconds > 0.0 { calls / seconds } else { 0.0 }, 1),
        ..report
    };
    let mut reports: Vec<Report> = sums.into_values().map(finish).collect();
    compare(&mut reports, mean_all_services);
    reports
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    /// The slices as text: the series' unit and the length in units.
    #[track_caller]
    fn check(start: OffsetDateTime, stop: OffsetDateTime, expected: &str) {
        let texts: Vec<String> = slices(start, stop)
            .unwrap()
            .iter()
            .map(|slice| format!("{} {:?}", slice.slots().count(), slice.series.unit))
            .collect();
        assert_eq!(texts.join(", "), expected, "{start} to {stop}");
    }

    #[test]
    fn a_stretch_is_cut_as_coarse_as_its_length_allows() {
        let noon = datetime!(2028-02-28 12:00 UTC);
        let after = |duration| noon + duration;
        check(noon, after(Duration::minutes(3)), "3 Minute");
        check(noon, after(Duration::hours(1)), "60 Minute");
        check(noon, after(Duration::hours(2)), "2 Hour");
        check(noon, after(Duration::minutes(90)), "1 Hour, 30 Minute");
        check(after(Duration::minutes(20)), after(Duration::minutes(100)), "80 Minute");
        check(after(Duration::minutes(20)), after(Duration::minutes(200)), "40 Minute, 2 Hour, 20 Minute");
        check(noon, after(Duration::days(1)), "24 Hour");
        check(noon, after(Duration::hours(50)), "12 Hour, 1 Day, 14 Hour");
        let (first, later) = (datetime!(2028-02-28 00:00 UTC), datetime!(2028-02-29 02:00 UTC));
        check(first, later, "1 Day, 2 Hour");
        check(datetime!(2026-01-01 00:00 UTC), datetime!(2028-01-01 00:00 UTC), "24 Month");
        let (start, stop) = (datetime!(2026-01-30 23:30 UTC), datetime!(2026-03-03 01:00 UTC));
        check(start, stop, "30 Minute, 1 Day, 1 Month, 2 Day, 1 Hour");
    }

    #[test]
    fn a_stretch_has_a_length() {
        let noon = datetime!(2026-03-01 12:00 UTC);
        let error = slices(noon, noon - Duration::seconds(1)).unwrap_err().to_string();
        assert!(error.contains("must not be greater than stop"), "{error}");
        let error = slices(noon, noon + Duration::seconds(179)).unwrap_err().to_string();
        assert!(error.starts_with("stop and start must be at least [3] minutes apart"), "{error}");
    }

    proptest! {
        #[test]
        fn slices_follow_one_another(start in 1_600_000_000_i64..1_800_000_000, length in 180_i64..100_000_000) {
            let start = OffsetDateTime::from_unix_timestamp(start).unwrap();
            let stop = start + Duration::seconds(length);
            let slices = slices(start, stop).unwrap();
            let mut at = start;
            for slice in &slices {
                prop_assert_eq!(slice.start, at);
                prop_assert!(slice.stop > slice.start);
                if slice.series.unit != Unit::Minute {
                    prop_assert_eq!(slice.series.unit.floor(slice.start), slice.start);
                    prop_assert_eq!(slice.series.unit.floor(slice.stop), slice.stop);
                }
                at = slice.stop;
            }
            prop_assert_eq!(at, stop);
        }
    }
}
