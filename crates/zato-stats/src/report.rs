//! Reports: how services fared in a stretch of time, compared with one another.
//!
//! Owns the formulas of what is shown, and the ranking. It must not know how reports reach callers.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use zato_kvdb::KvdbError;

use crate::aggregate::{Figures, stored};
use crate::slot::{Series, Unit};
use crate::summary::{Period, round};
use crate::{Slice, Stats, range};

/// How one service fared. Times are in milliseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The service.
    pub service_name: String,
    /// How often it was called with success.
    pub usage: u64,
    /// The mean processing time, over all slots of the stretch; slots without calls count as zero.
    pub mean: f64,
    /// Calls per second.
    pub rate: f64,
    /// The sum of all processing times.
    pub time: f64,
    /// Calls in each slot; empty if the stretch is a single slot.
    pub usage_trend: Vec<u64>,
    /// The mean in each slot, cut to whole milliseconds; empty if the stretch is a single slot.
    pub mean_trend: Vec<u64>,
    /// The shortest processing time.
    pub minimum: f64,
    /// The longest processing time.
    pub maximum: f64,
    /// Calls of all services.
    pub all_services_usage: u64,
    /// The sum of all processing times of all services.
    pub all_services_time: u64,
    /// The mean of all means of all services and slots.
    pub mean_all_services: f64,
    /// The service's share of all calls, in percent.
    pub usage_share: f64,
    /// The service's share of all processing time, in percent.
    pub time_share: f64,
}

/// Which services a report is wanted of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranking {
    /// How many services; all if 0.
    pub count: u64,
    /// Which element services are ranked by, the largest first; not needed for all of them.
    pub element: Option<String>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A number of services is wanted, but not by which element.
    #[error(
        "n_type must be an element of the reports, such as mean or usage, if n is given, n:[{count}], n_type:[{element}]"
    )]
    NoElement {
        /// The number.
        count: u64,
        /// What was given as the element.
        element: String,
    },
    /// The stretch ends before it begins.
    #[error("start:[{start}] must not be greater than stop:[{stop}]")]
    Reversed {
        /// Its beginning, as text.
        start: String,
        /// Its end, as text.
        stop: String,
    },
    /// The stretch is too short to be divided.
    #[error(
        "stop and start must be at least [3] minutes apart, start must be farther in past; start:[{start}], stop:[{stop}]"
    )]
    TooShort {
        /// Its beginning, as text.
        start: String,
        /// Its end, as text.
        stop: String,
    },
    /// The stretch is too long to be shown by the minute.
    #[error("start and stop must be no more than [{days}] days apart")]
    TooLong {
        /// The longest one.
        days: i64,
    },
    /// The key/value store failed.
    #[error("the statistics can't be read")]
    Store(#[from] KvdbError),
}

/// The longest stretch that is shown by the minute: no figures by minute are older.
const LONGEST_TREND: i64 = 8;

impl Ranking {
    /// Puts reports in order and leaves out those that are not wanted.
    ///
    /// # Errors
    /// [`ReportError::NoElement`].
    pub(crate) fn apply(&self, mut reports: Vec<Report>) -> Result<Vec<Report>, ReportError> {
        if self.count == 0 {
            return Ok(reports);
        }
        let element = self.element.as_deref().unwrap_or_default();
        let value: fn(&Report) -> f64 = match element {
            "mean" => |report| report.mean,
            "usage" => |report| report.usage as f64,
            "rate" => |report| report.rate,
            "time" => |report| report.time,
            "min_resp_time" => |report| report.minimum,
            "max_resp_time" => |report| report.maximum,
            "usage_perc_all_services" => |report| report.usage_share,
            "time_perc_all_services" => |report| report.time_share,
            _ => {
                let (count, element) = (self.count, self.element.as_deref().unwrap_or("None").to_owned());
                return Err(ReportError::NoElement { count, element });
            }
        };
        reports.sort_by(|one, other| {
            value(other).total_cmp(&value(one)).then_with(|| other.service_name.cmp(&one.service_name))
        });
        reports.truncate(usize::try_from(self.count).unwrap_or(usize::MAX));
        Ok(reports)
    }
}

/// A service's figures by slot. Slots without figures are none.
type Slots = Vec<Option<Figures>>;

/// The reports of services, of their figures in the slots of a stretch of so many seconds.
pub(crate) fn reports(services: BTreeMap<String, Slots>, seconds: f64) -> Vec<Report> {
    let mut reports: Vec<Report> = Vec::with_capacity(services.len());
    let mut means = Vec::new();
    for (service_name, slots) in services {
        let found: Vec<&Figures> = slots.iter().flatten().collect();
        means.extend(found.iter().map(|figures| figures.mean));
        let each =
            |value: fn(&Figures) -> u64| slots.iter().map(|slot| slot.as_ref().map_or(0, value)).collect();
        let (usage_trend, mean_trend): (Vec<u64>, Vec<u64>) =
            (each(|it| it.usage), each(|it| it.mean as u64));
        let usage = usage_trend.iter().fold(0_u64, |sum, usage| sum.saturating_add(*usage));
        let mean = mean_trend.iter().map(|mean| *mean as f64).sum::<f64>() / slots.len().max(1) as f64;
        let least = found.iter().map(|figures| figures.minimum).reduce(f64::min);
        let most = found.iter().map(|figures| figures.maximum).reduce(f64::max);
        reports.push(Report {
            service_name,
            usage,
            mean: round(mean, 2),
            rate: round(if seconds > 0.0 { usage as f64 / seconds } else { 0.0 }, 2),
            time: found.iter().map(|figures| figures.usage as f64 * figures.mean).sum(),
            usage_trend,
            mean_trend,
            minimum: least.unwrap_or(0.0),
            maximum: most.unwrap_or(0.0),
            ..Report::default()
        });
    }
    let mean = if means.is_empty() { 0.0 } else { means.iter().sum::<f64>() / means.len() as f64 };
    compare(&mut reports, mean);
    reports
}

