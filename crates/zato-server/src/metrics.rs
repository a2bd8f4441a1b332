//! `/zato/metrics`: the server's counters in the OpenMetrics text format that Prometheus reads.
//!
//! Owns metric names and units. It must not know how the counters come about: it reads them when it is asked.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use zato_channel::ChannelStatistics;
use zato_service::StatisticsSnapshot;

/// All metrics of a server.
#[derive(Debug)]
pub(crate) struct Metrics(Registry);

impl Metrics {
    pub(crate) fn new(services: zato_service::Registry, channels: ChannelStatistics) -> Self {
        let mut registry = Registry::with_prefix("zato");
        registry.register_collector(Box::new(Services(services)));
        registry.register_collector(Box::new(Channels(channels)));
        Self(registry)
    }

    pub(crate) fn encode(&self) -> Result<String, fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.0)?;
        Ok(out)
    }
}

/// What each service counted. Services that were never called are left out.
#[derive(Debug)]
struct Services(zato_service::Registry);

impl Collector for Services {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let services: Vec<_> = self
            .0
            .services()
            .into_iter()
            .map(|service| (service.name().to_owned(), service.statistics().snapshot()))
            .filter(|(_, snapshot)| snapshot.usage > 0)
            .collect();
        let mut counter =
            |name: &str, help: &str, unit: Option<&Unit>, value: fn(&StatisticsSnapshot) -> f64| {
                let zero = ConstCounter::new(0.0);
                let mut family = encoder.encode_descriptor(name, help, unit, zero.metric_type())?;
                for (service, snapshot) in &services {
                    let labels = [("service", service.as_str())];
                    ConstCounter::new(value(snapshot)).encode(family.encode_family(&labels)?)?;
                }
                Ok::<(), fmt::Error>(())
            };
        counter("service_calls", "Calls begun", None, |snapshot| snapshot.usage as f64)?;
        counter("service_failures", "Calls that ended in an error", None, |snapshot| {
            snapshot.failures as f64
        })?;
        counter("service_time", "Processing time of successful calls", Some(&Unit::Seconds), |snapshot| {
            snapshot.total.as_secs_f64()
        })
    }
}

/// What the dispatcher counted.
#[derive(Debug)]
struct Channels(ChannelStatistics);

impl Collector for Channels {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let snapshot = self.0.snapshot();
        let in_flight = ConstGauge::new(i64::try_from(snapshot.in_flight).unwrap_or(i64::MAX));
        let metric = encoder.encode_descriptor(
            "http_calls_in_flight",
            "Calls that have begun but not ended",
            None,
            in_flight.metric_type(),
        )?;
        in_flight.encode(metric)?;
        let replies = [
            ("2xx", snapshot.successes),
            ("3xx", snapshot.redirections),
            ("4xx", snapshot.client_errors),
            ("5xx", snapshot.server_errors),
        ];
        let zero = ConstCounter::new(0_u64);
        let mut family =
            encoder.encode_descriptor("http_replies", "Replies by status class", None, zero.metric_type())?;
        for (class, count) in replies {
            ConstCounter::new(count).encode(family.encode_family(&[("status", class)])?)?;
        }
        Ok(())
    }
}
