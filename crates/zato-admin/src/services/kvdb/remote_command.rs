//! `zato.kvdb.remote-command`: commands for the store, as lines of text.
//!
//! Owns how answers are shown, which is how the Python client of Redis gave them and Zato printed them. It must not know
//! what commands do.

use serde_json::{Map, Value, json};
use zato_catalogue::kvdb::remote_command::execute;
use zato_kvdb::escape::escaped;
use zato_kvdb::{CommandError, CommandLine, Reply};
use zato_service::{Context, Error, ErrorKind};

use super::kind;
use crate::{Admin, Handle};

/// What is shown instead of nothing: no value, zero, an empty text or an empty list.
const NOTHING: &str = "(None)";

/// Commands whose answer tells whether something is or was so.
const QUESTIONS: &[&str] = &[
    "EXISTS",
    "EXPIRE",
    "EXPIREAT",
    "HEXISTS",
    "HSETNX",
    "MSETNX",
    "PERSIST",
    "PEXPIRE",
    "PEXPIREAT",
    "RENAMENX",
    "SISMEMBER",
];

impl Handle for execute::Request {
    async fn handle(self, cx: &mut Context, _: &Admin) -> Result<execute::Response, Error> {
        let line = match CommandLine::parse(&self.command) {
            Ok(line) => line,
            Err(error @ CommandError::Missing) => return Err(Error::bad_request(error.to_string())),
            Err(error) => return Err(failure(ErrorKind::BadRequest, &self.command, &error)),
        };
        let reply = cx.kvdb().run(line.command).await;
        let reply = reply.map_err(|error| {
            let failed = failure(kind(&error), &self.command, &error);
            match std::error::Error::source(&error) {
                Some(_) => failed.with_source(error),
                None => failed,
            }
        })?;
        Ok(execute::Response { result: shown(line.name, reply) })
    }
}

fn failure(kind: ErrorKind, command: &str, error: &dyn std::error::Error) -> Error {
    Error::new(kind, format!("Command parsing error, command:[{command}], e:[{error}]"))
}

fn shown(name: &str, reply: Reply) -> Value {
    match (name, reply) {
        (_, Reply::Nil | Reply::Integer(0)) => NOTHING.into(),
        (_, Reply::Value(value)) if value.is_empty() => NOTHING.into(),
        (_, Reply::Array(replies)) if replies.is_empty() => NOTHING.into(),
        ("KEYS" | "HKEYS" | "HVALS" | "LRANGE", Reply::Array(replies)) => {
            format!("[{}]", literals(replies).join(", ")).into()
        }
        ("SMEMBERS", Reply::Array(replies)) => {
            let mut members = literals(replies);
            members.sort_unstable();
            format!("set([{}])", members.join(", ")).into()
        }
        ("HGETALL", Reply::Array(replies)) => {
            let mut pairs: Vec<String> = pairs(replies)
                .map(|(field, value)| format!("{}: {}", escaped(&field), escaped(&value)))
                .collect();
            pairs.sort_unstable();
            format!("{{{}}}", pairs.join(", ")).into()
        }
        ("HLEN" | "LLEN", Reply::Integer(length)) => length.to_string().into(),
        // Without spaces, which would take it apart when it is given to RESTORE.
        ("DUMP", Reply::Value(dump)) => escaped(&dump).replace(' ', "\\x20").into(),
        ("INFO", Reply::Value(facts)) => info(&text(facts)),
        ("CONFIG", Reply::Array(replies)) => {
            Value::Object(pairs(replies).map(|(name, value)| (text(name), text(value).into())).collect())
        }
        ("TIME", Reply::Array(replies)) => {
            Value::Array(bytes(replies).map(|part| number_or_text(&text(part))).collect())
        }
        ("PING", Reply::Status(_)) | (_, Reply::Done) => true.into(),
        (name, Reply::Integer(_)) if QUESTIONS.contains(&name) => true.into(),
        (_, reply) => plain(reply),
    }
}

fn plain(reply: Reply) -> Value {
    match reply {
        Reply::Done => true.into(),
        Reply::Status(word) => word.into(),
        Reply::Integer(number) => number.into(),
        Reply::Value(value) => text(value).into(),
        Reply::Array(replies) => replies.into_iter().map(plain).collect(),
        _ => Value::Null,
    }
}

