//! The handle that callers hold.
//!
//! Owns the limits, which hold for every store, and the typed form of the commands on keys and values. It must not know
//! any store.

mod collections;

use std::sync::Arc;
use std::time::Duration;

use crate::command::{Command, Comparison, Expiry, Key, Read, Selection, SetOptions, Unit, Write, check_key};
use crate::error::KvdbError;
use crate::glob::Glob;
use crate::key_value::{Condition, KeyValue, Lifetime};
use crate::reply::Reply;

/// How many bytes a key may have.
pub const KEY_LIMIT: usize = 1024;
/// How many bytes a value may have.
pub const VALUE_LIMIT: usize = 16 * 1024 * 1024;

/// A key/value store of any kind. Clones share it.
///
/// A key holds a value, a hash, a list, a set or a sorted set. Whatever it holds may have a time to live. Hashes, lists
/// and sets come into being with their first element and are gone with the last one.
///
/// Every operation fails with [`KvdbError::InvalidKey`] if the key is empty or longer than [`KEY_LIMIT`], with
/// [`KvdbError::ValueTooLong`] if something to be stored is longer than [`VALUE_LIMIT`], with [`KvdbError::WrongType`] if
/// the key holds something else than the operation is about, with [`KvdbError::Unavailable`] if the store can't be
/// reached or its disk has failed, and with [`KvdbError::Store`] if it can't do it.
#[derive(Clone, Debug)]
pub struct Kvdb(Arc<dyn KeyValue>);

impl Kvdb {
    /// A handle of a store.
    #[must_use]
    pub fn new(store: impl KeyValue + 'static) -> Self {
        Self(Arc::new(store))
    }

    /// The value of a key, `None` if there is no such key.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvdbError> {
        self.read(Read::Get(key.to_owned())).await?.into_optional()
    }

    /// Stores a value, for good or for a time. Whatever the key held before is replaced together with its time to live.
    ///
    /// # Errors
    /// [`KvdbError::ZeroTimeToLive`]; see [`Kvdb`].
    pub async fn set(
        &self,
        key: &str,
        value: &[u8],
        time_to_live: Option<Duration>,
    ) -> Result<(), KvdbError> {
        self.write(Write::set(key, value, time_to_live)?).await.map(drop)
    }

    /// Stores a value unless the key exists, and returns whether it did so. Of several callers at a time, one does.
    ///
    /// # Errors
    /// [`KvdbError::ZeroTimeToLive`]; see [`Kvdb`].
    pub async fn set_if_absent(
        &self,
        key: &str,
        value: &[u8],
        time_to_live: Option<Duration>,
    ) -> Result<bool, KvdbError> {
        let expiry = time_to_live.map(expiry).transpose()?;
        let options = SetOptions { selection: Selection::Absent, expiry, ..SetOptions::default() };
        Ok(self.write(Write::Set(key.to_owned(), value.to_owned(), options)).await? == Reply::Done)
    }

    /// Deletes a key with whatever it holds, and returns whether it existed.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn delete(&self, key: &str) -> Result<bool, KvdbError> {
        self.write(Write::delete(key)).await?.into_truth()
    }

    /// Whether a key exists.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn exists(&self, key: &str) -> Result<bool, KvdbError> {
        self.read(Read::Exists(vec![key.to_owned()])).await?.into_truth()
    }

    /// Adds to the integer that is stored as decimal text, and returns the sum. An absent key counts as 0; the time to
    /// live stays as it is.
    ///
    /// # Errors
    /// [`KvdbError::NotAnInteger`], [`KvdbError::Overflow`]; see [`Kvdb`].
    pub async fn increment(&self, key: &str, by: i64) -> Result<i64, KvdbError> {
        self.write(Write::Increment(key.to_owned(), by)).await?.into_integer()
    }

    /// Makes a key expire after a time, counted from now, and returns whether it exists.
    ///
    /// # Errors
    /// [`KvdbError::ZeroTimeToLive`]; see [`Kvdb`].
    pub async fn expire(&self, key: &str, time_to_live: Duration) -> Result<bool, KvdbError> {
        self.write(Write::expire(key, time_to_live)?).await?.into_truth()
    }

    /// Makes a key stay until it is deleted, and returns whether it exists and would have expired.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn persist(&self, key: &str) -> Result<bool, KvdbError> {
        self.write(Write::Persist(key.to_owned())).await?.into_truth()
    }

    /// Whether a key exists, and for how long.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn lifetime(&self, key: &str) -> Result<Lifetime, KvdbError> {
        let reply = self.read(Read::Lifetime(key.to_owned(), Unit::Milliseconds)).await?.into_integer()?;
        Ok(match u64::try_from(reply) {
            Ok(milliseconds) => Lifetime::Expires(Duration::from_millis(milliseconds)),
            Err(_) if reply == -1 => Lifetime::Forever,
            Err(_) => Lifetime::Absent,
        })
    }

    /// The keys that start with a prefix, sorted byte by byte. An empty prefix lists all of them. Keys that others have
    /// stored and that are not UTF-8 are left out.
    ///
    /// # Errors
    /// [`KvdbError::InvalidKey`] if the prefix is longer than a key can be; see [`Kvdb`].
    pub async fn keys(&self, prefix: &str) -> Result<Vec<String>, KvdbError> {
        if prefix.len() > KEY_LIMIT {
            return Err(KvdbError::InvalidKey { length: prefix.len() });
        }
        let found = self.read(Read::Keys(Glob::starting_with(prefix))).await?.into_values()?;
        let mut keys: Vec<String> = found.into_iter().filter_map(|key| String::from_utf8(key).ok()).collect();
        keys.sort_unstable();
        Ok(keys)
    }

    /// Moves what a key holds, with its time to live, to another key. What that held is gone.
    ///
    /// # Errors
    /// [`KvdbError::NoSuchKey`]; see [`Kvdb`].
    pub async fn rename(&self, from: &str, to: &str) -> Result<(), KvdbError> {
        self.write(Write::Rename(from.to_owned(), to.to_owned())).await.map(drop)
    }

    /// The same if the other key does not exist; returns whether it did so.
    ///
    /// # Errors
    /// [`KvdbError::NoSuchKey`]; see [`Kvdb`].
    pub async fn rename_if_absent(&self, from: &str, to: &str) -> Result<bool, KvdbError> {
        self.write(Write::RenameIfAbsent(from.to_owned(), to.to_owned())).await?.into_truth()
    }

    /// Runs writes one after the other, with nobody else's in between, and returns what each of them answered.
    ///
    /// # Errors
    /// See [`Kvdb`]. A write that fails because of what its key holds does not keep the others from being done; the first
    /// such failure is returned. After any other failure none of them is done.
    pub async fn atomically(&self, writes: Vec<Write>) -> Result<Vec<Reply>, KvdbError> {
        self.atomically_if(Vec::new(), writes).await.map(Option::unwrap_or_default)
    }

    /// The same, provided that all conditions hold just before; returns `None` if one does not.
    ///
    /// # Errors
    /// See [`atomically`](Self::atomically).
    pub async fn atomically_if(
        &self,
        conditions: Vec<Condition>,
        writes: Vec<Write>,
    ) -> Result<Option<Vec<Reply>>, KvdbError> {
        for Condition::ValueIs(key, _) in &conditions {
            check_key(key)?;
        }
        writes.iter().try_for_each(Write::check)?;
        let written = self.0.transact(conditions, writes).await?;
        written.map(|replies| replies.into_iter().collect()).transpose()
    }

    /// Runs any command.
    ///
    /// # Errors
    /// See [`Kvdb`] and [`KvdbError`].
    pub async fn run(&self, command: Command) -> Result<Reply, KvdbError> {
        match command {
            Command::Read(command) => self.read(command).await,
            Command::Write(command) => self.write(command).await,
            Command::Administration(command) => {
                command.check()?;
                self.0.administer(command).await
            }
        }
    }

    async fn read(&self, command: Read) -> Result<Reply, KvdbError> {
        command.check()?;
        self.0.read(command).await
    }

    async fn write(&self, command: Write) -> Result<Reply, KvdbError> {
        command.check()?;
        self.0.write(command).await
    }
}

