//! The handle that callers hold.
//!
//! Owns the limits, which hold for every store. It must not know any store.

use std::sync::Arc;
use std::time::Duration;

use crate::error::KvdbError;
use crate::key_value::{KeyValue, Lifetime};

/// How many bytes a key may have.
pub const KEY_LIMIT: usize = 1024;
/// How many bytes a value may have.
pub const VALUE_LIMIT: usize = 16 * 1024 * 1024;

/// A key/value store of any kind. Clones share it.
///
/// Every operation fails with [`KvdbError::InvalidKey`] if the key is empty or longer than [`KEY_LIMIT`], and with
/// [`KvdbError::Store`] or [`KvdbError::Closed`] if the store cannot do it.
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
        check_key(key)?;
        self.0.get(key).await
    }

    /// Stores a value, for good or for a time. An earlier value is replaced together with its time to live.
    ///
    /// # Errors
    /// [`KvdbError::ValueTooLong`], [`KvdbError::ZeroTimeToLive`]; see [`Kvdb`].
    pub async fn set(
        &self,
        key: &str,
        value: &[u8],
        time_to_live: Option<Duration>,
    ) -> Result<(), KvdbError> {
        check_key(key)?;
        check_value(value)?;
        check_time_to_live(time_to_live)?;
        self.0.set(key, value, time_to_live).await
    }

    /// Stores a value unless the key exists, and returns whether it did so. Of several callers at a time, one does.
    ///
    /// # Errors
    /// [`KvdbError::ValueTooLong`], [`KvdbError::ZeroTimeToLive`]; see [`Kvdb`].
    pub async fn set_if_absent(
        &self,
        key: &str,
        value: &[u8],
        time_to_live: Option<Duration>,
    ) -> Result<bool, KvdbError> {
        check_key(key)?;
        check_value(value)?;
        check_time_to_live(time_to_live)?;
        self.0.set_if_absent(key, value, time_to_live).await
    }

    /// Deletes a key, and returns whether it existed.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn delete(&self, key: &str) -> Result<bool, KvdbError> {
        check_key(key)?;
        self.0.delete(key).await
    }

    /// Whether a key exists.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn exists(&self, key: &str) -> Result<bool, KvdbError> {
        Ok(self.lifetime(key).await? != Lifetime::Absent)
    }

    /// Adds to the integer that is stored as decimal text, and returns the sum. An absent key counts as 0; the time to
    /// live stays as it is.
    ///
    /// # Errors
    /// [`KvdbError::NotAnInteger`], [`KvdbError::Overflow`]; see [`Kvdb`].
    pub async fn increment(&self, key: &str, by: i64) -> Result<i64, KvdbError> {
        check_key(key)?;
        self.0.increment(key, by).await
    }

    /// Makes a key expire after a time, counted from now, and returns whether it exists.
    ///
    /// # Errors
    /// [`KvdbError::ZeroTimeToLive`]; see [`Kvdb`].
    pub async fn expire(&self, key: &str, time_to_live: Duration) -> Result<bool, KvdbError> {
        check_key(key)?;
        check_time_to_live(Some(time_to_live))?;
        self.0.expire(key, time_to_live).await
    }

    /// Makes a key stay until it is deleted, and returns whether it exists and would have expired.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn persist(&self, key: &str) -> Result<bool, KvdbError> {
        check_key(key)?;
        self.0.persist(key).await
    }

    /// Whether a key exists, and for how long.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn lifetime(&self, key: &str) -> Result<Lifetime, KvdbError> {
        check_key(key)?;
        self.0.lifetime(key).await
    }

    /// The keys that start with a prefix, sorted byte by byte. An empty prefix lists all of them.
    ///
    /// # Errors
    /// [`KvdbError::InvalidKey`] if the prefix is longer than a key can be; see [`Kvdb`].
    pub async fn keys(&self, prefix: &str) -> Result<Vec<String>, KvdbError> {
        if prefix.len() > KEY_LIMIT {
            return Err(KvdbError::InvalidKey { length: prefix.len() });
        }
        self.0.keys(prefix).await
    }
}

fn check_key(key: &str) -> Result<(), KvdbError> {
    match key.len() {
        1..=KEY_LIMIT => Ok(()),
        length => Err(KvdbError::InvalidKey { length }),
    }
}

fn check_value(value: &[u8]) -> Result<(), KvdbError> {
    match value.len() {
        0..=VALUE_LIMIT => Ok(()),
        length => Err(KvdbError::ValueTooLong { length }),
    }
}

fn check_time_to_live(time_to_live: Option<Duration>) -> Result<(), KvdbError> {
    match time_to_live {
        Some(Duration::ZERO) => Err(KvdbError::ZeroTimeToLive),
        _ => Ok(()),
    }
}
