//! From words to commands.
//!
//! Owns which words each command takes, and what they mean. It must not know how lines are taken apart, nor any store.

use super::line::Line;
use super::options::{Comparison, End, Expiry, Inspection, ScoreOptions, Selection, SetOptions, Unit};
use super::words::{Words, is, text, value};
use super::{Administration, Command, Read, Value, Write};
use crate::escape;

/// What is wrong with a command line.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The line is empty.
    #[error("No command sent")]
    Missing,
    /// It begins with no command that may be given.
    #[error("there is no such command, or it may not be given here")]
    Unknown,
    /// The command has too few or too many words.
    #[error("wrong number of arguments for {0}")]
    WrongCount(&'static str),
    /// A word is none of those that the command takes at its place.
    #[error("syntax error in the arguments of {0}")]
    Syntax(&'static str),
    /// A word is no 64-bit integer.
    #[error("an argument of {0} is not an integer or out of range")]
    NotAnInteger(&'static str),
    /// A word is no number.
    #[error("an argument of {0} is not a number")]
    NotANumber(&'static str),
    /// A time to live can't be that long, or not that short.
    #[error("invalid expire time in {0}")]
    InvalidExpiry(&'static str),
    /// The numbers of a command are out of the range of what it computes.
    #[error("the result of {0} would be out of range")]
    Overflow(&'static str),
}

/// A command that was given as a line of text.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CommandLine {
    /// The name of the command, in capitals.
    pub name: &'static str,
    /// What is to be run.
    pub command: Command,
}

impl CommandLine {
    /// Reads a line, of which the command may be one of those that may be given from afar.
    ///
    /// # Errors
    /// The line has no command, another one, or one whose words are wrong.
    pub fn parse(line: &str) -> Result<Self, CommandError> {
        let Line { name, words } = Line::split(line)?;
        Ok(Self { name, command: Words { name, words: &words }.command()? })
    }
}

impl From<Read> for Command {
    fn from(command: Read) -> Self {
        Self::Read(command)
    }
}

impl From<Write> for Command {
    fn from(command: Write) -> Self {
        Self::Write(command)
    }
}

impl From<Administration> for Command {
    fn from(command: Administration) -> Self {
        Self::Administration(command)
    }
}

impl Words<'_> {
    fn command(self) -> Result<Command, CommandError> {
        Ok(match self.name {
            "CONFIG" => self.config()?.into(),
            "DBSIZE" => self.none(Read::Count)?.into(),
            "DECR" => Write::Increment(self.key()?, -1).into(),
            "DECRBY" => {
                let [key, by] = self.exactly()?;
                let by = self.integer(by)?.checked_neg().ok_or(CommandError::Overflow(self.name))?;
                Write::Increment(text(key), by).into()
            }
            "DEL" => Write::Delete(self.keys()?).into(),
            "DUMP" => Read::Dump(self.key()?).into(),
            "ECHO" => Administration::Echo(value(self.exactly::<1>()?[0])).into(),
            "EXISTS" => Read::Exists(self.keys()?).into(),
            "EXPIRE" => self.expire(Unit::Seconds, Expiry::In)?.into(),
            "EXPIREAT" => self.expire(Unit::Seconds, Expiry::At)?.into(),
            "FLUSHDB" => match self.words {
                [] => Write::Flush.into(),
                [mode] if is(mode, "ASYNC") || is(mode, "SYNC") => Write::Flush.into(),
                _ => return Err(self.syntax()),
            },
            "GET" => Read::Get(self.key()?).into(),
            "HDEL" => {
                let (key, fields) = self.key_and_values()?;
                Write::HashDelete(key, fields).into()
            }
            "HEXISTS" => {
                let [key, field] = self.exactly()?;
                Read::HashContains(text(key), value(field)).into()
            }
            "HGET" => {
                let [key, field] = self.exactly()?;
                Read::HashGet(text(key), value(field)).into()
            }
            "HGETALL" => Read::HashGetAll(self.key()?).into(),
            "HINCRBY" => {
                let [key, field, by] = self.exactly()?;
                Write::HashIncrement(text(key), value(field), self.integer(by)?).into()
            }
            "HKEYS" => Read::HashFields(self.key()?).into(),
            "HLEN" => Read::HashLength(self.key()?).into(),
            "HSET" => match self.words {
                [key, rest @ ..] => Write::HashSet(text(key), self.pairs(rest, value)?).into(),
                [] => return Err(self.count()),
            },
            "HSETNX" => {
                let [key, field, new] = self.exactly()?;
                Write::HashSetIfAbsent(text(key), value(field), value(new)).into()
            }
            "HVALS" => Read::HashValues(self.key()?).into(),
            "INCR" => Write::Increment(self.key()?, 1).into(),
            "INCRBY" => {
                let [key, by] = self.exactly()?;
                Write::Increment(text(key), self.integer(by)?).into()
            }
            "INFO" => Administration::Info(self.words.iter().copied().map(text).collect()).into(),
            "KEYS" => Read::Keys(value(self.exactly::<1>()?[0])).into(),
            "LLEN" => Read::ListLength(self.key()?).into(),
            "LPOP" => self.pop(End::Front)?.into(),
            "LPUSH" => {
                let (key, values) = self.key_and_values()?;
                Write::ListPush(key, End::Front, values).into()
            }
            "LPUSHX" => {
                let (key, values) = self.key_and_values()?;
                Write::ListPushIfPresent(key, End::Front, values).into()
            }
            "LRANGE" => {
                let [key, start, stop] = self.exactly()?;
                Read::ListRange(text(key), self.integer(start)?, self.integer(stop)?).into()
            }
            "LREM" => {
                let [key, count, old] = self.exactly()?;
                Write::ListRemove(text(key), self.integer(count)?, value(old)).into()
            }
            "LSET" => {
                let [key, index, new] = self.exactly()?;
                Write::ListSet(text(key), self.integer(index)?, value(new)).into()
            }
            "LTRIM" => {
                let [key, start, stop] = self.exactly()?;
                Write::ListTrim(text(key), self.integer(start)?, self.integer(stop)?).into()
            }
            "MGET" => Read::GetMany(self.keys()?).into(),
            "MSET" => Write::SetMany(self.pairs(self.words, text)?).into(),
            "MSETNX" => Write::SetManyIfAbsent(self.pairs(self.words, text)?).into(),
            "OBJECT" => self.object()?.into(),
            "PERSIST" => Write::Persist(self.key()?).into(),
            "PEXPIRE" => self.expire(Unit::Milliseconds, Expiry::In)?.into(),
            "PEXPIREAT" => self.expire(Unit::Milliseconds, Expiry::At)?.into(),
            "PING" => match self.words {
                [] => Administration::Ping(None).into(),
                [message] => Administration::Ping(Some(value(message))).into(),
                _ => return Err(self.count()),
            },
            "PSETEX" => {
                let [key, time, new] = self.exactly()?;
                let expiry = Some(Expiry::In(self.positive(self.integer(time)?)?));
                Write::Set(text(key), value(new), SetOptions { expiry, ..SetOptions::default() }).into()
            }
            "PTTL" => Read::Lifetime(self.key()?, Unit::Milliseconds).into(),
            "RANDOMKEY" => self.none(Read::RandomKey)?.into(),
            "RENAME" => {
                let [from, to] = self.exactly()?;
                Write::Rename(text(from), text(to)).into()
            }
            "RENAMENX" => {
                let [from, to] = self.exactly()?;
                Write::RenameIfAbsent(text(from), text(to)).into()
            }
            "RESTORE" => self.restore()?.into(),
            "RPOP" => self.pop(End::Back)?.into(),
            "SADD" => {
                let (key, members) = self.key_and_values()?;
                Write::SetAdd(key, members).into()
            }
            "SET" => self.set()?.into(),
            "SISMEMBER" => {
                let [key, member] = self.exactly()?;
                Read::SetContains(text(key), value(member)).into()
            }
            "SMEMBERS" => Read::SetMembers(self.key()?).into(),
            "SREM" => {
                let (key, members) = self.key_and_values()?;
                Write::SetRemove(key, members).into()
            }
            "TIME" => self.none(Administration::Time)?.into(),
            "TTL" => Read::Lifetime(self.key()?, Unit::Seconds).into(),
            "TYPE" => Read::Kind(self.key()?).into(),
            "ZADD" => self.add_scores()?.into(),
            "ZRANGE" => self.ranks()?.into(),
            "ZREM" => {
                let (key, members) = self.key_and_values()?;
                Write::SortedSetRemove(key, members).into()
            }
            _ => return Err(CommandError::Unknown),
        })
    }

    fn config(self) -> Result<Administration, CommandError> {
        let [action, rest @ ..] = self.words else { return Err(self.count()) };
        match (action.to_ascii_uppercase().as_str(), rest) {
            ("GET", [_, ..]) => Ok(Administration::ConfigGet(rest.iter().copied().map(text).collect())),
            ("SET", _) => {
                let settings = self.pairs(rest, text)?;
                let text = |(name, value): (String, Value)| {
                    Ok((name, String::from_utf8(value).map_err(|_| self.syntax())?))
                };
                Ok(Administration::ConfigSet(settings.into_iter().map(text).collect::<Result<_, _>>()?))
            }
            ("RESETSTAT", []) => Ok(Administration::ConfigResetStatistics),
            ("REWRITE", []) => Ok(Administration::ConfigRewrite),
            ("GET" | "RESETSTAT" | "REWRITE", _) => Err(self.count()),
            _ => Err(self.syntax()),
        }
    }

    fn object(self) -> Result<Read, CommandError> {
        let [what, key] = self.exactly()?;
        let what = match what.to_ascii_uppercase().as_str() {
            "ENCODING" => Inspection::Encoding,
            "FREQ" => Inspection::Frequency,
            "IDLETIME" => Inspection::IdleTime,
            "REFCOUNT" => Inspection::References,
            _ => return Err(self.syntax()),
        };
        Ok(Read::Inspect(what, text(key)))
    }

    fn expire(self, unit: Unit, expiry: fn(i64) -> Expiry) -> Result<Write, CommandError> {
        let [key, time, options @ ..] = self.words else { return Err(self.count()) };
        let time = self.milliseconds(self.integer(time)?, unit)?;
        let (mut selection, mut comparison) = (Selection::Any, Comparison::Any);
        for option in options {
            match option.to_ascii_uppercase().as_str() {
                "NX" => selection = Selection::Absent,
                "XX" => selection = Selection::Present,
                "GT" if comparison != Comparison::Less => comparison = Comparison::Greater,
                "LT" if comparison != Comparison::Greater => comparison = Comparison::Less,
                _ => return Err(self.syntax()),
            }
        }
        if selection == Selection::Absent && options.len() > 1 {
            return Err(self.syntax());
        }
        Ok(Write::Expire(text(key), expiry(time), selection, comparison))
    }

    fn set(self) -> Result<Write, CommandError> {
        let [key, new, options @ ..] = self.words else { return Err(self.count()) };
        let mut chosen = SetOptions::default();
        let mut options = options.iter();
        while let Some(option) = options.next() {
            let option = option.to_ascii_uppercase();
            let timeless = chosen.expiry.is_none() && !chosen.keep_expiry;
            match option.as_str() {
                "NX" if chosen.selection == Selection::Any => chosen.selection = Selection::Absent,
                "XX" if chosen.selection == Selection::Any => chosen.selection = Selection::Present,
                "GET" => chosen.return_old = true,
                "KEEPTTL" if timeless => chosen.keep_expiry = true,
                "EX" | "PX" | "EXAT" | "PXAT" if timeless => {
                    let time = self.integer(options.next().ok_or_else(|| self.syntax())?)?;
                    let unit = if option.starts_with('P') { Unit::Milliseconds } else { Unit::Seconds };
                    let time = self.milliseconds(self.positive(time)?, unit)?;
                    chosen.expiry =
                        Some(if option.ends_with("AT") { Expiry::At(time) } else { Expiry::In(time) });
                }
                _ => return Err(self.syntax()),
            }
        }
        Ok(Write::Set(text(key), value(new), chosen))
    }

    /// The dump may be given in the escaped form in which remote commands show it, since it can't be given as it is.
    fn restore(self) -> Result<Write, CommandError> {
        let [key, time, dump, options @ ..] = self.words else { return Err(self.count()) };
        let time = self.integer(time)?;
        if time < 0 {
            return Err(CommandError::InvalidExpiry(self.name));
        }
        let (mut replace, mut absolute) = (false, false);
        for option in options {
            match option.to_ascii_uppercase().as_str() {
                "REPLACE" => replace = true,
                "ABSTTL" => absolute = true,
                _ => return Err(self.syntax()),
            }
        }
        let expiry = (time > 0).then_some(if absolute { Expiry::At(time) } else { Expiry::In(time) });
        let dump = escape::unescaped(dump).unwrap_or_else(|| value(dump));
        Ok(Write::Restore { key: text(key), expiry, dump, replace })
    }

    fn pop(self, end: End) -> Result<Write, CommandError> {
        match self.words {
            [key] => Ok(Write::ListPop(text(key), end)),
            [key, count] => {
                let count =
                    u64::try_from(self.integer(count)?).map_err(|_| CommandError::NotAnInteger(self.name))?;
                Ok(Write::ListPopMany(text(key), end, count))
            }
            _ => Err(self.count()),
        }
    }

    fn add_scores(self) -> Result<Write, CommandError> {
        let [key, words @ ..] = self.words else { return Err(self.count()) };
        let (mut options, mut increment, mut words) = (ScoreOptions::default(), false, words);
        while let [option, rest @ ..] = words {
            match option.to_ascii_uppercase().as_str() {
                "NX" if options.selection != Selection::Present => options.selection = Selection::Absent,
                "XX" if options.selection != Selection::Absent => options.selection = Selection::Present,
                "GT" if options.comparison != Comparison::Less => options.comparison = Comparison::Greater,
                "LT" if options.comparison != Comparison::Greater => options.comparison = Comparison::Less,
                "NX" | "XX" | "GT" | "LT" => return Err(self.syntax()),
                "CH" => options.count_changed = true,
                "INCR" => increment = true,
                _ => break,
            }
            words = rest;
        }
        if options.selection == Selection::Absent && options.comparison != Comparison::Any {
            return Err(self.syntax());
        }
        if words.is_empty() {
            return Err(self.count());
        }
        let (pairs, []) = words.as_chunks::<2>() else { return Err(self.syntax()) };
        let scored = |[score, member]: &[&str; 2]| Ok((self.score(score)?, value(member)));
        let mut members = pairs.iter().map(scored).collect::<Result<Vec<_>, CommandError>>()?;
        match (increment, members.len()) {
            (false, _) => Ok(Write::SortedSetAdd(text(key), members, options)),
            (true, 1) => {
                let (by, member) = members.remove(0);
                Ok(Write::SortedSetIncrement(text(key), by, member, options))
            }
            (true, _) => Err(self.syntax()),
        }
    }

    fn ranks(self) -> Result<Read, CommandError> {
        let [key, start, stop, options @ ..] = self.words else { return Err(self.count()) };
        let (mut scores, mut reverse) = (false, false);
        for option in options {
            match option.to_ascii_uppercase().as_str() {
                "WITHSCORES" => scores = true,
                "REV" => reverse = true,
                _ => return Err(self.syntax()),
            }
        }
        let (key, start, stop) = (text(key), self.integer(start)?, self.integer(stop)?);
        Ok(match (reverse, scores) {
            (false, false) => Read::SortedSetRange(key, start, stop),
            (false, true) => Read::SortedSetRangeWithScores(key, start, stop),
            (true, false) => Read::SortedSetReverseRange(key, start, stop),
            (true, true) => Read::SortedSetReverseRangeWithScores(key, start, stop),
        })
    }
}
