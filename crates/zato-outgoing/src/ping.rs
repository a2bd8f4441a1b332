//! Pings and their reports.
//!
//! Owns the text of a report, which tools show as it is. Its first lines are documented: what was sent and when, the status,
//! and the time it took. What follows says where that time went and what is at the other end.

use std::fmt::Write as _;
use std::time::Duration;

use time::OffsetDateTime;
use zato_cid::Cid;

use crate::call::{Call, Place};
use crate::clock::iso;
use crate::connect::Peer;
use crate::connection::Conn;
use crate::error::CallError;
use crate::progress::{Phase, Timing};
use crate::response::Response;

/// The phases which a ping may go through, in this order, and their names in reports.
const PHASES: [(Phase, &str); 7] = [
    (Phase::Token, "Access token"),
    (Phase::Queue, "Queue"),
    (Phase::Opening, "Shared connection"),
    (Phase::Resolve, "DNS"),
    (Phase::Connect, "Connect"),
    (Phase::Tls, "TLS"),
    (Phase::FirstByte, "First byte"),
];

/// Sends a ping and reports on it.
pub(crate) async fn ping(conn: &Conn, cid: Cid) -> Result<String, CallError> {
    let method = conn.0.ping_method.clone();
    let sent = conn.0.clock.now();
    // The body does not matter, so it is not waited for.
    let call = Call::new(conn.clone(), cid, method.clone(), Place::Ping).prefetch(false);
    match call.await {
        Ok(response) => Ok(report(sent, method.as_str(), &response)),
        Err(error) => {
            let report = failure(sent, method.as_str(), &conn.0.target.unfilled().to_string(), &error);
            Err(error.with_report(report))
        }
    }
}

fn report(sent: OffsetDateTime, method: &str, response: &Response) -> String {
    let mut text = String::new();
    // One line for each request that was sent.
    for hop in response.history() {
        push_line(&mut text, sent, hop.method.as_str(), &hop.url.to_string());
    }
    let method = response.redirected().map_or(method, |redirected| redirected.method.as_str());
    push_line(&mut text, sent, method, &response.url().to_string());
    push(&mut text, "Code", response.status().as_u16());
    push_times(&mut text, &response.timing());
    push(&mut text, "Protocol", format_args!("{:?}", response.version()));
    if let Some(peer) = response.extensions().get::<Peer>() {
        push_peer(&mut text, peer);
    }
    text.truncate(text.trim_end().len());
    text
}

/// What a report says instead of a status.
fn failure(sent: OffsetDateTime, method: &str, url: &str, error: &CallError) -> String {
    let mut text = String::new();
    push_line(&mut text, sent, method, url);
    push(&mut text, "Failed while", error.phase());
    let mut reason = error.kind().to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        let _written = write!(reason, ": {next}");
        cause = next.source();
    }
    push(&mut text, "Reason", reason);
    push_times(&mut text, &error.timing());
    text.truncate(text.trim_end().len());
    text
}

fn push_line(text: &mut String, sent: OffsetDateTime, method: &str, url: &str) {
    let _written = writeln!(text, "{sent} (UTC) {method} {url}", sent = iso(sent));
}

fn push(text: &mut String, name: &str, value: impl std::fmt::Display) {
    // Writing to a string does not fail.
    let _written = writeln!(text, "{name}: {value}");
}

fn push_times(text: &mut String, timing: &Timing) {
    push(text, "Response time", TimeSpan(timing.total()));
    for (phase, name) in PHASES {
        let duration = timing.phase(phase);
        // A connection that was open already was neither looked up nor opened.
        if !duration.is_zero() {
            push(text, name, TimeSpan(duration));
        }
    }
}

fn push_peer(text: &mut String, peer: &Peer) {
    if let Some(version) = peer.tls_version {
        push(text, "TLS version", version.replace('_', "."));
    }
    if let Some(expires) = peer.certificate_expires {
        push(text, "Certificate expires", format_args!("{} (UTC)", iso(expires)));
    }
}

/// Hours without padding, minutes, seconds, and microseconds unless there are none.
struct TimeSpan(Duration);

impl std::fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.0.as_secs();
        write!(f, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
        match self.0.subsec_micros() {
            0 => Ok(()),
            microseconds => write!(f, ".{microseconds:06}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[track_caller]
    fn check(elapsed: Duration, expected: &str) {
        assert_eq!(TimeSpan(elapsed).to_string(), expected);
    }

    #[test]
    fn time_spans() {
        check(Duration::ZERO, "0:00:00");
        check(Duration::from_micros(12_345), "0:00:00.012345");
        check(Duration::from_secs(61), "0:01:01");
        check(Duration::new(36_000 + 59 * 60 + 59, 999_999_999), "10:59:59.999999");
    }

    #[test]
    fn what_tls_says() {
        let mut text = String::new();
        let certificate_expires = Some(datetime!(2031-02-03 04:05:06 UTC));
        push_peer(&mut text, &Peer { tls_version: Some("TLSv1_3"), certificate_expires });
        assert_eq!(text, "TLS version: TLSv1.3\nCertificate expires: 2031-02-03T04:05:06 (UTC)\n");
        push_peer(&mut text, &Peer { tls_version: None, certificate_expires: None });
        assert_eq!(text.lines().count(), 2);
    }
}
