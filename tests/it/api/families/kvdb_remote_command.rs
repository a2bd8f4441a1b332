//! `zato.kvdb.remote-command`.

use serde_json::{Value, json};

use super::super::cases::Cases;
use crate::support::Format;
use crate::support::envelope::text;

const EXECUTE: &str = "zato.kvdb.remote-command.execute";

pub(super) fn cases(cases: &mut Cases<'_>) {
    let lines = [
        ("PING", json!(true)),
        ("ECHO hello", json!("hello")),
        ("SET greeting \"hello\"", json!(true)),
        ("get greeting", json!("hello")),
        ("GET none", json!("(None)")),
        ("TYPE greeting", json!("string")),
        ("EXISTS greeting", json!(true)),
        ("EXISTS none", json!("(None)")),
        ("EXPIRE greeting 100", json!(true)),
        ("PERSIST greeting", json!(true)),
        ("TTL greeting", json!(-1)),
        ("INCR count", json!(1)),
        ("DECR count", json!("(None)")),
        ("INCRBY count 5", json!(5)),
        ("KEYS c*", json!("['count']")),
        ("KEYS none", json!("(None)")),
        ("HSET hash k it's", json!(1)),
        ("HGETALL hash", json!("{'k': \"it's\"}")),
        ("HKEYS hash", json!("['k']")),
        ("HVALS hash", json!("[\"it's\"]")),
        ("HLEN hash", json!("1")),
        ("HEXISTS hash k", json!(true)),
        ("LPUSH list b a", json!(2)),
        ("LRANGE list 0 -1", json!("['a', 'b']")),
        ("LLEN list", json!("2")),
        ("LPOP list", json!("a")),
        ("SADD set b a", json!(2)),
        ("SMEMBERS set", json!("set(['a', 'b'])")),
        ("SISMEMBER set a", json!(true)),
        ("ZADD sorted 2 b 1 a", json!(2)),
        ("RENAME greeting salutation", json!(true)),
        ("RENAMENX salutation count", json!("(None)")),
        ("DBSIZE", json!(6)),
        ("DEL salutation none", json!(1)),
        ("CONFIG RESETSTAT", json!(true)),
    ];
    for (line, result) in lines {
        cases.item(EXECUTE, &json!({"command": line}), &json!({"result": result}));
    }
    let result =
        |cases: &mut Cases<'_>, line: &str| cases.call(EXECUTE, &json!({"command": line}))["result"].take();
    let dump = text(&result(cases, "DUMP hash"));
    cases.item(EXECUTE, &json!({"command": format!("RESTORE copy 0 {dump}")}), &json!({"result": true}));
    cases.item(EXECUTE, &json!({"command": "HGET copy k"}), &json!({"result": "it's"}));
    let structured = [("ZRANGE sorted 0 -1", json!(["a", "b"])), ("MGET count none", json!(["5", null]))];
    for (line, expected) in structured {
        let found = result(cases, line);
        if cases.format == Format::Json {
            assert_eq!(found, expected, "{line}");
        }
    }
    let (info, settings, time) =
        (result(cases, "INFO"), result(cases, "CONFIG GET databases"), result(cases, "TIME"));
    if cases.format == Format::Json {
        assert!(info["db0"]["keys"].as_i64() > Some(0) && info["process_id"].is_i64(), "{info}");
        assert!(settings["databases"].is_string(), "{settings}");
        assert!(
            time.as_array().is_some_and(|parts| parts.len() == 2 && parts.iter().all(Value::is_i64)),
            "{time}"
        );
    }

    cases.fails(EXECUTE, &json!({"command": ""}), 400, &["No command sent"]);
    for line in [
        "FLUSHALL",
        "nonsense",
        "getx a",
        "GET",
        "EXPIRE count x",
        "HGET count k",
        "LSET none 0 x",
        "INCR hash",
    ] {
        cases.fails(
            EXECUTE,
            &json!({"command": line}),
            400,
            &[&format!("Command parsing error, command:[{line}], e:[")],
        );
    }
    cases.item(EXECUTE, &json!({"command": "FLUSHDB"}), &json!({"result": true}));
    cases.item(EXECUTE, &json!({"command": "KEYS *"}), &json!({"result": "(None)"}));
}
