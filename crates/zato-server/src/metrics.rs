//! `/zato/metrics`: the server's counters in the OpenMetrics text format that Prometheus reads.
//!
//! Owns metric names and units. It must not know how the counters come about: it reads them when it is asked.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use zato_admin::AuditStatistics;
use zato_channel::ChannelStatistics;
use zato_outgoing::{Connection, MetricsSnapshot};
use zato_service::{Environment, StatisticsSnapshot};

/// All metrics of a server.
#[derive(Debug)]
pub(crate) struct Metrics(Registry);

impl Metrics {
    pub(crate) fn new(
        services: zato_service::Registry,
        channels: ChannelStatistics,
        environment: Environment,
        audit: AuditStatistics,
    ) -> Self {
        let mut registry = Registry::with_prefix("zato");
        registry.register_collector(Box::new(Services(services)));
        registry.register_collector(Box::new(Channels(channels)));
        registry.register_collector(Box::new(Outgoing(environment)));
        registry.register_collector(Box::new(Audit(audit)));
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
        let help = "Calls refused because of their credentials, by security definition and reason";
        let mut family = encoder.encode_descriptor("security_denials", help, None, zero.metric_type())?;
        for denials in self.0.denials() {
            let labels = [
                ("definition", &*denials.definition),
                ("type", denials.security_type),
                ("reason", denials.reason),
            ];
            ConstCounter::new(denials.count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

/// What the audit log lost.
#[derive(Debug)]
struct Audit(AuditStatistics);

impl Collector for Audit {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let dropped = ConstCounter::new(self.0.dropped());
        let help = "Audited calls that are not in the audit log, because they could not be stored";
        let metric = encoder.encode_descriptor("audit_calls_dropped", help, None, dropped.metric_type())?;
        dropped.encode(metric)
    }
}

/// What each outgoing connection counted. Connections that were never used are left out.
#[derive(Debug)]
struct Outgoing(Environment);

/// A metric's name, what it is, and how it is read.
type Reading<T> = (&'static str, &'static str, fn(&T) -> u64);

/// An outgoing connection and its numbers.
struct Counted {
    labels: [(&'static str, String); 2],
    connection: Connection,
    snapshot: MetricsSnapshot,
}

impl Collector for Outgoing {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        encode_connections(&mut encoder, self.0.outgoing().http().connections())
    }
}

fn encode_connections(
    encoder: &mut DescriptorEncoder<'_>,
    connections: Vec<Connection>,
) -> Result<(), fmt::Error> {
    let all: Vec<_> = connections
        .into_iter()
        .map(|connection| Counted {
            labels: [
                ("connection", connection.name().to_owned()),
                ("transport", if connection.is_soap() { "soap" } else { "plain_http" }.to_owned()),
            ],
            snapshot: connection.metrics(),
            connection,
        })
        .filter(|counted| counted.snapshot.calls > 0)
        .collect();
    counters(encoder, &all)?;
    gauges(encoder, &all)?;
    latency(encoder, &all)
}

fn counters(encoder: &mut DescriptorEncoder<'_>, all: &[Counted]) -> Result<(), fmt::Error> {
    let zero = ConstCounter::new(0_u64);
    let plain: [Reading<MetricsSnapshot>; 3] = [
        ("outgoing_calls", "Calls begun", |snapshot| snapshot.calls),
        ("outgoing_calls_abandoned", "Calls whose caller lost interest", |snapshot| snapshot.abandoned),
        ("outgoing_retries", "Attempts after the first one of a call", |snapshot| snapshot.retries),
    ];
    for (name, help, value) in plain {
        let mut family = encoder.encode_descriptor(name, help, None, zero.metric_type())?;
        for counted in all {
            let labels = counted.labels.each_ref().map(|(name, value)| (*name, value.as_str()));
            ConstCounter::new(value(&counted.snapshot)).encode(family.encode_family(&labels)?)?;
        }
    }
    let help = "Calls that ended in a reply, by status class";
    let mut family = encoder.encode_descriptor("outgoing_replies", help, None, zero.metric_type())?;
    for Counted { labels: [name, transport], snapshot, .. } in all {
        for (class, count) in snapshot.replies() {
            let class = format!("{class}xx");
            let labels = [(name.0, &*name.1), (transport.0, &*transport.1), ("status", &*class)];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
    }
    let help = "Calls that ended in a failure, by its kind";
    let mut family = encoder.encode_descriptor("outgoing_failures", help, None, zero.metric_type())?;
    for Counted { labels: [name, transport], snapshot, .. } in all {
        for (kind, count) in snapshot.failures() {
            let labels = [(name.0, &*name.1), (transport.0, &*transport.1), ("kind", kind.name())];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
    }
    let help = "Time that calls waited for a free connection";
    let unit = Some(&Unit::Seconds);
    let mut family = encoder.encode_descriptor("outgoing_queue_wait", help, unit, zero.metric_type())?;
    for counted in all {
        let labels = counted.labels.each_ref().map(|(name, value)| (*name, value.as_str()));
        ConstCounter::new(counted.snapshot.queued.as_secs_f64()).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

fn gauges(encoder: &mut DescriptorEncoder<'_>, all: &[Counted]) -> Result<(), fmt::Error> {
    let gauges: [Reading<Counted>; 4] = [
        ("outgoing_calls_in_flight", "Calls that have begun but not ended", |counted| {
            counted.snapshot.in_flight
        }),
        ("outgoing_calls_waiting", "Calls that wait for a free connection", |counted| {
            counted.connection.waiting_calls() as u64
        }),
        ("outgoing_connections_idle", "Open connections which no call uses", |counted| {
            counted.connection.idle_connections() as u64
        }),
        ("outgoing_pool_size", "Calls that may be under way at once", |counted| {
            counted.connection.pool_size() as u64
        }),
    ];
    for (name, help, value) in gauges {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for counted in all {
            let labels = counted.labels.each_ref().map(|(name, value)| (*name, value.as_str()));
            let value = i64::try_from(value(counted)).unwrap_or(i64::MAX);
            ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn latency(encoder: &mut DescriptorEncoder<'_>, all: &[Counted]) -> Result<(), fmt::Error> {
    let help = "How long calls took which ended in a reply or a failure";
    let unit = Some(&Unit::Seconds);
    let mut family = encoder.encode_descriptor("outgoing_latency", help, unit, MetricType::Histogram)?;
    for counted in all {
        let labels = counted.labels.each_ref().map(|(name, value)| (*name, value.as_str()));
        let latency = &counted.snapshot.latency;
        let buckets: Vec<_> = latency
            .buckets()
            .map(|(bound, count)| (bound.map_or(f64::INFINITY, |bound| bound.as_secs_f64()), count))
            .collect();
        let mut metric = family.encode_family(&labels)?;
        let sum = latency.sum().as_secs_f64();
        metric.encode_histogram::<prometheus_client::encoding::NoLabelSet>(
            sum,
            latency.count(),
            &buckets,
            None,
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use zato_outgoing::{Config, Environment};

    use super::*;

    #[derive(Debug)]
    struct Fixed(Vec<Connection>);

    impl Collector for Fixed {
        fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
            encode_connections(&mut encoder, self.0.clone())
        }
    }

    #[tokio::test]
    async fn outgoing_connections_are_shown_once_they_are_used() {
        let port = zato_test_port::Port::reserve();
        let environment = Environment::new("test").unwrap();
        let connection = |id, name: &str| {
            Connection::new(Config::new(id, name, format!("http://{}", port.address()), "/"), &environment)
                .unwrap()
        };
        let (used, unused) = (connection(1, "CRM"), connection(2, "ERP"));
        let cid = "K21353002988419985838198535608".parse().unwrap();
        used.conn().get(cid, ()).await.unwrap_err();
        let mut registry = Registry::with_prefix("zato");
        registry.register_collector(Box::new(Fixed(vec![used, unused])));
        let mut text = String::new();
        text::encode(&mut text, &registry).unwrap();
        let labels = "connection=\"CRM\",transport=\"plain_http\"";
        for line in [
            format!("zato_outgoing_calls_total{{{labels}}} 1"),
            format!("zato_outgoing_failures_total{{{labels},kind=\"connect\"}} 1"),
            format!("zato_outgoing_failures_total{{{labels},kind=\"tls\"}} 0"),
            format!("zato_outgoing_replies_total{{{labels},status=\"2xx\"}} 0"),
            format!("zato_outgoing_calls_in_flight{{{labels}}} 0"),
            format!("zato_outgoing_pool_size{{{labels}}} 20"),
            format!("zato_outgoing_latency_seconds_count{{{labels}}} 1"),
            format!("zato_outgoing_latency_seconds_bucket{{le=\"+Inf\",{labels}}} 1"),
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} in\n{text}");
        }
        assert!(!text.contains("ERP"), "{text}");
    }
}
