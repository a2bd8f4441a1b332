//! Whoever wants to know of each call: how long it took, and of some calls what was asked and answered.
//!
//! Owns what an observer is told. It must not know what becomes of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use time::OffsetDateTime;
use zato_cid::Cid;

use crate::{Input, Output, Registration};

/// Told of calls as they end, on their way: an implementation must not wait, and keeps what it does below a microsecond.
pub trait Observer: Send + Sync {
    /// A call succeeded. `elapsed` is its processing time, which ended at `ended`.
    fn succeeded(&self, service: &Arc<Registration>, ended: Instant, elapsed: Duration);

    /// A successful call was to be kept as a sample, or was slower than its service's threshold.
    fn exchanged(&self, exchange: Exchange);
}

/// What was asked and answered in a successful call.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The service.
    pub service: Arc<Registration>,
    /// The call's correlation id.
    pub cid: Cid,
    /// Whether the service's sampling chose this call.
    pub is_sample: bool,
    /// Whether the call took longer than the service's threshold.
    pub is_slow: bool,
    /// The request's payload as it came.
    pub request: Bytes,
    /// The reply's payload in the format of the request: JSON unless that was XML. Empty if it has no such form. Of a list that
    /// is read while it is sent, the first batch.
    pub response: Vec<u8>,
    /// When the call began, UTC.
    pub received: OffsetDateTime,
    /// When it ended, UTC.
    pub answered: OffsetDateTime,
    /// Its processing time.
    pub elapsed: Duration,
}

/// The reply's payload under its response element, as the caller gets it but without an envelope.
pub(crate) fn encode(service: &Registration, input: &Input<'_>, output: &dyn Output) -> Vec<u8> {
    let mut encoded = Vec::new();
    let written = match service.response_element() {
        _ if output.raw().is_some() => output.write_json(&mut encoded),
        Some(element) if input.is_xml() => {
            encoded.extend_from_slice(format!("<{element}>").as_bytes());
            let written = output.write_xml(&mut encoded);
            encoded.extend_from_slice(format!("</{element}>").as_bytes());
            written
        }
        None if input.is_xml() => output.write_xml(&mut encoded),
        Some(element) => {
            encoded.extend_from_slice(format!("{{\"{element}\":").as_bytes());
            let written = output.write_json(&mut encoded);
            encoded.push(b'}');
            written
        }
        None => output.write_json(&mut encoded),
    };
    if written.is_err() {
        // The caller gets an error instead of this reply, which the dispatcher logs.
        encoded.clear();
    }
    encoded
}
