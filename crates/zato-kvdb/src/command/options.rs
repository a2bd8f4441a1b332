//! What commands leave to choose.
//!
//! Owns the types of their options. It must not know which command has which.

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Where index 0 is.
    Front,
    /// Where index -1 is.
    Back,
}

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

/// When a key expires, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// After this time, counted from now.
    In(i64),
    /// At this moment, counted from the beginning of 1970 in UTC.
    At(i64),
}

/// What has to be true for a write to take place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// Nothing.
    #[default]
    Any,
    /// It does not exist yet.
    Absent,
    /// It exists.
    Present,
}

/// Which new number is accepted beside an old one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Comparison {
    /// Any.
    #[default]
    Any,
    /// A greater one.
    Greater,
    /// A smaller one.
    Less,
}

/// How a value is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetOptions {
    /// Whether the key has to exist.
    pub selection: Selection,
    /// When the key expires; never, unless `keep_expiry` says otherwise.
    pub expiry: Option<Expiry>,
    /// Whether the key goes on expiring when it did before.
    pub keep_expiry: bool,
    /// Whether the earlier value is answered.
    pub return_old: bool,
}

/// How scores are added to a sorted set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScoreOptions {
    /// Whether the member has to exist.
    pub selection: Selection,
    /// Which scores replace an earlier one.
    pub comparison: Comparison,
    /// Whether members with a changed score are counted besides new ones.
    pub count_changed: bool,
}

/// What is asked of the inner form of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inspection {
    /// How it is represented.
    Encoding,
    /// How often it is used.
    Frequency,
    /// For how many seconds it has not been used.
    IdleTime,
    /// How many references there are to it.
    References,
}
