//! Samples of requests and replies, and calls that were slow.
//!
//! Owns how they are stored and how many. It must not know why a call was chosen.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;
use zato_kvdb::{End, Kvdb, KvdbError, Write};
use zato_service::{Exchange, Registry};

use crate::Stats;

/// Turns a message into the text of it that may be kept: without secrets.
pub type Mask = fn(&[u8]) -> String;

/// How much of a request or a reply is kept, in bytes.
const MAXIMUM_TEXT: usize = 64 * 1024;

/// How many slow calls of a service are kept: the newest ones.
const SLOW_CALLS: i64 = 100;

const SAMPLES: &str = "zato:req-resp:sample:";
const SLOW: &str = "zato:resp:slow:";

/// The last sample of a service, and how often one is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Every how many calls a sample is taken; never if 0.
    pub frequency: u64,
    /// The call's correlation id. None of the rest is there before the first sample.
    pub cid: Option<String>,
    /// When the request came, ISO 8601 in UTC without a zone.
    pub request_time: Option<String>,
    /// When the reply was ready.
    pub response_time: Option<String>,
    /// The request.
    pub request: Option<String>,
    /// The reply.
    pub response: Option<String>,
}

/// A call that took longer than its service's threshold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowCall {
    /// The call's correlation id.
    pub cid: String,
    /// When the request came, ISO 8601 in UTC without a zone.
    pub request_time: String,
    /// When the reply was ready.
    pub response_time: String,
    /// The processing time in milliseconds.
    pub milliseconds: i64,
    /// The request.
    pub request: String,
    /// The reply.
    pub response: String,
}

impl SlowCall {
    fn parse(entry: &[u8]) -> Option<Self> {
        let document: Value = serde_json::from_slice(entry).ok()?;
        let text = |name: &str| Some(document.get(name)?.as_str()?.to_owned());
        Some(Self {
            cid: text("cid")?,
            request_time: text("req_ts")?,
            response_time: text("resp_ts")?,
            milliseconds: document.get("proc_time")?.as_i64()?,
            request: text("req")?,
            response: text("resp")?,
        })
    }
}

impl Stats {
    /// The last sample of a service.
    ///
    /// # Errors
    /// The key/value store failed.
    pub async fn sample(&self, service: &str) -> Result<Sample, KvdbError> {
        let mut sample = Sample::default();
        for (field, value) in self.kvdb().hash_get_all(&format!("{SAMPLES}{service}")).await? {
            let text = String::from_utf8_lossy(&value).into_owned();
            match &*field {
                "freq" => sample.frequency = text.parse().unwrap_or(0),
                "cid" => sample.cid = Some(text),
                "req_ts" => sample.request_time = Some(text),
                "resp_ts" => sample.response_time = Some(text),
                "req" => sample.request = Some(text),
                "resp" => sample.response = Some(text),
                _ => {}
            }
        }
        Ok(sample)
    }

    /// Has a sample taken of every so many calls of a service; never if 0. Servers know of it once they
    /// [ask](sample_frequency).
    ///
    /// # Errors
    /// The key/value store failed.
    pub async fn sample_every(&self, service: &str, frequency: u64) -> Result<(), KvdbError> {
        let fields = [("freq", frequency.to_string())];
        self.kvdb().hash_set(&format!("{SAMPLES}{service}"), &fields).await.map(drop)
    }

    /// The slow calls of a service that are kept, newest first.
    ///
    /// # Errors
    /// The key/value store failed.
    pub async fn slow_calls(&self, service: &str) -> Result<Vec<SlowCall>, KvdbError> {
        let entries = self.kvdb().list_range(&format!("{SLOW}{service}"), 0, -1).await?;
        Ok(entries.iter().filter_map(|entry| SlowCall::parse(entry)).collect())
    }
}

/// Every how many calls of a service a sample is taken; never if 0.
///
/// # Errors
/// The key/value store failed.
pub async fn sample_frequency(kvdb: &Kvdb, service: &str) -> Result<u64, KvdbError> {
    let stored = kvdb.hash_get(&format!("{SAMPLES}{service}"), "freq").await?;
    Ok(stored.and_then(|text| std::str::from_utf8(&text).ok()?.parse().ok()).unwrap_or(0))
}

/// Tells the services of which samples are taken, as a server that starts has to.
pub(crate) async fn load_frequencies(kvdb: &Kvdb, registry: &Registry) -> Result<(), KvdbError> {
    for key in kvdb.keys(SAMPLES).await? {
        let service = key.strip_prefix(SAMPLES).and_then(|name| registry.find(name));
        if let Some(service) = service {
            service.sample_every(sample_frequency(kvdb, service.name()).await?);
        }
    }
    Ok(())
}

/// Stores what was asked and answered in a call.
pub(crate) async fn store(kvdb: &Kvdb, mask: Mask, exchange: &Exchange) -> Result<(), KvdbError> {
    let service = exchange.service.name();
    let (request, response) = (kept(mask, &exchange.request), kept(mask, &exchange.response));
    let (received, answered) = (iso(exchange.received), iso(exchange.answered));
    let cid = exchange.cid.to_string();
    let mut writes = Vec::new();
    if exchange.is_slow {
        let entry = json!({
            "cid": cid,
            "proc_time": u64::try_from(exchange.elapsed.as_millis()).unwrap_or(u64::MAX),
            "slow_threshold": u64::try_from(exchange.service.slow_threshold().as_millis()).unwrap_or(u64::MAX),
            "req_ts": received,
            "resp_ts": answered,
            "req": request,
            "resp": response,
        });
        let key = format!("{SLOW}{service}");
        writes.push(Write::ListPush(key.clone(), End::Front, vec![entry.to_string().into_bytes()]));
        writes.push(Write::ListTrim(key, 0, SLOW_CALLS - 1));
    }
    if exchange.is_sample {
        let fields =
            [("cid", cid), ("req_ts", received), ("resp_ts", answered), ("req", request), ("resp", response)];
        writes.push(Write::hash_set(&format!("{SAMPLES}{service}"), &fields));
    }
    kvdb.atomically(writes).await.map(drop)
}

fn kept(mask: Mask, message: &[u8]) -> String {
    let mut text = mask(message);
    text.truncate(text.floor_char_boundary(MAXIMUM_TEXT));
    text
}

fn iso(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]");
    time.format(format).unwrap_or_default()
}