/// The facts of a store: numbers as numbers, and those that consist of several as objects.
fn info(facts: &str) -> Value {
    let lines = facts.lines().filter(|line| !line.starts_with('#'));
    let fact = |line: &str| {
        let (name, value) = line.split_once(':')?;
        let parts: Option<Map<String, Value>> = value
            .split(',')
            .map(|part| {
                let (name, value) = part.split_once('=')?;
                Some((name.to_owned(), number_or_text(value)))
            })
            .collect();
        Some((name.to_owned(), parts.map_or_else(|| number_or_text(value), Value::Object)))
    };
    Value::Object(lines.filter_map(fact).collect())
}

fn number_or_text(text: &str) -> Value {
    let integer = text.parse::<i64>().map(Value::from);
    let number = || text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| json!(number));
    integer.ok().or_else(number).unwrap_or_else(|| text.into())
}

fn literals(replies: Vec<Reply>) -> Vec<String> {
    bytes(replies).map(|value| escaped(&value)).collect()
}

fn pairs(replies: Vec<Reply>) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    let mut values = bytes(replies);
    std::iter::from_fn(move || Some((values.next()?, values.next()?)))
}

fn bytes(replies: Vec<Reply>) -> impl Iterator<Item = Vec<u8>> {
    replies.into_iter().filter_map(|reply| match reply {
        Reply::Value(value) => Some(value),
        _ => None,
    })
}

/// Values need not be text, which the messages of services are made of.
fn text(value: Vec<u8>) -> String {
    String::from_utf8(value).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(values: &[&str]) -> Reply {
        Reply::Array(values.iter().map(|value| Reply::Value(value.as_bytes().to_owned())).collect())
    }

    #[track_caller]
    fn check(name: &str, reply: Reply, expected: &Value) {
        assert_eq!(shown(name, reply), *expected, "{name}");
    }

    #[test]
    fn nothing_is_shown_as_such() {
        for nothing in [Reply::Nil, Reply::Integer(0), Reply::Value(Vec::new()), Reply::Array(Vec::new())] {
            for name in ["GET", "EXISTS", "KEYS", "HGETALL", "TTL", "LLEN", "INFO", "MGET"] {
                check(name, nothing.clone(), &json!("(None)"));
            }
        }
    }

    #[test]
    fn answers_are_shown_as_documented() {
        check("KEYS", values(&["a", "it's"]), &json!("['a', \"it's\"]"));
        check("LRANGE", values(&["b", "a\n"]), &json!("['b', 'a\\n']"));
        check("SMEMBERS", values(&["b", "a"]), &json!("set(['a', 'b'])"));
        check("HGETALL", values(&["k", "v", "a", "ż"]), &json!("{'a': '\\xc5\\xbc', 'k': 'v'}"));
        check("HLEN", Reply::Integer(2), &json!("2"));
        check("DUMP", Reply::Value(b"\0\x01 \xff".to_vec()), &json!("'\\x00\\x01\\x20\\xff'"));
        check("GET", Reply::Value("ż".into()), &json!("ż"));
        check("TYPE", Reply::Status("hash".into()), &json!("hash"));
        check("INCR", Reply::Integer(-5), &json!(-5));
        check("SET", Reply::Done, &json!(true));
        check("PING", Reply::Status("PONG".into()), &json!(true));
        check("PING", Reply::Value(b"hello".to_vec()), &json!("hello"));
        check("EXISTS", Reply::Integer(1), &json!(true));
        check("DEL", Reply::Integer(1), &json!(1));
        check("MGET", Reply::Array(vec![Reply::Value(b"a".to_vec()), Reply::Nil]), &json!(["a", null]));
        check("ZRANGE", values(&["a", "1.5"]), &json!(["a", "1.5"]));
        check("TIME", values(&["1700000000", "5"]), &json!([1_700_000_000, 5]));
        check("CONFIG", values(&["databases", "16"]), &json!({"databases": "16"}));
        let info = "# Server\r\nversion:7.0.15\r\nload:1.5\r\n\r\n# Keyspace\r\ndb0:keys=2,expires=1\r\n";
        let expected = json!({"version": "7.0.15", "load": 1.5, "db0": {"keys": 2, "expires": 1}});
        check("INFO", Reply::Value(info.into()), &expected);
    }
}