/// The writes that transactions are made of most often. Others are built from their variants.
impl Write {
    /// Stores a value, for good or for a time.
    ///
    /// # Errors
    /// [`KvdbError::ZeroTimeToLive`].
    pub fn set(key: &str, value: &[u8], time_to_live: Option<Duration>) -> Result<Self, KvdbError> {
        let options = SetOptions { expiry: time_to_live.map(expiry).transpose()?, ..SetOptions::default() };
        Ok(Self::Set(key.to_owned(), value.to_owned(), options))
    }

    /// Deletes a key.
    #[must_use]
    pub fn delete(key: &str) -> Self {
        Self::Delete(vec![key.to_owned()])
    }

    /// Makes a key expire after a time, counted from now.
    ///
    /// # Errors
    /// [`KvdbError::ZeroTimeToLive`].
    pub fn expire(key: &str, time_to_live: Duration) -> Result<Self, KvdbError> {
        Ok(Self::Expire(key.to_owned(), expiry(time_to_live)?, Selection::Any, Comparison::Any))
    }

    /// Sets fields of a hash.
    #[must_use]
    pub fn hash_set<V: AsRef<[u8]>>(key: &str, fields: &[(&str, V)]) -> Self {
        let fields =
            fields.iter().map(|(field, value)| (field.as_bytes().to_owned(), value.as_ref().to_owned()));
        Self::HashSet(Key::from(key), fields.collect())
    }

    /// Removes fields of a hash.
    #[must_use]
    pub fn hash_delete(key: &str, fields: &[&str]) -> Self {
        Self::HashDelete(key.to_owned(), fields.iter().map(|field| field.as_bytes().to_owned()).collect())
    }
}

/// Parts of a millisecond count as a whole one, so that nothing expires too early. What is longer than some hundred
/// million years is shortened to that, which leaves room for adding the present time.
fn expiry(time_to_live: Duration) -> Result<Expiry, KvdbError> {
    if time_to_live.is_zero() {
        return Err(KvdbError::ZeroTimeToLive);
    }
    let milliseconds = time_to_live.as_nanos().div_ceil(1_000_000);
    Ok(Expiry::In(i64::try_from(milliseconds).unwrap_or(i64::MAX).min(i64::MAX / 2)))
}
