//! Commands about the store itself.
//!
//! Owns them. It must not know entries.

use super::Value;

/// A command about the store, none of its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Administration {
    /// Answers `PONG`, or what it is given.
    Ping(Option<Value>),
    /// Answers what it is given.
    Echo(Value),
    /// The time of day of the store: the seconds since the beginning of 1970 in UTC, and the microseconds.
    Time,
    /// Facts on the store, one `name:value` a line, in sections; of all sections unless some are named.
    Info(Vec<String>),
    /// The settings whose names match one of these patterns: a name, its value, and so on.
    ConfigGet(Vec<String>),
    /// Changes settings: all of them, or none.
    ConfigSet(Vec<(String, String)>),
    /// Sets the counters of [`Info`](Self::Info) back.
    ConfigResetStatistics,
    /// Writes the settings to the file which they came from.
    ConfigRewrite,
}
