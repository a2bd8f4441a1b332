//! The dates at which cookies expire.
//!
//! Owns how RFC 6265, 5.1.1 reads them, which makes something of nearly every way in which servers write dates. It knows no
//! cookies.

use time::{Date, Month, OffsetDateTime, Time};

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The time that `text` means, always one of UTC.
pub(super) fn parse(text: &str) -> Option<OffsetDateTime> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.as_bytes().split(|byte| is_delimiter(*byte)).filter(|token| !token.is_empty()) {
        // Each part is taken from the first token that may be it, in this order.
        if let (None, Some(found)) = (time, time_of_day(token)) {
            time = Some(found);
        } else if let (None, Some(found)) = (day, number(token, 1..=2)) {
            day = Some(found);
        } else if let (None, Some(found)) = (month, month_of(token)) {
            month = Some(found);
        } else if let (None, Some(found)) = (year, number(token, 2..=4)) {
            year = Some(found);
        }
    }
    let year = match year? {
        year @ 70..=99 => year + 1900,
        year @ 0..=69 => year + 2000,
        year @ 1601.. => year,
        _ => return None,
    };
    let date = Date::from_calendar_date(i32::from(year), month?, u8::try_from(day?).ok()?).ok()?;
    let (hour, minute, second) = time?;
    Some(date.with_time(Time::from_hms(hour, minute, second).ok()?).assume_utc())
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x20..=0x2f | 0x3b..=0x40 | 0x5b..=0x60 | 0x7b..=0x7e)
}

/// The number with which a token begins, if that has as many digits as `digits` allows.
fn number(token: &[u8], digits: std::ops::RangeInclusive<usize>) -> Option<u16> {
    let count = token.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits
        .contains(&count)
        .then(|| token[..count].iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0')))
}

fn time_of_day(token: &[u8]) -> Option<(u8, u8, u8)> {
    let mut fields = token.splitn(3, |byte| *byte == b':');
    let (hour, minute, rest) = (fields.next()?, fields.next()?, fields.next()?);
    // Only the seconds may be followed by something else.
    let is_number = |field: &[u8]| field.iter().all(u8::is_ascii_digit);
    if !is_number(hour) || !is_number(minute) {
        return None;
    }
    let field = |field| number(field, 1..=2).and_then(|number| u8::try_from(number).ok());
    Some((field(hour)?, field(minute)?, field(rest)?))
}

fn month_of(token: &[u8]) -> Option<Month> {
    let name = token.get(..3)?;
    let place = MONTHS.iter().position(|month| name.eq_ignore_ascii_case(month.as_bytes()))?;
    Month::try_from(u8::try_from(place + 1).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<OffsetDateTime>) {
        assert_eq!(parse(text), expected, "{text}");
    }

    #[test]
    fn dates() {
        let expected = Some(datetime!(1970-01-01 00:00:00 UTC));
        for text in [
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "Thu, 01 Jan 1970 00:00:00 UTC",
            "Thu, 01 Jan 1970 00:00:00 +0000",
            "Thu, 01 Jan 1970 00:00:00",
            "Thu, 1 Jan 1970 0:0:0 GMT",
            "Thursday, 01-Jan-1970 00:00:00 GMT",
            "Thu, 01-jan-70 00:00:00 GMT",
            "1 January 1970 00:00:00 GMT",
            "Thu Jan  1 00:00:00 1970",
            "1970 01st JAN 00:00:00Z",
        ] {
            check(text, expected);
        }
        check("Wed, 09 Jun 2021 10:18:14 GMT", Some(datetime!(2021-06-09 10:18:14 UTC)));
        check("31 dec 69 23:59:59", Some(datetime!(2069-12-31 23:59:59 UTC)));
        check("01 Jan 1601 00:00:00", Some(datetime!(1601-01-01 00:00:00 UTC)));
    }

    #[test]
    fn no_dates() {
        for text in [
            "",
            "0",
            "soon",
            "Thu, 01 Jan 1970",
            "01 Jan 00:00:00",
            "1970 00:00:00 GMT 01",
            "01 Jan 1600 00:00:00",
            "01 Jan 19700 00:00:00",
            "30 Feb 2020 00:00:00",
            "00 Jan 2020 00:00:00",
            "01 Jan 2020 24:00:00",
            "01 Jan 2020 00:60:00",
            "01 Jan 2020 00:00",
            "01 Jan 2020 000:00:00",
            "01 Jan 2020 00:00:000",
            "01 Jän 2020 00:00:00",
        ] {
            check(text, None);
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in ".*", parts in proptest::collection::vec("[0-9]{0,6}|[a-zJ]{1,4}|[0-9:]{3,9}|[ ,:+-]", 0..12)) {
            let _outcome = parse(&text);
            let _outcome = parse(&parts.join(" "));
        }

        #[test]
        fn what_is_written_is_read(seconds in -11_644_473_600_i64..253_402_300_800) {
            let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            let written = httpdate_like(time);
            prop_assert_eq!(parse(&written), Some(time));
        }
    }

    fn httpdate_like(time: OffsetDateTime) -> String {
        let (hour, minute, second) = time.to_hms();
        format!(
            "{}, {:02}-{}-{} {hour}:{minute}:{second} UTC",
            time.weekday(),
            time.day(),
            time.month(),
            time.year()
        )
    }
}
