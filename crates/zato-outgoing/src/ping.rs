//! Pings and their reports.
//!
//! Owns the text of a report, which tools show as it is.

use std::time::Duration;

use time::OffsetDateTime;
use zato_cid::Cid;

use crate::call::{Call, Place};
use crate::clock::iso;
use crate::connection::Conn;
use crate::error::CallError;

/// Sends a ping and reports on it in three lines: what was sent and when, the status, the time it took.
pub(crate) async fn ping(conn: &Conn, cid: Cid) -> Result<String, CallError> {
    let method = conn.0.ping_method.clone();
    let sent = conn.0.clock.now();
    // The body does not matter, so it is not waited for.
    let call = Call::new(conn.clone(), cid, method.clone(), Place::Ping).prefetch(false);
    let response = call.await?;
    let url = response.url().to_string();
    Ok(report(sent, method.as_str(), &url, response.status().as_u16(), response.elapsed()))
}

fn report(sent: OffsetDateTime, method: &str, url: &str, status: u16, elapsed: Duration) -> String {
    let sent = iso(sent);
    let elapsed = TimeSpan(elapsed);
    format!("{sent} (UTC) {method} {url}\nCode: {status}\nResponse time: {elapsed}")
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
    fn reports() {
        let sent = datetime!(2014-05-04 19:01:40.981234 UTC);
        let report = report(sent, "HEAD", "http://localhost:8080/a", 404, Duration::from_micros(12_345));
        let expected = "2014-05-04T19:01:40.981234 (UTC) HEAD http://localhost:8080/a\n\
                        Code: 404\n\
                        Response time: 0:00:00.012345";
        assert_eq!(report, expected);
    }
}
