//! Where the time of day comes from.
//!
//! Owns the one place at which this crate reads the wall clock, so that tests decide what time it is.

use std::fmt;

use time::OffsetDateTime;

/// A source of the time of day, which goes into `X-Zato-Msg-TS` and ping reports. Durations are never measured by it.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The present time, in UTC.
    fn now(&self) -> OffsetDateTime;
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}

/// Writes a time as `X-Zato-Msg-TS` has it: ISO 8601, microseconds, no zone, and no fraction if it is zero.
pub(crate) fn iso(time: OffsetDateTime) -> IsoText {
    let mut text = IsoText { bytes: *b"0000-00-00T00:00:00.000000", length: 19 };
    // Years beyond 9999 need a feature of the time library that is not enabled; before 0 there is no message to send.
    let (year, month, day) = time.to_calendar_date();
    let (hour, minute, second, microsecond) = time.to_hms_micro();
    put(&mut text.bytes[..4], year.unsigned_abs());
    put(&mut text.bytes[5..7], u8::from(month).into());
    put(&mut text.bytes[8..10], day.into());
    put(&mut text.bytes[11..13], hour.into());
    put(&mut text.bytes[14..16], minute.into());
    put(&mut text.bytes[17..19], second.into());
    if microsecond > 0 {
        put(&mut text.bytes[20..], microsecond);
        text.length = text.bytes.len();
    }
    text
}

/// The text of a time, held without allocation because every request needs one.
pub(crate) struct IsoText {
    bytes: [u8; 26],
    length: usize,
}

impl IsoText {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl fmt::Display for IsoText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| fmt::Write::write_char(f, char::from(*byte)))
    }
}

/// Fills `digits` with the decimal digits of `number`, right-aligned.
fn put(digits: &mut [u8], mut number: u32) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
pub(crate) mod fixed {
    //! A clock that stands still, for tests of exact texts.

    use super::*;

    #[derive(Clone, Copy, Debug)]
    pub(crate) struct FixedClock(pub(crate) OffsetDateTime);

    impl Clock for FixedClock {
        fn now(&self) -> OffsetDateTime {
            self.0
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[track_caller]
    fn check(time: OffsetDateTime, expected: &str) {
        assert_eq!(iso(time).to_string(), expected);
    }

    #[test]
    fn times() {
        check(datetime!(2014-05-04 19:01:40.981234 UTC), "2014-05-04T19:01:40.981234");
        check(datetime!(2013-04-26 23:41:45.000001 UTC), "2013-04-26T23:41:45.000001");
        check(datetime!(2013-04-26 23:41:45 UTC), "2013-04-26T23:41:45");
        check(datetime!(0099-12-31 00:00:00.5 UTC), "0099-12-31T00:00:00.500000");
    }
}
