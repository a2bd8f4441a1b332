//! Cron expressions as the public API takes them.
//!
//! Owns their syntax and the next time that one names. It must not know jobs.

use std::fmt;

use chrono::{DateTime, Utc};
use croner::parser::{CronParser, Seconds, Year};
use time::OffsetDateTime;

/// The names of expressions, and what they stand for.
const PREDEFINED: [(&str, &str); 6] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// No expression is longer: what it says fits into a fraction of that.
const MAXIMUM_LENGTH: usize = 256;

/// A cron expression: minute, hour, day of the month, month, day of the week and, if there are six fields, year. All times
/// are UTC.
///
/// A field is `*`, a number, a range `1-5`, a step `*/5`, `/5` or `1-30/5`, or a list of them. Months and days of the week
/// have English names of three letters, Sunday is 0 or 7, `L` is the last day of the month. When both kinds of days are
/// restricted, a day needs to match one of them. `@yearly`, `@annually`, `@monthly`, `@weekly`, `@daily` and `@hourly`
/// stand for expressions.
#[derive(Clone)]
pub struct Cron {
    text: Box<str>,
    parsed: Box<croner::Cron>,
}

/// Why a text is no cron expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CronError {
    /// It begins with `@` and is none of the names.
    #[error(
        "If using a predefined definition, it must be one of [@yearly, @annually, @monthly, @weekly, @daily, @hourly] \
         instead of [{0}]"
    )]
    UnknownName(String),
    /// It has another number of fields.
    #[error(
        "Expression [{0}] is invalid, it needs to contain exactly 5 whitespace-separated fields, or 6 with a year"
    )]
    Fields(String),
    /// One of the fields has no meaning.
    #[error("Expression [{expression}] is invalid: {reason}")]
    Syntax {
        /// The expression.
        expression: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It names no time at all, such as the 30th of February.
    #[error("Expression [{0}] is invalid: there is no such time")]
    Never(String),
}

impl Cron {
    /// Reads an expression. What [`as_str`](Self::as_str) returns is the expression as given, with single spaces.
    ///
    /// # Errors
    /// It is not one.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let shown = || text.chars().take(MAXIMUM_LENGTH).collect::<String>();
        if text.len() > MAXIMUM_LENGTH || !text.is_ascii() {
            let reason = format!("it has other than ASCII characters, or more than {MAXIMUM_LENGTH} of them");
            return Err(CronError::Syntax { expression: shown(), reason });
        }
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let text = fields.join(" ");
        let expression = match fields.as_slice() {
            [name] if name.starts_with('@') => {
                let found = PREDEFINED.iter().find(|(predefined, _)| predefined.eq_ignore_ascii_case(name));
                let Some((_, expression)) = found else { return Err(CronError::UnknownName(text)) };
                (*expression).to_owned()
            }
            _ if text.contains('@') => return Err(CronError::UnknownName(text)),
            [_, _, _, _, _] | [_, _, _, _, _, _] => {
                let field = |field: &&str| {
                    if field.starts_with('/') { format!("*{field}") } else { (*field).to_owned() }
                };
                fields.iter().map(field).collect::<Vec<_>>().join(" ")
            }
            _ => return Err(CronError::Fields(text)),
        };
        // The library puts an optional year last only where there are seconds.
        let parser = CronParser::builder().seconds(Seconds::Required).year(Year::Optional).build();
        let parsed = parser
            .parse(&format!("0 {expression}"))
            .map_err(|error| CronError::Syntax { expression: text.clone(), reason: error.to_string() })?;
        let cron = Self { text: text.clone().into_boxed_str(), parsed: Box::new(parsed) };
        // The epoch, so that an expression with a year that has passed stays one.
        if cron.next_from(OffsetDateTime::UNIX_EPOCH).is_none() {
            return Err(CronError::Never(text));
        }
        Ok(cron)
    }

    /// The expression as it was given, with single spaces.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first time that the expression names at or after a point in time; none if there is none any more.
    #[must_use]
    pub fn next_from(&self, earliest: OffsetDateTime) -> Option<OffsetDateTime> {
        // Rounded up to a whole second, which all names are.
        let whole = i64::from(earliest.nanosecond() > 0);
        let earliest = DateTime::<Utc>::from_timestamp(earliest.unix_timestamp().checked_add(whole)?, 0)?;
        let next = self.parsed.find_next_occurrence(&earliest, true).ok()?;
        OffsetDateTime::from_unix_timestamp(next.timestamp()).ok()
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Cron {}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cron").field(&self.text).finish()
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
