//! What each writing command does.
//!
//! Owns the meaning of those commands on keys and values; those on collections have modules of their own. It must not
//! know transactions.

use super::dump::{self, Content};
use super::entries::Entries;
use super::moment::Moment;
use super::tables::{Entry, Kind};
use crate::command::{Comparison, End, Expiry, ScoreOptions, Selection, SetOptions, Write};
use crate::error::KvdbError;
use crate::key_value::Condition;
use crate::reply::Reply;

impl Entries<'_> {
    /// Whether a transaction may take place.
    pub(super) fn holds(&self, condition: &Condition, now: Moment) -> Result<bool, KvdbError> {
        let Condition::ValueIs(key, expected) = condition;
        let value = match self.tables.find(key, now)?.map(Entry::into_text) {
            Some(Err(KvdbError::WrongType)) => return Ok(false),
            value => value.transpose()?,
        };
        Ok(value == *expected)
    }

    /// Runs a command. One that fails by itself has changed nothing.
    pub(super) fn write(&mut self, command: Write, now: Moment) -> Result<Reply, KvdbError> {
        match command {
            Write::Set(key, value, options) => self.set(&key, &value, options, now),
            Write::SetMany(entries) => {
                for (key, value) in entries {
                    self.put_text(&key, &value, Moment::NEVER)?;
                }
                Ok(Reply::Done)
            }
            Write::SetManyIfAbsent(entries) => {
                for (key, _) in &entries {
                    if self.tables.find(key, now)?.is_some() {
                        return Ok(Reply::truth(false));
                    }
                }
                for (key, value) in entries {
                    self.put_text(&key, &value, Moment::NEVER)?;
                }
                Ok(Reply::truth(true))
            }
            Write::Increment(key, by) => {
                let (expiry, old) = match self.live(&key, now)? {
                    Some(entry) => (entry.expiry, Some(entry.into_text()?)),
                    None => (Moment::NEVER, None),
                };
                let sum = add(old.as_deref(), by)?;
                self.put_text(&key, sum.to_string().as_bytes(), expiry)?;
                Ok(Reply::Integer(sum))
            }
            Write::Delete(keys) => {
                let mut count = 0;
                for key in keys {
                    if let Some(entry) = self.live(&key, now)? {
                        self.remove(&key, &entry)?;
                        count += 1;
                    }
                }
                Ok(Reply::Integer(count))
            }
            Write::Expire(key, expiry, selection, comparison) => {
                self.expire(&key, expiry, selection, comparison, now).map(Reply::truth)
            }
            Write::Persist(key) => match self.live(&key, now)? {
                Some(entry) if entry.expiry != Moment::NEVER => {
                    self.set_expiry(&key, &entry, Moment::NEVER)?;
                    Ok(Reply::truth(true))
                }
                _ => Ok(Reply::truth(false)),
            },
            Write::Rename(from, to) => {
                self.rename(&from, &to, true, now)?;
                Ok(Reply::Done)
            }
            Write::RenameIfAbsent(from, to) => self.rename(&from, &to, false, now).map(Reply::truth),
            Write::Restore { key, expiry, dump, replace } => {
                self.restore(&key, expiry, &dump, replace, now)?;
                Ok(Reply::Done)
            }
            Write::Flush => {
                self.clear()?;
                Ok(Reply::Done)
            }

            Write::HashSet(key, fields) => self.hash_set(&key, &fields, now),
            Write::HashSetIfAbsent(key, field, value) => self.hash_set_if_absent(&key, &field, &value, now),
            Write::HashDelete(key, fields) => self.remove_rows(&key, Kind::Hash, &fields, now),
            Write::HashIncrement(key, field, by) => self.hash_increment(&key, &field, by, now),

            Write::ListPush(key, end, values) => self.list_push(&key, end, &values, Selection::Any, now),
            Write::ListPushIfPresent(key, end, values) => {
                self.list_push(&key, end, &values, Selection::Present, now)
            }
            Write::ListPop(key, end) => {
                let popped = self.list_pop(&key, end, 1, now)?;
                Ok(Reply::optional(popped.and_then(|mut values| values.pop())))
            }
            Write::ListPopMany(key, end, count) => {
                Ok(self.list_pop(&key, end, count, now)?.map_or(Reply::Nil, Reply::values))
            }
            Write::ListRemove(key, count, value) => self.list_remove(&key, count, &value, now),
            Write::ListSet(key, index, value) => self.list_set(&key, index, &value, now),
            Write::ListTrim(key, start, stop) => self.list_trim(&key, start, stop, now),

            Write::SetAdd(key, members) => self.set_add(&key, &members, now),
            Write::SetRemove(key, members) => self.remove_rows(&key, Kind::Set, &members, now),

            Write::SortedSetAdd(key, members, options) => self.sorted_set_add(&key, &members, options, now),
            Write::SortedSetIncrement(key, by, member, options) => {
                self.sorted_set_increment(&key, by, &member, options, now)
            }
            Write::SortedSetRemove(key, members) => self.remove_rows(&key, Kind::SortedSet, &members, now),
            Write::SortedSetRemoveRange(key, start, stop) => {
                self.sorted_set_remove_range(&key, start, stop, now)
            }
        }
    }

    fn set(&mut self, key: &str, value: &[u8], options: SetOptions, now: Moment) -> Result<Reply, KvdbError> {
        let expiry = match options.expiry {
            Some(Expiry::In(..=0) | Expiry::At(..=0)) => return Err(KvdbError::InvalidExpiry),
            Some(expiry) => Some(now.expiry(expiry)?),
            None => None,
        };
        let old = self.live(key, now)?;
        let old_expiry = old.as_ref().map(|entry| entry.expiry);
        let old_value = match old {
            Some(entry) if options.return_old => Some(entry.into_text()?),
            _ => None,
        };
        let selected = match options.selection {
            Selection::Any => true,
            Selection::Absent => old_expiry.is_none(),
            Selection::Present => old_expiry.is_some(),
        };
        if selected {
            let kept = old_expiry.filter(|_| options.keep_expiry);
            self.put_text(key, value, expiry.or(kept).unwrap_or(Moment::NEVER))?;
        }
        Ok(match (options.return_old, selected) {
            (true, _) => Reply::optional(old_value),
            (false, true) => Reply::Done,
            (false, false) => Reply::Nil,
        })
    }

    fn expire(
        &mut self,
        key: &str,
        expiry: Expiry,
        selection: Selection,
        comparison: Comparison,
        now: Moment,
    ) -> Result<bool, KvdbError> {
        let expiry = now.expiry(expiry)?;
        let Some(entry) = self.live(key, now)? else { return Ok(false) };
        let selected = match selection {
            Selection::Any => true,
            Selection::Absent => entry.expiry == Moment::NEVER,
            Selection::Present => entry.expiry != Moment::NEVER,
        };
        let accepted = match comparison {
            Comparison::Any => true,
            Comparison::Greater => expiry > entry.expiry,
            Comparison::Less => expiry < entry.expiry,
        };
        if !(selected && accepted) {
            return Ok(false);
        }
        if expiry <= now {
            self.remove(key, &entry)?;
        } else {
            self.set_expiry(key, &entry, expiry)?;
        }
        Ok(true)
    }

    fn rename(&mut self, from: &str, to: &str, replace: bool, now: Moment) -> Result<bool, KvdbError> {
        let entry = self.live(from, now)?.ok_or(KvdbError::NoSuchKey)?;
        if from == to {
            return Ok(replace);
        }
        match self.live(to, now)? {
            Some(_) if !replace => return Ok(false),
            Some(other) => self.remove(to, &other)?,
            None => {}
        }
        self.move_entry(from, &entry, to)?;
        Ok(true)
    }

    fn restore(
        &mut self,
        key: &str,
        expiry: Option<Expiry>,
        bytes: &[u8],
        replace: bool,
        now: Moment,
    ) -> Result<(), KvdbError> {
        let expiry = expiry.map_or(Ok(Moment::NEVER), |expiry| now.expiry(expiry))?;
        let old = self.live(key, now)?;
        if old.is_some() && !replace {
            return Err(KvdbError::KeyExists);
        }
        let content = dump::read(bytes)?;
        if let Some(old) = old {
            self.remove(key, &old)?;
        }
        if expiry <= now {
            return Ok(());
        }
        match content {
            Content::Text(value) => return self.put_text(key, &value, expiry),
            Content::Hash(fields) => self.hash_set(key, &fields, now)?,
            Content::List(values) => self.list_push(key, End::Back, &values, Selection::Any, now)?,
            Content::Set(members) => self.set_add(key, &members, now)?,
            Content::SortedSet(members) => {
                self.sorted_set_add(key, &members, ScoreOptions::default(), now)?
            }
        };
        match self.live(key, now)? {
            Some(entry) => self.set_expiry(key, &entry, expiry),
            None => Ok(()),
        }
    }
}

/// The sum of what is stored as decimal text and a number. What is not stored counts as 0.
pub(super) fn add(stored: Option<&[u8]>, by: i64) -> Result<i64, KvdbError> {
    let old = stored.map_or(Ok(0), integer)?;
    old.checked_add(by).ok_or(KvdbError::Overflow)
}

/// The integer of a decimal text, if it is in the form in which an increment writes it.
fn integer(value: &[u8]) -> Result<i64, KvdbError> {
    let text = std::str::from_utf8(value).map_err(|_| KvdbError::NotAnInteger)?;
    let integer: i64 = text.parse().map_err(|_| KvdbError::NotAnInteger)?;
    if integer.to_string() == text { Ok(integer) } else { Err(KvdbError::NotAnInteger) }
}
