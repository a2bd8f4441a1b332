//! The words of a command, one by one.
//!
//! Owns how a word becomes a key, a value or a number, and how many there have to be. It must not know which command takes
//! which.

use super::Value;
use super::options::Unit;
use super::parse::CommandError;

/// The words of a command.
#[derive(Clone, Copy)]
pub(super) struct Words<'w> {
    pub(super) name: &'static str,
    pub(super) words: &'w [&'w str],
}

impl<'w> Words<'w> {
    pub(super) fn none<T>(self, command: T) -> Result<T, CommandError> {
        if self.words.is_empty() { Ok(command) } else { Err(self.count()) }
    }

    pub(super) fn exactly<const N: usize>(self) -> Result<[&'w str; N], CommandError> {
        self.words.try_into().map_err(|_| self.count())
    }

    pub(super) fn count(self) -> CommandError {
        CommandError::WrongCount(self.name)
    }

    pub(super) fn syntax(self) -> CommandError {
        CommandError::Syntax(self.name)
    }

    pub(super) fn integer(self, word: &str) -> Result<i64, CommandError> {
        let integer: i64 = word.parse().map_err(|_| CommandError::NotAnInteger(self.name))?;
        // The form is the one in which Redis writes integers: without a plus, and without zeros in front.
        if integer.to_string() == word { Ok(integer) } else { Err(CommandError::NotAnInteger(self.name)) }
    }

    pub(super) fn score(self, word: &str) -> Result<f64, CommandError> {
        let score: f64 = word.parse().map_err(|_| CommandError::NotANumber(self.name))?;
        if score.is_nan() { Err(CommandError::NotANumber(self.name)) } else { Ok(score) }
    }

    pub(super) fn positive(self, time: i64) -> Result<i64, CommandError> {
        if time > 0 { Ok(time) } else { Err(CommandError::InvalidExpiry(self.name)) }
    }

    pub(super) fn milliseconds(self, time: i64, unit: Unit) -> Result<i64, CommandError> {
        match unit {
            Unit::Milliseconds => Ok(time),
            Unit::Seconds => time.checked_mul(1000).ok_or(CommandError::InvalidExpiry(self.name)),
        }
    }

    pub(super) fn key(self) -> Result<String, CommandError> {
        let [key] = self.exactly()?;
        Ok(text(key))
    }

    pub(super) fn keys(self) -> Result<Vec<String>, CommandError> {
        if self.words.is_empty() {
            Err(self.count())
        } else {
            Ok(self.words.iter().copied().map(text).collect())
        }
    }

    pub(super) fn key_and_values(self) -> Result<(String, Vec<Value>), CommandError> {
        match self.words {
            [key, values @ ..] if !values.is_empty() => {
                Ok((text(key), values.iter().copied().map(value).collect()))
            }
            _ => Err(self.count()),
        }
    }

    pub(super) fn pairs<T>(
        self,
        words: &[&str],
        name: fn(&str) -> T,
    ) -> Result<Vec<(T, Value)>, CommandError> {
        match words.as_chunks::<2>() {
            (pairs @ [_, ..], []) => {
                Ok(pairs.iter().map(|[first, second]| (name(first), value(second))).collect())
            }
            _ => Err(self.count()),
        }
    }
}

pub(super) fn text(word: &str) -> String {
    word.to_owned()
}

pub(super) fn value(word: &str) -> Value {
    word.as_bytes().to_owned()
}

pub(super) fn is(word: &str, expected: &str) -> bool {
    word.eq_ignore_ascii_case(expected)
}
