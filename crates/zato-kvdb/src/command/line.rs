//! Command lines.
//!
//! Owns how a line is taken apart: the command at its beginning, and the words after it. It must not know what a command
//! does with its words.
//!
//! The form is that of Zato's remote commands. A command is known by the beginning of the line, in any case. Words are
//! made of printable ASCII characters; the first other one ends the line, and what follows is ignored. There are no
//! quotes, but for a pair of double ones around all words of the value, which is taken off.

use super::parse::CommandError;

/// The commands that may be given.
pub(super) const ALLOWED: &[&str] = &[
    "CONFIG",
    "DBSIZE",
    "DECR",
    "DECRBY",
    "DEL",
    "DUMP",
    "ECHO",
    "EXISTS",
    "EXPIRE",
    "EXPIREAT",
    "FLUSHDB",
    "GET",
    "HDEL",
    "HEXISTS",
    "HGET",
    "HGETALL",
    "HINCRBY",
    "HKEYS",
    "HLEN",
    "HSET",
    "HSETNX",
    "HVALS",
    "INCR",
    "INCRBY",
    "INFO",
    "KEYS",
    "LLEN",
    "LPOP",
    "LPUSH",
    "LPUSHX",
    "LRANGE",
    "LREM",
    "LSET",
    "LTRIM",
    "MGET",
    "MSET",
    "MSETNX",
    "OBJECT",
    "PERSIST",
    "PEXPIRE",
    "PEXPIREAT",
    "PING",
    "PSETEX",
    "PTTL",
    "RANDOMKEY",
    "RENAME",
    "RENAMENX",
    "RESTORE",
    "RPOP",
    "SADD",
    "SET",
    "SISMEMBER",
    "SMEMBERS",
    "SREM",
    "TIME",
    "TTL",
    "TYPE",
    "ZADD",
    "ZRANGE",
    "ZREM",
];

/// A line taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line<'l> {
    pub(super) name: &'static str,
    pub(super) words: Vec<&'l str>,
}

impl<'l> Line<'l> {
    /// Takes a line apart.
    pub(super) fn split(line: &'l str) -> Result<Self, CommandError> {
        let line = line.trim_start_matches(is_space);
        if line.is_empty() {
            return Err(CommandError::Missing);
        }
        let begins = |name: &&&str| {
            line.get(..name.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(name))
        };
        let name =
            ALLOWED.iter().filter(begins).max_by_key(|name| name.len()).ok_or(CommandError::Unknown)?;
        let rest = &line[name.len()..];
        // What continues the name without a space is no word, and there are none after it.
        let rest = if rest.starts_with(is_space) { rest } else { "" };
        let end = rest.find(|c: char| !(is_space(c) || c.is_ascii_graphic())).unwrap_or(rest.len());
        let mut words: Vec<&str> = rest[..end].split(is_space).filter(|word| !word.is_empty()).collect();
        strip_quotes(&mut words);
        Ok(Self { name, words })
    }
}

/// Takes a pair of double quotes off: those around the only word, or those that begin the second word and end the last.
fn strip_quotes(words: &mut [&str]) {
    let (first, last) = match words.len() {
        0 => return,
        1 => (0, 0),
        length => (1, length - 1),
    };
    if first == last {
        if let Some(inner) = words[first].strip_prefix('"').and_then(|word| word.strip_suffix('"')) {
            words[first] = inner;
        }
    } else if let (Some(beginning), Some(end)) =
        (words[first].strip_prefix('"'), words[last].strip_suffix('"'))
    {
        words[first] = beginning;
        words[last] = end;
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(line: &str, name: &str, words: &[&str]) {
        let found = Line::split(line).unwrap();
        assert_eq!((found.name, found.words.as_slice()), (name, words), "{line:?}");
    }

    #[test]
    fn lines_are_taken_apart() {
        check("GET a", "GET", &["a"]);
        check("  \t get \n  a\r\n", "GET", &["a"]);
        check("DecrBy n 5", "DECRBY", &["n", "5"]);
        check("decr n", "DECR", &["n"]);
        check("PING", "PING", &[]);
        check("getx a", "GET", &[]);
        check("SETNX a b", "SET", &[]);
        check("hsetnx h f v", "HSETNX", &["h", "f", "v"]);
        check("GET ~!@#$%^&*()_+{}|:<>?[];',./\\`-=", "GET", &["~!@#$%^&*()_+{}|:<>?[];',./\\`-="]);
        check("GET a\u{17c}b c", "GET", &["a"]);
        check("GET \u{17c} c", "GET", &[]);
        check("SET a b\u{0}c", "SET", &["a", "b"]);
        check("GET\u{17c} a", "GET", &[]);
    }

    #[test]
    fn quotes_are_taken_off_at_one_place() {
        check("GET \"a\"", "GET", &["a"]);
        check("GET 'a'", "GET", &["'a'"]);
        check("GET \"", "GET", &["\""]);
        check("GET \"\"", "GET", &[""]);
        check("SET \"a\" b", "SET", &["\"a\"", "b"]);
        check("SET a \"b\"", "SET", &["a", "b"]);
        check("SET a \"b c\"", "SET", &["a", "b", "c"]);
        check("SET a \"b c", "SET", &["a", "\"b", "c"]);
        check("SET a \"", "SET", &["a", "\""]);
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for line in ["", "  ", "\n\t"] {
            assert!(matches!(Line::split(line), Err(CommandError::Missing)), "{line:?}");
        }
        for line in
            ["FLUSHALL", "EVAL x 0", "SHUTDOWN", "SUBSCRIBE a", "RPUSH a b", "nonsense", "\u{17c}", "GE"]
        {
            assert!(matches!(Line::split(line), Err(CommandError::Unknown)), "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn any_line_can_be_tried(line in any::<String>()) {
            if let Ok(Line { words, .. }) = Line::split(&line) {
                for word in words {
                    prop_assert!(word.bytes().all(|byte| byte.is_ascii_graphic()), "{word:?}");
                }
            }
        }

        #[test]
        fn words_are_found(
            name in prop::sample::select(ALLOWED),
            words in prop::collection::vec("[!#-~]{1,10}", 0..6),
            space in "[ \t\r\n]{1,3}",
        ) {
            let line = format!("{space}{}{space}{}", name.to_lowercase(), words.join(&space));
            let found = Line::split(&line).unwrap();
            prop_assert_eq!(found.name, name);
            prop_assert_eq!(found.words, words);
        }
    }
}
