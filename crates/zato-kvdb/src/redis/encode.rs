//! Commands in the words of Redis.
//!
//! Owns the names and the order of arguments. It must not know what commands do.

use redis::{Arg, Cmd, ToRedisArgs, cmd};

use crate::command::{
    Administration, Comparison, End, Expiry, Inspection, Read, ScoreOptions, Selection, SetOptions, Unit,
    Write,
};

fn command(name: &str, arguments: impl ToRedisArgs) -> Cmd {
    let mut command = cmd(name);
    command.arg(arguments);
    command
}

pub(super) fn read(read: &Read) -> Cmd {
    match read {
        Read::Get(key) => command("GET", key),
        Read::GetMany(keys) => command("MGET", keys),
        Read::Exists(keys) => command("EXISTS", keys),
        Read::Lifetime(key, Unit::Seconds) => command("TTL", key),
        Read::Lifetime(key, Unit::Milliseconds) => command("PTTL", key),
        Read::Kind(key) => command("TYPE", key),
        Read::Keys(pattern) => command("KEYS", pattern),
        Read::RandomKey => cmd("RANDOMKEY"),
        Read::Count => cmd("DBSIZE"),
        Read::Dump(key) => command("DUMP", key),
        Read::Inspect(what, key) => {
            let what = match what {
                Inspection::Encoding => "ENCODING",
                Inspection::Frequency => "FREQ",
                Inspection::IdleTime => "IDLETIME",
                Inspection::References => "REFCOUNT",
            };
            command("OBJECT", (what, key))
        }
        Read::HashGet(key, field) => command("HGET", (key, field)),
        Read::HashGetAll(key) => command("HGETALL", key),
        Read::HashFields(key) => command("HKEYS", key),
        Read::HashValues(key) => command("HVALS", key),
        Read::HashLength(key) => command("HLEN", key),
        Read::HashContains(key, field) => command("HEXISTS", (key, field)),
        Read::ListRange(key, start, stop) => command("LRANGE", (key, start, stop)),
        Read::ListLength(key) => command("LLEN", key),
        Read::SetMembers(key) => command("SMEMBERS", key),
        Read::SetContains(key, member) => command("SISMEMBER", (key, member)),
        Read::SortedSetRange(key, start, stop) => command("ZRANGE", (key, start, stop)),
        Read::SortedSetRangeWithScores(key, start, stop) => {
            command("ZRANGE", (key, start, stop, "WITHSCORES"))
        }
        Read::SortedSetReverseRange(key, start, stop) => command("ZREVRANGE", (key, start, stop)),
        Read::SortedSetReverseRangeWithScores(key, start, stop) => {
            command("ZREVRANGE", (key, start, stop, "WITHSCORES"))
        }
    }
}

