//! Answers of Redis.
//!
//! Owns what its values and its errors are in the terms of this crate. It must not know which command was answered.

use redis::{ErrorKind, RedisError, ServerErrorKind, Value};

use crate::error::{KvdbError, StoreError};
use crate::key_value::Written;
use crate::reply::Reply;
use crate::score::Score;

/// An answer. What the newer protocol tells apart is brought into the form of the older one, in which maps and pairs are
/// arrays of one after the other.
pub(super) fn reply(value: Value) -> Result<Reply, KvdbError> {
    Ok(match value {
        Value::Nil => Reply::Nil,
        Value::Okay => Reply::Done,
        Value::Int(integer) => Reply::Integer(integer),
        Value::Boolean(truth) => Reply::truth(truth),
        Value::Double(number) => Reply::Value(Score(number).to_text()),
        Value::BulkString(value) => Reply::Value(value),
        Value::VerbatimString { text, .. } => Reply::Value(text.into_bytes()),
        Value::SimpleString(text) => Reply::Status(text),
        Value::Attribute { data, .. } => reply(*data)?,
        Value::Array(values) | Value::Set(values) => array(values)?,
        Value::Map(pairs) => array(pairs.into_iter().flat_map(|(name, value)| [name, value]))?,
        Value::ServerError(error) => return Err(Failure::from(RedisError::from(error)).into_error()),
        _ => return Err(KvdbError::UnexpectedReply),
    })
}

fn array(values: impl IntoIterator<Item = Value>) -> Result<Reply, KvdbError> {
    let mut replies = Vec::new();
    for value in values {
        match reply(value)? {
            Reply::Array(pair) => replies.extend(pair),
            single => replies.push(single),
        }
    }
    Ok(Reply::Array(replies))
}

/// The answer of the script for transactions with conditions.
pub(super) fn scripted(value: Value) -> Result<Written, KvdbError> {
    let answers = match value {
        Value::Nil | Value::Boolean(false) => return Ok(None),
        Value::Array(answers) => answers,
        _ => return Err(KvdbError::UnexpectedReply),
    };
    let one = |answer| {
        let Value::Array(pair) = answer else { return Err(KvdbError::UnexpectedReply) };
        match <[Value; 2]>::try_from(pair) {
            Ok([Value::Int(1), value]) => Ok(reply(value)),
            Ok([Value::Int(0), Value::BulkString(text)]) => {
                let text = String::from_utf8_lossy(&text);
                let (code, detail) = text.split_once(' ').unwrap_or((&text, ""));
                Ok(Err(refusal(code, detail)))
            }
            _ => Err(KvdbError::UnexpectedReply),
        }
    };
    answers.into_iter().map(one).collect::<Result<_, _>>().map(Some)
}

/// A failure that Redis or the way to it has told.
pub(super) struct Failure(RedisError);

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        Self(error)
    }
}

impl Failure {
    /// What it means to callers.
    pub(super) fn into_error(self) -> KvdbError {
        match self.0.kind() {
            ErrorKind::Server(
                ServerErrorKind::BusyLoading
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ReadOnly
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::TryAgain,
            )
            | ErrorKind::Io
            | ErrorKind::AuthenticationFailed
            | ErrorKind::RESP3NotSupported => KvdbError::Unavailable(StoreError::new(self.0)),
            ErrorKind::Server(_) | ErrorKind::Extension => {
                refusal(self.0.code().unwrap_or_default(), self.0.detail().unwrap_or_default())
            }
            _ => KvdbError::Store(StoreError::new(self.0)),
        }
    }
}

/// What Redis means by an error. Its texts are part of its interface: there is no other way to tell most of them apart.
fn refusal(code: &str, detail: &str) -> KvdbError {
    let says = |text| detail.contains(text);
    match code {
        "WRONGTYPE" => KvdbError::WrongType,
        "BUSYKEY" => KvdbError::KeyExists,
        _ if says("no such key") => KvdbError::NoSuchKey,
        _ if says("index out of range") => KvdbError::IndexOutOfRange,
        _ if says("not an integer") => KvdbError::NotAnInteger,
        _ if says("would overflow") => KvdbError::Overflow,
        _ if says("not a number") => KvdbError::NotANumber,
        _ if says("invalid expire time") || says("Invalid TTL") => KvdbError::InvalidExpiry,
        _ if says("payload version or checksum") || says("Bad data format") => KvdbError::BadDump,
        _ if says("CONFIG SET") => KvdbError::BadSetting(detail.to_owned()),
        _ if says("policy is") => KvdbError::NotTracked,
        _ => KvdbError::Refused(format!("{code} {detail}").trim().to_owned()),
    }
}
