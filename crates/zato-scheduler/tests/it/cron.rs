//! What cron expressions mean.

use proptest::prelude::*;
use time::macros::datetime;
use time::{Duration, OffsetDateTime, Weekday};
use zato_scheduler::{Cron, CronError};

#[track_caller]
fn check(expression: &str, from: OffsetDateTime, expected: OffsetDateTime) {
    let cron = Cron::parse(expression).unwrap();
    assert_eq!(cron.next_from(from), Some(expected), "{expression} from {from}");
}

#[test]
fn expressions_name_times() {
    // A Sunday.
    let from = datetime!(2026-03-01 12:34:56 UTC);
    check("* * * * *", from, datetime!(2026-03-01 12:35 UTC));
    check("34 12 * * *", datetime!(2026-03-01 12:34 UTC), datetime!(2026-03-01 12:34 UTC));
    check("34 12 * * *", from, datetime!(2026-03-02 12:34 UTC));
    check("*/20 * * * *", from, datetime!(2026-03-01 12:40 UTC));
    check("/20 * * * *", from, datetime!(2026-03-01 12:40 UTC));
    check("10-50/20 * * * *", from, datetime!(2026-03-01 12:50 UTC));
    check("0 0,6 * * *", from, datetime!(2026-03-02 00:00 UTC));
    check("0 0 1 jan *", from, datetime!(2027-01-01 00:00 UTC));
    check("0 0 * * MON", from, datetime!(2026-03-02 00:00 UTC));
    check("0 0 L * *", from, datetime!(2026-03-31 00:00 UTC));
    check("0 0 L 2 *", from, datetime!(2027-02-28 00:00 UTC));
    check("0 0 29 2 *", from, datetime!(2028-02-29 00:00 UTC));
    check("0 13 * * 0", from, datetime!(2026-03-01 13:00 UTC));
    check("0 13 * * 7", from, datetime!(2026-03-01 13:00 UTC));
    check("0 0 1 1 * 2030", from, datetime!(2030-01-01 00:00 UTC));
    // Either kind of day is enough.
    check("0 0 15 * 3", from, datetime!(2026-03-04 00:00 UTC));
    check("59 23 31 12 *", datetime!(2026-12-31 23:59:00.5 UTC), datetime!(2027-12-31 23:59 UTC));
}

#[test]
fn names_stand_for_expressions() {
    let from = datetime!(2026-03-01 12:34:56 UTC);
    check("@yearly", from, datetime!(2027-01-01 00:00 UTC));
    check("@annually", from, datetime!(2027-01-01 00:00 UTC));
    check("@monthly", from, datetime!(2026-04-01 00:00 UTC));
    check("@weekly", from, datetime!(2026-03-08 00:00 UTC));
    check("@daily", from, datetime!(2026-03-02 00:00 UTC));
    check(" @Hourly ", from, datetime!(2026-03-01 13:00 UTC));
    assert_eq!(Cron::parse("@hourly").unwrap().as_str(), "@hourly");
    assert_eq!(Cron::parse(" 0  0 * *\t1 ").unwrap().as_str(), "0 0 * * 1");
}

#[test]
fn a_year_that_has_passed_names_no_time_any_more() {
    let cron = Cron::parse("0 0 1 1 * 2020").unwrap();
    assert_eq!(cron.next_from(datetime!(2020-01-01 00:00:01 UTC)), None);
}

#[test]
fn other_texts_are_refused() {
    #[track_caller]
    fn check(text: &str, expected: impl FnOnce(String) -> CronError) {
        assert_eq!(Cron::parse(text).unwrap_err(), expected(text.to_owned()), "{text}");
    }
    for text in ["@reboot", "@", "@daily @hourly", "0 0 @daily * *"] {
        check(text, CronError::UnknownName);
    }
    for text in ["", "*", "* * * *", "* * * * * * *"] {
        check(text, CronError::Fields);
    }
    check("0 0 30 2 *", CronError::Never);
    for text in [
        "60 * * * *",
        "* 24 * * *",
        "* * 32 * *",
        "* * * 13 *",
        "* * * * 8",
        "x * * * *",
        "*/0 * * * *",
        "5-1 * * * *",
    ] {
        let error = Cron::parse(text).unwrap_err();
        assert!(
            matches!(&error, CronError::Syntax { expression, .. } if expression == text),
            "{text}: {error:?}"
        );
    }
    let message = Cron::parse("@reboot").unwrap_err().to_string();
    assert!(message.starts_with("If using a predefined definition, it must be one of [@yearly"), "{message}");
    assert!(message.ends_with("instead of [@reboot]"), "{message}");
}

/// A field: any value, one value, or every so many from one on.
fn field(minimum: u8, maximum: u8) -> impl Strategy<Value = (String, Vec<u8>)> {
    let all: Vec<u8> = (minimum..=maximum).collect();
    prop_oneof![
        2 => Just(("*".to_owned(), all)),
        2 => (minimum..=maximum).prop_map(|value| (value.to_string(), vec![value])),
        1 => (minimum..=maximum, minimum..=maximum).prop_map(|(a, b)| {
            let (a, b) = (a.min(b), a.max(b));
            (format!("{a}-{b}"), (a..=b).collect())
        }),
        1 => (1..=maximum).prop_map(move |step| {
            (format!("*/{step}"), (minimum..=maximum).step_by(step.into()).collect())
        }),
        1 => prop::collection::btree_set(minimum..=maximum, 1..4).prop_map(|set| {
            let text: Vec<String> = set.iter().map(ToString::to_string).collect();
            (text.join(","), set.into_iter().collect())
        }),
    ]
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text: String, from in 0_i64..4_000_000_000) {
        if let Ok(cron) = Cron::parse(&text) {
            let from = OffsetDateTime::from_unix_timestamp(from).unwrap();
            prop_assert!(cron.next_from(from).is_none_or(|next| next >= from));
        }
    }

    #[test]
    fn any_text_of_the_right_characters_is_read_or_refused(text in "[-0-9*/,LW#@a-z ]{0,24}") {
        if let Ok(cron) = Cron::parse(&text) {
            let next = cron.next_from(datetime!(2026-03-01 12:34:56 UTC));
            prop_assert!(next.is_none_or(|next| next > datetime!(2026-03-01 12:34:56 UTC)), "{next:?}");
        }
    }

    /// The next time is the first minute, looked for one after the other, all of whose fields match.
    #[test]
    fn the_next_time_is_the_first_that_matches(
        minute in field(0, 59),
        hour in field(0, 23),
        month in field(1, 12),
        weekday in field(0, 6),
        from in 1_700_000_000_i64..1_900_000_000,
    ) {
        let cron = Cron::parse(&format!("{} {} * {} {}", minute.0, hour.0, month.0, weekday.0)).unwrap();
        let from = OffsetDateTime::from_unix_timestamp(from).unwrap();
        let mut day = from.replace_time(time::Time::MIDNIGHT);
        let expected = loop {
            let is_day = month.1.contains(&u8::from(day.month()))
                && weekday.1.contains(&Weekday::number_days_from_sunday(day.weekday()));
            let times = hour.1.iter().flat_map(|hour| minute.1.iter().map(move |minute| (*hour, *minute)));
            let mut times = times.map(|(hour, minute)| {
                day + Duration::hours(hour.into()) + Duration::minutes(minute.into())
            });
            match times.find(|time| is_day && *time >= from) {
                Some(time) => break time,
                None => day += Duration::days(1),
            }
        };
        prop_assert_eq!(cron.next_from(from), Some(expected));
    }
}