/// Fills in what reports say of all services.
pub(crate) fn compare(reports: &mut [Report], mean_all_services: f64) {
    let usage = reports.iter().fold(0_u64, |sum, report| sum.saturating_add(report.usage));
    let time: f64 = reports.iter().map(|report| report.time).sum();
    let share = |part: f64, whole: f64| if whole > 0.0 { round(100.0 * part / whole, 2) } else { 0.0 };
    for report in reports {
        report.all_services_usage = usage;
        report.all_services_time = time as u64;
        report.mean_all_services = mean_all_services;
        report.usage_share = share(report.usage as f64, usage as f64);
        report.time_share = share(report.time, time);
    }
}

impl Stats {
    /// Reports by the minute, with trends, of the services that were called. The stretch includes `start` and not `stop`.
    ///
    /// # Errors
    /// [`ReportError::NoElement`], [`ReportError::TooLong`], [`ReportError::Store`].
    pub async fn trends(
        &self,
        start: OffsetDateTime,
        stop: OffsetDateTime,
        ranking: &Ranking,
    ) -> Result<Vec<Report>, ReportError> {
        check_trend(start, stop)?;
        ranking.apply(self.read(Slice { series: Series::MINUTES, start, stop }, None).await?)
    }

    /// The report of one service by the minute; none if it was not called.
    ///
    /// # Errors
    /// [`ReportError::TooLong`], [`ReportError::Store`].
    pub async fn by_service(
        &self,
        start: OffsetDateTime,
        stop: OffsetDateTime,
        service: &str,
    ) -> Result<Option<Report>, ReportError> {
        check_trend(start, stop)?;
        let slice = Slice { series: Series::MINUTES, start, stop };
        Ok(self.read(slice, Some(service)).await?.pop())
    }

    /// Reports of the day, week, month or year that a point in time is in, of its stored summary.
    ///
    /// # Errors
    /// [`ReportError::NoElement`], [`ReportError::Store`].
    pub async fn summary(
        &self,
        period: Period,
        start: OffsetDateTime,
        ranking: &Ranking,
    ) -> Result<Vec<Report>, ReportError> {
        let begin = period.begin(start);
        let end = period.end(begin).min(self.now());
        let series = period.series();
        let slot = Unit::Minute.end(begin);
        let mut reports = self.read_slots(series, begin, slot, None, (end - begin).as_seconds_f64()).await?;
        for report in &mut reports {
            report.usage_trend.clear();
            report.mean_trend.clear();
        }
        ranking.apply(reports)
    }

    /// Reports of any stretch of time, put together of the coarsest stored figures that fit.
    ///
    /// # Errors
    /// [`ReportError::Reversed`], [`ReportError::TooShort`], [`ReportError::NoElement`], [`ReportError::Store`].
    pub async fn by_range(
        &self,
        start: OffsetDateTime,
        stop: OffsetDateTime,
        ranking: &Ranking,
    ) -> Result<Vec<Report>, ReportError> {
        let mut slices = Vec::new();
        for slice in range::slices(start, stop)? {
            slices.push((slice, self.read(slice, None).await?));
        }
        ranking.apply(range::merge(slices))
    }

    async fn read(&self, slice: Slice, service: Option<&str>) -> Result<Vec<Report>, ReportError> {
        let Slice { series, start, stop } = slice;
        let seconds = (stop - start).as_seconds_f64();
        Ok(self.read_slots(series, start, stop, service, seconds).await?)
    }

    async fn read_slots(
        &self,
        series: Series,
        start: OffsetDateTime,
        stop: OffsetDateTime,
        only: Option<&str>,
        seconds: f64,
    ) -> Result<Vec<Report>, KvdbError> {
        let names: Vec<String> = series.unit.slots(start, stop).map(|slot| series.unit.name(slot)).collect();
        let mut services: BTreeMap<String, Slots> = BTreeMap::new();
        for (service, found) in stored(self.kvdb(), series, start, stop).await? {
            if only.is_some_and(|only| only != service) {
                continue;
            }
            let mut slots = Vec::with_capacity(names.len());
            for name in &names {
                slots.push(match found.contains(name) {
                    true => Figures::read(self.kvdb(), &series.key(&service, name)).await?,
                    false => None,
                });
            }
            if slots.iter().any(Option::is_some) {
                services.insert(service, slots);
            }
        }
        Ok(reports(services, seconds))
    }
}

fn check_trend(start: OffsetDateTime, stop: OffsetDateTime) -> Result<(), ReportError> {
    if (stop - start).whole_days() > LONGEST_TREND {
        return Err(ReportError::TooLong { days: LONGEST_TREND });
    }
    Ok(())
}
