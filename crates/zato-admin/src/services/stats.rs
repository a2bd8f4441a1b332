//! `zato.stats`: how services fared, and the jobs that work that out.
//!
//! Owns the form of reports on the wire. It must not know how figures are made: `zato-stats` does.

use time::OffsetDateTime;
use zato_catalogue::RawCall;
use zato_catalogue::stats::{
    aggregate_by_day, aggregate_by_hour, aggregate_by_minute, aggregate_by_month, delete, get_by_service,
    process_raw_times, summary, trends,
};
use zato_odb::Read;
use zato_odb::model::Service as StoredService;
use zato_service::{Context, Description, Error, RawInput, Service};
use zato_sio::Utc;
use zato_stats::{Aggregate, Period, Ranking, Report, ReportError, Stats};

use crate::error::{OrError, no_row, not_allowed};
use crate::handle::{Implemented, describe};
use crate::{Admin, Handle};

/// Services without input and output, each of which is a job.
macro_rules! jobs {
    ($($request:ty => |$stats:ident| $work:expr;)+) => {
        $(
            impl Handle for $request {
                async fn handle(self, _: &mut Context, admin: &Admin) -> Result<(), Error> {
                    let $stats = &admin.background()?.stats;
                    Ok($work.await?)
                }
            }
        )+
    };
}

jobs! {
    aggregate_by_minute::Request => |stats| stats.aggregate_by_minute();
    aggregate_by_hour::Request => |stats| stats.aggregate(Aggregate::Hour);
    aggregate_by_day::Request => |stats| stats.aggregate(Aggregate::Day);
    aggregate_by_month::Request => |stats| stats.aggregate(Aggregate::Month);
    summary::create_summary_by_day::Request => |stats| stats.summarize(Period::Day);
    summary::create_summary_by_week::Request => |stats| stats.summarize(Period::Week);
    summary::create_summary_by_month::Request => |stats| stats.summarize(Period::Month);
    summary::create_summary_by_year::Request => |stats| stats.summarize(Period::Year);
}

/// What is shown of a report, in the item type of a service.
macro_rules! items {
    ($module:path, $mean_all:expr, $reports:expr) => {{
        use $module as module;
        let mean_all: fn(f64) -> String = $mean_all;
        let item = |report: Report| module::Item {
            service_name: Some(report.service_name),
            usage: Some(count(report.usage)),
            mean: Some(report.mean),
            rate: Some(report.rate),
            time: Some(report.time),
            usage_trend: Some(trend(&report.usage_trend)),
            mean_trend: Some(trend(&report.mean_trend)),
            min_resp_time: Some(report.minimum),
            max_resp_time: Some(report.maximum),
            all_services_usage: Some(count(report.all_services_usage)),
            all_services_time: Some(count(report.all_services_time)),
            mean_all_services: Some(mean_all(report.mean_all_services)),
            usage_perc_all_services: Some(report.usage_share),
            time_perc_all_services: Some(report.time_share),
        };
        Ok($reports.into_iter().map(item).collect())
    }};
}

fn whole(mean: f64) -> String {
    format!("{mean:.0}")
}

macro_rules! summaries {
    ($($module:ident => $period:expr;)+) => {
        $(
            impl Handle for summary::$module::Request {
                async fn handle(
                    self,
                    _: &mut Context,
                    admin: &Admin,
                ) -> Result<Vec<summary::$module::Item>, Error> {
                    let (start, ranking) = (date(&self.start)?, ranking(self.n, &self.n_type)?);
                    let reports = stats(admin)?.summary($period, start, &ranking).await;
                    items!(summary::$module, whole, reports.map_err(error)?)
                }
            }
        )+
    };
}

summaries! {
    get_summary_by_day => Period::Day;
    get_summary_by_week => Period::Week;
    get_summary_by_month => Period::Month;
    get_summary_by_year => Period::Year;
}

impl Handle for summary::get_summary_by_range::Request {
    async fn handle(
        self,
        _: &mut Context,
        admin: &Admin,
    ) -> Result<Vec<summary::get_summary_by_range::Item>, Error> {
        let ranking = ranking(self.n, &self.n_type)?;
        let reports = stats(admin)?.by_range(self.start.get(), self.stop.get(), &ranking).await;
        items!(summary::get_summary_by_range, |mean| mean.to_string(), reports.map_err(error)?)
    }
}

impl Handle for trends::get_trends::Request {
    async fn handle(self, _: &mut Context, admin: &Admin) -> Result<Vec<trends::get_trends::Item>, Error> {
        let ranking = ranking(self.n, &self.n_type)?;
        let reports = stats(admin)?.trends(self.start.get(), self.stop.get(), &ranking).await;
        items!(trends::get_trends, whole, reports.map_err(error)?)
    }
}

