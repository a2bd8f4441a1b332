//! The key/value store as operators meet it: Redis with a password, away, and back.

use serde_json::json;
use zato_kvdb::test_util::RedisServer;

use crate::support::Launch;

const EXECUTE: &str = "zato.kvdb.remote-command.execute";

#[test]
fn a_server_starts_without_redis_and_finds_it_later() {
    let mut redis = RedisServer::start(&["--requirepass", "s3cr3t-kvdb"]);
    redis.kill();
    let url = format!("redis://:s3cr3t-kvdb@127.0.0.1:{}/3", redis.port());
    let server = Launch::new().variable("ZATO_KVDB", url).start();
    server.keep_secret("s3cr3t-kvdb");
    let api = server.api();
    let away = &["unavailable"];
    api.call(EXECUTE, &json!({"command": "GET key"})).error(503, away);
    api.call("zato.kvdb.data-dict.dictionary.get-list", &json!({})).error(503, away);
    api.call("zato.ping", &json!({})).ok();
    assert!(server.log().contains("the key/value store does not answer"), "{}", server.log());

    for _ in 0..2 {
        redis.restart();
        assert_eq!(api.call(EXECUTE, &json!({"command": "SET key value"})).ok()["result"], json!(true));
        assert_eq!(api.call(EXECUTE, &json!({"command": "GET key"})).ok()["result"], json!("value"));
        redis.kill();
        api.call(EXECUTE, &json!({"command": "GET key"})).error(503, away);
    }
}

#[test]
fn servers_share_what_is_in_redis() {
    let redis = RedisServer::start(&[]);
    let servers = [1, 2].map(|_| Launch::new().flag("--kvdb", redis.url(0)).start());
    let entry = json!({"system": "CRM", "key": "currency", "value": "EUR"});
    servers[0].api().call("zato.kvdb.data-dict.dictionary.create", &entry).ok();
    let list = servers[1].api().call("zato.kvdb.data-dict.dictionary.get-list", &json!({})).ok();
    assert_eq!(list[0]["value"], json!("EUR"));
    servers[1].api().call("zato.kvdb.data-dict.dictionary.create", &entry).error(409, &["already exists"]);
}
