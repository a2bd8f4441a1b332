//! The store that is a Redis server.
//!
//! Owns how commands get there and back: that each is sent once, when it is safe to send one again, and that transactions
//! are transactions. It must not know what commands mean: Redis does.

mod connection;
mod decode;
mod encode;
mod location;

use redis::{Cmd, RedisError, Script};

pub use self::location::{InvalidLocation, RedisLocation};

use self::connection::Connections;
use self::decode::{Failure, reply, scripted};
use crate::command::{Administration, Read, Write};
use crate::error::KvdbError;
use crate::key_value::{Condition, KeyValue, Outcome, Written};
use crate::reply::Reply;

/// Runs commands if conditions hold. A script, because a transaction of Redis can only depend on what its connection has
/// read before, and all callers share one connection.
///
/// Each answer comes with a number that says whether it is one or the text of an error, which a script could not return
/// otherwise without failing as a whole.
const CONDITIONAL: &str = r"
local at = 0
local function word()
    at = at + 1
    return ARGV[at]
end
for _ = 1, tonumber(word()) do
    local key, must_exist, expected = word(), word(), word()
    local found = redis.pcall('GET', key)
    if type(found) == 'table' then return false end
    if found and (must_exist == '0' or found ~= expected) then return false end
    if not found and must_exist == '1' then return false end
end
local replies = {}
for n = 1, tonumber(word()) do
    local command = {}
    for m = 1, tonumber(word()) do command[m] = word() end
    local reply = redis.pcall(unpack(command))
    if type(reply) == 'table' and reply.err then
        replies[n] = {0, reply.err}
    else
        replies[n] = {1, reply}
    end
end
return replies
";

/// A key/value store in a Redis server, of version 6 or later. Clones share it and its one connection, which is made anew
/// when it was lost.
#[derive(Clone, Debug)]
pub struct Redis {
    connections: Connections,
}

impl Redis {
    /// A store at a location. Nothing is sent there yet: a server that is away is tried again with every command.
    ///
    /// # Errors
    /// [`KvdbError::Refused`] if the location is one that TLS can't be set up for.
    pub fn new(location: &RedisLocation) -> Result<Self, KvdbError> {
        let connections = Connections::new(location).map_err(|error| Failure::from(error).into_error())?;
        Ok(Self { connections })
    }

    /// Runs a command. One that only reads is sent again, once, if the connection was lost under it.
    async fn run(&self, command: &Cmd, again: bool) -> Result<Reply, KvdbError> {
        let run = async |mut connection| command.query_async(&mut connection).await;
        let mut result = self.connections.with(run).await;
        if again && result.as_ref().is_err_and(RedisError::is_connection_dropped) {
            result = self.connections.with(run).await;
        }
        reply(result.map_err(|error| Failure::from(error).into_error())?)
    }

    async fn transaction(&self, writes: &[Write]) -> Result<Written, KvdbError> {
        let mut pipeline = redis::pipe();
        pipeline.atomic().ignore_errors();
        for write in writes {
            pipeline.add_command(encode::write(write));
        }
        let run = async |mut connection| pipeline.query_async(&mut connection).await;
        let results: Vec<Result<redis::Value, RedisError>> =
            self.connections.with(run).await.map_err(|error| Failure::from(error).into_error())?;
        let one = |result: Result<_, RedisError>| {
            result.map_err(|error| Failure::from(error).into_error()).and_then(reply)
        };
        Ok(Some(results.into_iter().map(one).collect()))
    }

    async fn conditional(&self, conditions: &[Condition], writes: &[Write]) -> Result<Written, KvdbError> {
        let script = Script::new(CONDITIONAL);
        let mut invocation = script.prepare_invoke();
        invocation.arg(conditions.len());
        for Condition::ValueIs(key, value) in conditions {
            invocation.arg(key).arg(i32::from(value.is_some())).arg(value.as_deref().unwrap_or_default());
        }
        invocation.arg(writes.len());
        for write in writes {
            let command = encode::write(write);
            let words: Vec<&[u8]> = encode::words(&command).collect();
            invocation.arg(words.len()).arg(words);
        }
        let run = async |mut connection| invocation.invoke_async(&mut connection).await;
        scripted(self.connections.with(run).await.map_err(|error| Failure::from(error).into_error())?)
    }
}

impl KeyValue for Redis {
    fn read(&self, command: Read) -> Outcome<'_, Reply> {
        let command = encode::read(&command);
        Box::pin(async move { self.run(&command, true).await })
    }

    fn write(&self, command: Write) -> Outcome<'_, Reply> {
        let command = encode::write(&command);
        Box::pin(async move { self.run(&command, false).await })
    }

    fn transact(&self, conditions: Vec<Condition>, writes: Vec<Write>) -> Outcome<'_, Written> {
        Box::pin(async move {
            if !conditions.is_empty() {
                self.conditional(&conditions, &writes).await
            } else if writes.is_empty() {
                Ok(Some(Vec::new()))
            } else {
                self.transaction(&writes).await
            }
        })
    }

    fn administer(&self, command: Administration) -> Outcome<'_, Reply> {
        let command = encode::administration(&command);
        Box::pin(async move { self.run(&command, false).await })
    }
}
