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
    /// The mean processing time, over all slots of the stretch; slots without calls count as zero. Of any stretch of time, the
    /// mean of the means of those slices of it in which the service was called.
    pub mean: f64,
    /// Calls per second.
    pub rate: f64,
    /// The sum of all processing times.
    pub time: f64,
    /// Calls in each slot; empty unless the report is by the minute.
    pub usage_trend: Vec<u64>,
    /// The mean in each slot, cut to whole milliseconds; empty unless the report is by the minute.
    pub mean_trend: Vec<u64>,
    /// The shortest processing time.
    pub minimum: f64,
    /// The longest processing time.
    pub maximum: f64,
    /// Calls of all services.
    pub all_services_usage: u64,
    /// The sum of all processing times of all services.
    pub all_services_time: u64,
    /// The mean of all means of all services and slots, without slots that have none. Of any stretch of time, the means of all
    /// services in its slices, added up, by the number of services.
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

/// The figures of services by slot. Only slots that have some are there: a stretch may have more slots than memory has room
/// for.
type Found = BTreeMap<String, BTreeMap<String, Figures>>;

/// The reports of services, of their figures in a stretch of so many slots and seconds. They have no trends.
fn reports(services: &Found, slots: usize, seconds: f64) -> Vec<Report> {
    let mut reports: Vec<Report> = Vec::with_capacity(services.len());
    let mut means = Vec::new();
    for (service_name, found) in services {
        means.extend(found.values().map(|figures| figures.mean));
        let usage = found.values().fold(0_u64, |sum, figures| sum.saturating_add(figures.usage));
        let mean = found.values().map(|figures| figures.mean.trunc()).sum::<f64>() / slots.max(1) as f64;
        let least = found.values().map(|figures| figures.minimum).reduce(f64::min);
        let most = found.values().map(|figures| figures.maximum).reduce(f64::max);
        reports.push(Report {
            service_name: service_name.clone(),
            usage,
            mean: round(mean, 2),
            rate: round(if seconds > 0.0 { usage as f64 / seconds } else { 0.0 }, 2),
            time: found.values().map(|figures| figures.usage as f64 * figures.mean).sum(),
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
        ranking.apply(self.by_minute(start, stop, None).await?)
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
        Ok(self.by_minute(start, stop, Some(service)).await?.pop())
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
        let slot = Slice { series: period.series(), start: begin, stop: Unit::Minute.end(begin) };
        let found = self.read(slot, None).await?;
        ranking.apply(reports(&found, 1, (end - begin).as_seconds_f64()))
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
            let found = self.read(slice, None).await?;
            slices.push((slice, reports(&found, slice.slots().count(), slice.seconds())));
        }
        ranking.apply(range::merge(slices))
    }

    /// Reports with trends, of one service or of all.
    async fn by_minute(
        &self,
        start: OffsetDateTime,
        stop: OffsetDateTime,
        only: Option<&str>,
    ) -> Result<Vec<Report>, ReportError> {
        check_trend(start, stop)?;
        let slice = Slice { series: Series::MINUTES, start, stop };
        let found = self.read(slice, only).await?;
        let slots: Vec<String> = slice.slots().collect();
        let mut reports = reports(&found, slots.len(), slice.seconds());
        for (report, figures) in reports.iter_mut().zip(found.values()) {
            let each = |value: fn(&Figures) -> u64| {
                slots.iter().map(|slot| figures.get(slot).map_or(0, value)).collect()
            };
            report.usage_trend = each(|it| it.usage);
            report.mean_trend = each(|it| it.mean as u64);
        }
        Ok(reports)
    }

    /// The figures of the services that have some in a slice.
    async fn read(&self, slice: Slice, only: Option<&str>) -> Result<Found, KvdbError> {
        let Slice { series, start, stop } = slice;
        let mut services = Found::new();
        for (service, slots) in stored(self.kvdb(), series, start, stop).await? {
            if only.is_some_and(|only| only != service) {
                continue;
            }
            let mut found = BTreeMap::new();
            for slot in slots {
                if let Some(figures) = Figures::read(self.kvdb(), &series.key(&service, &slot)).await? {
                    found.insert(slot, figures);
                }
            }
            if !found.is_empty() {
                services.insert(service, found);
            }
        }
        Ok(services)
    }
}

fn check_trend(start: OffsetDateTime, stop: OffsetDateTime) -> Result<(), ReportError> {
    if (stop - start).whole_days() > LONGEST_TREND {
        return Err(ReportError::TooLong { days: LONGEST_TREND });
    }
    Ok(())
}
