//! `zato.service`: the services of a cluster, their settings and how they fare.
//!
//! Owns how settings and figures are shown. It must not know what any service does; running one by name is
//! [`invoke`]'s part.

mod invoke;

use std::time::Duration;

use zato_catalogue::service::{edit, get_by_name, get_channel_list, get_list};
use zato_odb::Read;
use zato_odb::model::{Connection, Everything, HttpSoap, HttpSoapFilter, Service, Transport};
use zato_service::{Context, Error, Registry, StatisticsSnapshot};

use crate::change::{ConfigurationChange, Family};
use crate::error::{OrError, no_row, not_allowed};
use crate::{Admin, Handle, is_internal_name};

/// The filter that lets every name pass.
const EVERYTHING: &str = "*";

pub(crate) struct Services;

impl Family for Services {
    type Object = Service;

    const NOUN: &'static str = "service";

    fn check_values(object: &Service) -> Result<(), Error> {
        if object.slow_threshold < 0 {
            return Err(not_allowed(
                "slow_threshold",
                object.slow_threshold,
                "a number of milliseconds, 0 or more",
            ));
        }
        Ok(())
    }
}

impl Handle for edit::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<edit::Response, Error> {
        let slow_threshold = i32::try_from(self.slow_threshold).map_err(|_| {
            not_allowed("slow_threshold", self.slow_threshold, "a number of milliseconds, 0 or more")
        })?;
        let mut change = ConfigurationChange::begin(admin, cx).await?;
        let stored = change.find::<Services>(self.id).await?;
        let edited = Service { is_active: self.is_active, slow_threshold, ..stored.clone() };
        change.replace::<Services>(&stored, &edited).await?;
        change.commit().await?;
        Ok(edit::Response {
            id: edited.id,
            may_be_deleted: may_be_deleted(admin, &edited),
            name: edited.name,
            impl_name: edited.impl_name,
            is_internal: edited.is_internal,
        })
    }
}

impl Handle for get_list::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<Vec<get_list::Item>, Error> {
        let filter = self.name_filter_or_default().trim().to_lowercase();
        if filter.is_empty() {
            return Ok(Vec::new());
        }
        let words: Vec<&str> =
            if filter == EVERYTHING { Vec::new() } else { filter.split_whitespace().collect() };
        let cluster_id = self.cluster_id.unwrap_or_else(|| admin.settings().cluster_id);
        let services = admin.odb().list::<Service>(cluster_id, &Everything).await.or_error()?;
        let is_shown = |service: &Service| {
            let name = service.name.to_lowercase();
            (admin.settings().return_internal_objects || !is_internal_name(&service.name))
                && words.iter().all(|word| name.contains(word))
        };
        let item = |service: Service| get_list::Item {
            id: service.id,
            may_be_deleted: may_be_deleted(admin, &service),
            usage: count(figures(cx.registry(), &service.name).usage),
            name: service.name,
            is_active: service.is_active,
            impl_name: service.impl_name,
            is_internal: service.is_internal,
            slow_threshold: service.slow_threshold.into(),
        };
        Ok(services.into_iter().filter(is_shown).map(item).collect())
    }
}

impl Handle for get_by_name::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<get_by_name::Response, Error> {
        let service = admin.odb().find_by_name::<Service>(self.cluster_id, &self.name).await.or_error()?;
        let service = service.ok_or_else(|| no_row(Services::NOUN, "name", &self.name))?;
        let figures = figures(cx.registry(), &service.name);
        Ok(get_by_name::Response {
            id: service.id,
            may_be_deleted: may_be_deleted(admin, &service),
            usage: count(figures.usage),
            name: service.name,
            is_active: service.is_active,
            impl_name: service.impl_name,
            is_internal: service.is_internal,
            slow_threshold: service.slow_threshold.into(),
            time_min_all_time: figures.minimum.map_or(0, milliseconds),
            time_max_all_time: figures.maximum.map_or(0, milliseconds),
            time_mean_all_time: figures.mean().map_or(0.0, mean),
            time_last: figures.last.map(milliseconds),
        })
    }
}

impl Handle for get_channel_list::Request {
    async fn handle(self, _: &mut Context, admin: &Admin) -> Result<Vec<get_channel_list::Item>, Error> {
        let transport = match &*self.channel_type {
            "plain_http" => Some(Transport::PlainHttp),
            "soap" => Some(Transport::Soap),
            // This server has no channels of these types, so no service has.
            "amqp" | "jms-wmq" | "zmq" => None,
            other => {
                return Err(not_allowed("channel_type", other, "plain_http, soap, amqp, jms-wmq or zmq"));
            }
        };
        let service = admin.odb().find::<Service>(self.id).await.or_error()?;
        let service = service.ok_or_else(|| no_row(Services::NOUN, "id", self.id))?;
        if transport.is_none() {
            return Ok(Vec::new());
        }
        let filter = HttpSoapFilter {
            connection: Some(Connection::Channel),
            transport,
            service_id: Some(service.id),
            ..HttpSoapFilter::default()
        };
        let channels = admin.odb().list::<HttpSoap>(service.cluster_id, &filter).await.or_error()?;
        Ok(channels
            .into_iter()
            .map(|HttpSoap { id, name, .. }| get_channel_list::Item { id, name })
            .collect())
    }
}

fn may_be_deleted(admin: &Admin, service: &Service) -> bool {
    !service.is_internal || admin.settings().internal_services_may_be_deleted
}

/// How a service has fared on this server. All zero if the server doesn't have it.
fn figures(registry: &Registry, name: &str) -> StatisticsSnapshot {
    let registration = registry.find(name);
    registration
        .map_or_else(|| zato_service::Statistics::default().snapshot(), |found| found.statistics().snapshot())
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A processing time as the public API shows it: in whole milliseconds, where 1 counts as none at all.
fn milliseconds(time: Duration) -> i64 {
    let milliseconds = time.as_secs_f64() * 1000.0;
    if milliseconds <= 1.0 { 0 } else { milliseconds.round() as i64 }
}

/// A mean processing time in milliseconds, to one decimal; none at all up to 1, as with single times.
fn mean(time: Duration) -> f64 {
    let milliseconds = time.as_secs_f64() * 1000.0;
    if milliseconds <= 1.0 { 0.0 } else { (milliseconds * 10.0).round() / 10.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_times_count_as_none() {
        let check = |microseconds, whole, one_decimal| {
            let time = Duration::from_micros(microseconds);
            assert_eq!((milliseconds(time), mean(time)), (whole, one_decimal), "{microseconds} µs");
        };
        check(0, 0, 0.0);
        check(1_000, 0, 0.0);
        check(1_001, 1, 1.0);
        check(1_499, 1, 1.5);
        check(1_500, 2, 1.5);
        check(12_345, 12, 12.3);
        check(12_350, 12, 12.4);
        check(3_600_000_000, 3_600_000, 3_600_000.0);
    }
}