impl Handle for get_by_service::Request {
    async fn handle(self, _: &mut Context, admin: &Admin) -> Result<get_by_service::Response, Error> {
        let service = admin.odb().find::<StoredService>(self.service_id).await.or_error()?;
        let service = service.ok_or_else(|| no_row("service", "id", self.service_id))?;
        let report = stats(admin)?.by_service(self.start.get(), self.stop.get(), &service.name).await;
        let shown = |report: Report| get_by_service::Response {
            service_name: Some(report.service_name),
            usage: Some(count(report.usage)),
            mean: Some(report.mean),
            rate: Some(report.rate),
            time: Some(report.time),
            usage_trend: Some(trend(&report.usage_trend)),
            mean_trend: Some(trend(&report.mean_trend)),
            min_resp_time: Some(report.minimum),
            max_resp_time: Some(report.maximum),
        };
        Ok(report.map_err(error)?.map(shown).unwrap_or_default())
    }
}

impl Handle for delete::Request {
    async fn handle(self, _: &mut Context, admin: &Admin) -> Result<(), Error> {
        Ok(stats(admin)?.delete(self.start.get(), self.stop.get()).await?)
    }
}

/// `zato.stats.process-raw-times`.
pub(crate) struct ProcessRawTimes(Admin);

impl Service for ProcessRawTimes {
    type Input = RawInput;
    type Output = ();

    fn description(&self) -> Description {
        describe(process_raw_times::Raw::SERVICE)
    }

    async fn handle(&self, _: &mut Context, request: RawInput) -> Result<(), Error> {
        // Callers whose format is JSON send the text as a JSON text.
        let text = serde_json::from_slice(&request.body)
            .unwrap_or_else(|_| String::from_utf8_lossy(&request.body).into_owned());
        let Some(size) = maximum_batch(&text) else {
            return Err(not_allowed(
                "payload",
                text,
                "lines of the form name=1, and max_batch_size one of the names",
            ));
        };
        Ok(stats(&self.0)?.process_raw_times(size).await?)
    }
}

impl Implemented for process_raw_times::Raw {
    type Service = ProcessRawTimes;

    fn service(admin: &Admin) -> ProcessRawTimes {
        ProcessRawTimes(admin.clone())
    }
}

/// The number that `max_batch_size` has among lines of `name=number`.
fn maximum_batch(text: &str) -> Option<u64> {
    let mut pairs = text.lines().filter_map(|line| line.split_once('='));
    let (_, size) = pairs.find(|(name, _)| name.trim() == "max_batch_size")?;
    size.trim().parse().ok().filter(|size| *size > 0)
}

fn stats(admin: &Admin) -> Result<&Stats, Error> {
    Ok(&admin.background()?.stats)
}

fn ranking(n: i64, element: &str) -> Result<Ranking, Error> {
    let count = u64::try_from(n).map_err(|_| not_allowed("n", n, "0 or more"))?;
    Ok(Ranking { count, element: Some(element.to_owned()).filter(|element| !element.is_empty()) })
}

/// A date whose last parts may be missing: `2026-03-01`, `2026-03` or `2026`.
fn date(text: &str) -> Result<OffsetDateTime, Error> {
    let complete =
        ["", "-01", "-01-01"].iter().find_map(|rest| Utc::parse(&format!("{}{rest}", text.trim())));
    complete
        .map(Utc::get)
        .ok_or_else(|| not_allowed("start", text, "a date such as 2026-03-01, 2026-03 or 2026"))
}

fn error(error: ReportError) -> Error {
    match error {
        ReportError::Store(error) => error.into(),
        other => Error::bad_request(other.to_string()),
    }
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn trend(slots: &[u64]) -> String {
    slots.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn dates_may_lack_their_last_parts() {
        for text in ["2026", "2026-01", "2026-01-01", " 2026-01-01T00:00:00+00:00 "] {
            assert_eq!(date(text).unwrap(), datetime!(2026-01-01 00:00 UTC), "{text}");
        }
        assert!(date("").is_err() && date("26").is_err() && date("today").is_err());
    }

    #[test]
    fn the_size_of_a_batch_is_one_of_the_lines() {
        assert_eq!(maximum_batch("max_batch_size=99999"), Some(99_999));
        assert_eq!(maximum_batch("a=b\n max_batch_size = 5 \nc=1"), Some(5));
        for other in ["", "max_batch_size", "max_batch_size=", "max_batch_size=0", "max_batch_size=-1"] {
            assert_eq!(maximum_batch(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = (date(&text).is_ok(), maximum_batch(&text));
        }
    }
}
