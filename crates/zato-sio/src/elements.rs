//! The element types which no plain Rust type expresses: [`Csv`] and [`Utc`].
//!
//! It must not know a format: both types are texts wherever they are written.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use time::format_description::StaticFormatDescription;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// A list which is one text on the wire, its members separated by commas and not trimmed.
///
/// A member that contains a comma comes back as two, which is a limit of the element type. The empty text is the
/// empty list. JSON arrays are accepted as well; they are written as text nevertheless.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Csv(pub Vec<String>);

impl Csv {
    pub(crate) fn split(text: &str) -> Self {
        if text.is_empty() { Self::default() } else { Self(text.split(',').map(str::to_owned).collect()) }
    }
}

impl<'de> Deserialize<'de> for Csv {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Csv;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text with commas or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Csv, E> {
                Ok(Csv::split(text))
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Csv, E> {
                Ok(Csv(vec![value.to_string()]))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Csv, E> {
                Ok(Csv(vec![value.to_string()]))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Csv, E> {
                Ok(Csv(vec![value.to_string()]))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Csv, E> {
                Ok(Csv(vec![value.to_string()]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut members: A) -> Result<Csv, A::Error> {
                let mut list = Vec::new();
                while let Some(member) = members.next_element()? {
                    list.push(member);
                }
                Ok(Csv(list))
            }
        }

        deserializer.deserialize_any(Members)
    }
}

impl Serialize for Csv {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.join(","))
    }
}

/// A point in time, always in UTC.
///
/// It reads `2013-04-26T23:41:45`, with a space for the `T`, with a fraction of up to nine digits, without seconds, and as
/// a date alone, which means midnight. A text without a zone is UTC, as one with `Z`, `UTC` or `GMT` is; an offset such as
/// `+02:00`, `+0200` or `+02` is converted. It writes `YYYY-MM-DDTHH:MM:SS`, with six digits of fraction unless they are all
/// zero, and never a zone. Years are 0 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Utc(OffsetDateTime);

const WITH_OFFSET: StaticFormatDescription = format_description!(
    version = 2,
    "[year]-[month]-[day]T[hour]:[minute][optional [:[second][optional [.[subsecond]]]]][optional [ ]][offset_hour sign:mandatory][optional [[optional [:]][offset_minute]]]"
);
const WITHOUT_OFFSET: StaticFormatDescription = format_description!(
    version = 2,
    "[year]-[month]-[day]T[hour]:[minute][optional [:[second][optional [.[subsecond]]]]]"
);
const DATE: StaticFormatDescription = format_description!(version = 2, "[year]-[month]-[day]");

/// The beginning of 1970, for types that are filled in later.
impl Default for Utc {
    fn default() -> Self {
        Self(OffsetDateTime::UNIX_EPOCH)
    }
}

impl Utc {
    /// Converts to UTC, cutting off what is below a microsecond, which the wire has no digits for. `None` if the
    /// year is not from 0 to 9999.
    pub fn new(time: OffsetDateTime) -> Option<Self> {
        let time = time.checked_to_offset(UtcOffset::UTC)?;
        let time = time.replace_nanosecond(time.microsecond() * 1_000).ok()?;
        (0..=9999).contains(&time.year()).then_some(Self(time))
    }

    /// The point in time itself. Its offset is zero.
    pub fn get(self) -> OffsetDateTime {
        self.0
    }

    /// Reads any of the forms which the type documents. `None` for everything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_utc = |zone: &&str| {
            text.get(text.len().saturating_sub(zone.len())..)
                .is_some_and(|end| end.eq_ignore_ascii_case(zone))
        };
        let zone = ["Z", "UTC", "GMT"].iter().find(|zone| is_utc(zone));
        let text = text[..text.len() - zone.map_or(0, |zone| zone.len())].trim_end();
        let text = match text.split_at_checked("YYYY-MM-DD".len()) {
            Some((date, time)) if time.starts_with([' ', 't']) => &format!("{date}T{}", &time[1..]),
            _ => text,
        };
        let time = PrimitiveDateTime::parse(text, WITHOUT_OFFSET).map(PrimitiveDateTime::assume_utc);
        let time = time.or_else(|_| OffsetDateTime::parse(text, WITH_OFFSET));
        let time = time.or_else(|_| time::Date::parse(text, DATE).map(|date| date.midnight().assume_utc()));
        Self::new(time.ok()?)
    }
}

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.0;
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            time.year(),
            u8::from(time.month()),
            time.day(),
            time.hour(),
            time.minute(),
            time.second()
        )?;
        if time.microsecond() == 0 { Ok(()) } else { write!(f, ".{:06}", time.microsecond()) }
    }
}

impl<'de> Deserialize<'de> for Utc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Time;

        impl Visitor<'_> for Time {
            type Value = Utc;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date and time such as `2013-04-26T23:41:45`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Utc, E> {
                Utc::parse(text).ok_or_else(|| E::invalid_type(de::Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_str(Time)
    }
}

impl Serialize for Utc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