pub(super) fn write(write: &Write) -> Cmd {
    match write {
        Write::Set(key, value, options) => set(key, value, *options),
        Write::SetMany(entries) => command("MSET", entries),
        Write::SetManyIfAbsent(entries) => command("MSETNX", entries),
        Write::Increment(key, by) => command("INCRBY", (key, by)),
        Write::Delete(keys) => command("DEL", keys),
        Write::Expire(key, expiry, selected, compared) => {
            let mut command = match expiry {
                Expiry::In(time) => command("PEXPIRE", (key, time)),
                Expiry::At(time) => command("PEXPIREAT", (key, time)),
            };
            // The words mean here whether the key has an expiry, which is what is selected by.
            select(&mut command, *selected);
            compare(&mut command, *compared);
            command
        }
        Write::Persist(key) => command("PERSIST", key),
        Write::Rename(from, to) => command("RENAME", (from, to)),
        Write::RenameIfAbsent(from, to) => command("RENAMENX", (from, to)),
        Write::Restore { key, expiry, dump, replace } => {
            let (time, absolute) = match expiry {
                None => (0, false),
                Some(Expiry::In(time)) => (*time, false),
                Some(Expiry::At(time)) => (*time, true),
            };
            let mut command = command("RESTORE", (key, time, dump));
            if *replace {
                command.arg("REPLACE");
            }
            if absolute {
                command.arg("ABSTTL");
            }
            command
        }
        Write::Flush => cmd("FLUSHDB"),
        Write::HashSet(key, fields) => command("HSET", (key, fields)),
        Write::HashSetIfAbsent(key, field, value) => command("HSETNX", (key, field, value)),
        Write::HashDelete(key, fields) => command("HDEL", (key, fields)),
        Write::HashIncrement(key, field, by) => command("HINCRBY", (key, field, by)),
        Write::ListPush(key, End::Front, values) => command("LPUSH", (key, values)),
        Write::ListPush(key, End::Back, values) => command("RPUSH", (key, values)),
        Write::ListPushIfPresent(key, End::Front, values) => command("LPUSHX", (key, values)),
        Write::ListPushIfPresent(key, End::Back, values) => command("RPUSHX", (key, values)),
        Write::ListPop(key, end) => command(pop(*end), key),
        Write::ListPopMany(key, end, count) => command(pop(*end), (key, count)),
        Write::ListRemove(key, count, value) => command("LREM", (key, count, value)),
        Write::ListSet(key, index, value) => command("LSET", (key, index, value)),
        Write::ListTrim(key, start, stop) => command("LTRIM", (key, start, stop)),
        Write::SetAdd(key, members) => command("SADD", (key, members)),
        Write::SetRemove(key, members) => command("SREM", (key, members)),
        Write::SortedSetAdd(key, members, options) => {
            let mut command = command("ZADD", key);
            score_options(&mut command, *options);
            for (score, member) in members {
                command.arg(score).arg(member);
            }
            command
        }
        Write::SortedSetIncrement(key, by, member, options) => {
            let mut command = command("ZADD", key);
            score_options(&mut command, *options);
            command.arg("INCR").arg(by).arg(member);
            command
        }
        Write::SortedSetRemove(key, members) => command("ZREM", (key, members)),
        Write::SortedSetRemoveRange(key, start, stop) => command("ZREMRANGEBYRANK", (key, start, stop)),
    }
}

pub(super) fn administration(administration: &Administration) -> Cmd {
    match administration {
        Administration::Ping(None) => cmd("PING"),
        Administration::Ping(Some(value)) => command("PING", value),
        Administration::Echo(value) => command("ECHO", value),
        Administration::Time => cmd("TIME"),
        Administration::Info(sections) => command("INFO", sections),
        Administration::ConfigGet(patterns) => command("CONFIG", ("GET", patterns)),
        Administration::ConfigSet(settings) => command("CONFIG", ("SET", settings)),
        Administration::ConfigResetStatistics => command("CONFIG", "RESETSTAT"),
        Administration::ConfigRewrite => command("CONFIG", "REWRITE"),
    }
}

/// The words of a command, its name first.
pub(super) fn words(command: &Cmd) -> impl Iterator<Item = &[u8]> {
    command.args_iter().filter_map(|argument| match argument {
        Arg::Simple(word) => Some(word),
        _ => None,
    })
}

fn set(key: &str, value: &[u8], options: SetOptions) -> Cmd {
    let SetOptions { selection, expiry, keep_expiry, return_old } = options;
    let mut command = command("SET", (key, value));
    select(&mut command, selection);
    if return_old {
        command.arg("GET");
    }
    match expiry {
        Some(Expiry::In(time)) => command.arg("PX").arg(time),
        Some(Expiry::At(time)) => command.arg("PXAT").arg(time),
        None if keep_expiry => command.arg("KEEPTTL"),
        None => &mut command,
    };
    command
}

fn score_options(command: &mut Cmd, options: ScoreOptions) {
    select(command, options.selection);
    compare(command, options.comparison);
    if options.count_changed {
        command.arg("CH");
    }
}

fn select(command: &mut Cmd, selection: Selection) {
    match selection {
        Selection::Any => {}
        Selection::Absent => {
            command.arg("NX");
        }
        Selection::Present => {
            command.arg("XX");
        }
    }
}

fn compare(command: &mut Cmd, comparison: Comparison) {
    match comparison {
        Comparison::Any => {}
        Comparison::Greater => {
            command.arg("GT");
        }
        Comparison::Less => {
            command.arg("LT");
        }
    }
}

fn pop(end: End) -> &'static str {
    match end {
        End::Front => "LPOP",
        End::Back => "RPOP",
    }
}
