//! Command lines, run on both stores, which have to answer alike.

use std::collections::BTreeMap;

use zato_kvdb::test_util::RedisServer;
use zato_kvdb::{
    Administration, Command, CommandLine, Embedded, Kvdb, KvdbError, Read, Redis, RedisLocation, Reply,
    SystemClock, Write,
};

/// The lines, in this order: what one stores, later ones find.
const LINES: &str = include_str!("commands.txt");

struct Stores {
    embedded: Kvdb,
    redis: Kvdb,
    _folder: tempfile::TempDir,
    _server: RedisServer,
}

impl Stores {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = RedisServer::start(&[]);
        let store =
            Embedded::open(&folder.path().join("kvdb.redb"), std::sync::Arc::new(SystemClock)).await.unwrap();
        let location = RedisLocation::parse(&server.url(0)).unwrap();
        let redis = Kvdb::new(Redis::new(&location).unwrap());
        Self { embedded: Kvdb::new(store), redis, _folder: folder, _server: server }
    }
}

/// What a line comes to, as far as stores have to agree about it.
async fn outcome(kvdb: &Kvdb, line: &str) -> String {
    let CommandLine { name, command, .. } = match CommandLine::parse(line) {
        Ok(parsed) => parsed,
        Err(error) => return format!("not run: {error}"),
    };
    match kvdb.run(command).await {
        Ok(reply) => format!("{:?}", comparable(name, reply)),
        // The words of each store are its own.
        Err(KvdbError::Refused(_)) => "refused".to_owned(),
        Err(KvdbError::BadSetting(_)) => "bad setting".to_owned(),
        Err(error) => format!("failed: {error}"),
    }
}

fn comparable(name: &str, reply: Reply) -> Reply {
    match (name, reply) {
        // Nobody promises an order of these.
        ("KEYS" | "HKEYS" | "HVALS" | "SMEMBERS", Reply::Array(replies)) => {
            let mut texts: Vec<String> = replies.iter().map(|reply| format!("{reply:?}")).collect();
            texts.sort_unstable();
            Reply::Status(texts.join(" "))
        }
        ("HGETALL", Reply::Array(replies)) => {
            let pairs: BTreeMap<String, String> = replies
                .as_chunks::<2>()
                .0
                .iter()
                .map(|[name, value]| (format!("{name:?}"), format!("{value:?}")))
                .collect();
            Reply::Status(format!("{pairs:?}"))
        }
        // Both clocks go on between the two.
        ("PTTL", Reply::Integer(left)) if left > 0 => Reply::Integer((left + 999) / 1000),
        ("TTL", Reply::Integer(left)) if left > 0 => Reply::Integer((left + 5) / 10),
        // What each store says about itself.
        ("INFO" | "DUMP", Reply::Value(value)) => Reply::Integer((!value.is_empty()).into()),
        ("OBJECT", Reply::Value(_)) => Reply::Done,
        ("TIME" | "CONFIG", Reply::Array(replies)) => Reply::Integer(replies.len().try_into().unwrap()),
        (_, reply) => reply,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_stores_answer_alike() {
    let stores = Stores::start().await;
    let mut count = 0;
    let mut names = std::collections::BTreeSet::new();
    for line in LINES.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (embedded, redis) = (outcome(&stores.embedded, line).await, outcome(&stores.redis, line).await);
        assert_eq!(embedded, redis, "embedded and Redis: {line}");
        count += 1;
        names.extend(CommandLine::parse(line).ok().map(|parsed| parsed.name));
    }
    assert!(count >= 150, "{count} lines");
    assert_eq!(names.len(), 60, "all commands but some are among the lines: {names:?}");
}

/// An entry of each kind, with what reads it whole.
fn entries() -> Vec<(Write, Read)> {
    let key = || "key".to_owned();
    let many = || (0..300_u16).map(|n| n.to_string().into_bytes());
    let score = |n: u16| (f64::from(n) / 7.0, n.to_be_bytes().to_vec());
    let fields = [1, 300_u16].map(|count| {
        let fields = many().take(count.into()).map(|field| (field.clone(), field));
        (Write::HashSet(key(), fields.collect()), Read::HashGetAll(key()))
    });
    let mut entries: Vec<(Write, Read)> = Vec::from(fields);
    for value in [&b"text"[..], b"", b"12", b"-3", b"1000", b"-70000", b"99999999999", &[0xff; 20000]] {
        entries.push((Write::set("key", value, None).unwrap(), Read::Get(key())));
    }
    entries.push((
        Write::ListPush(key(), zato_kvdb::End::Back, many().collect()),
        Read::ListRange(key(), 0, -1),
    ));
    entries.push((Write::SetAdd(key(), many().collect()), Read::SetMembers(key())));
    let scores =
        (0..300).map(score).chain([(f64::INFINITY, b"inf".to_vec()), (f64::NEG_INFINITY, b"-inf".to_vec())]);
    entries.push((
        Write::SortedSetAdd(key(), scores.collect(), zato_kvdb::ScoreOptions::default()),
        Read::SortedSetRangeWithScores(key(), 0, -1),
    ));
    entries
}

/// What a read finds, in an order that does not depend on the store.
async fn found(kvdb: &Kvdb, read: &Read) -> Vec<String> {
    let reply = kvdb.run(Command::Read(read.clone())).await.unwrap();
    let Reply::Array(replies) = reply else { return vec![format!("{reply:?}")] };
    let mut texts: Vec<String> = replies.iter().map(|reply| format!("{reply:?}")).collect();
    texts.sort_unstable();
    texts
}

async fn copy(from: &Kvdb, to: &Kvdb) -> Result<Reply, KvdbError> {
    let dump = from.run(Read::Dump("key".to_owned()).into()).await.unwrap();
    let Reply::Value(dump) = dump else { panic!("{dump:?}") };
    to.run(Write::Restore { key: "key".to_owned(), expiry: None, dump, replace: true }.into()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_dumped_is_restored_elsewhere() {
    let stores = Stores::start().await;
    for (write, read) in entries() {
        stores.embedded.delete("key").await.unwrap();
        stores.embedded.run(write.into()).await.unwrap();
        let expected = found(&stores.embedded, &read).await;
        copy(&stores.embedded, &stores.redis).await.unwrap();
        assert_eq!(found(&stores.redis, &read).await, expected, "in Redis");
        stores.embedded.delete("key").await.unwrap();
        // Redis packs small collections and long values in ways that are not read here, and are refused whole.
        match copy(&stores.redis, &stores.embedded).await {
            Ok(_) => assert_eq!(found(&stores.embedded, &read).await, expected, "back again"),
            Err(error) => assert!(matches!(error, KvdbError::BadDump), "{error:?}"),
        }
    }
    stores.redis.set("key", b"-70000", None).await.unwrap();
    copy(&stores.redis, &stores.embedded).await.unwrap();
    assert_eq!(stores.embedded.get("key").await.unwrap().as_deref(), Some(b"-70000".as_slice()));
}

#[tokio::test]
async fn the_embedded_store_tells_of_itself() {
    let folder = tempfile::tempdir().unwrap();
    let store =
        Embedded::open(&folder.path().join("kvdb.redb"), std::sync::Arc::new(SystemClock)).await.unwrap();
    let kvdb = Kvdb::new(store);
    let ask = async |line: &str| match kvdb.run(CommandLine::parse(line).unwrap().command).await {
        Ok(Reply::Value(value)) => String::from_utf8(value).unwrap(),
        Ok(reply) => format!("{reply:?}"),
        Err(error) => error.to_string(),
    };
    kvdb.set("one", b"1", None).await.unwrap();
    kvdb.set("two", b"2", Some(std::time::Duration::from_secs(60))).await.unwrap();
    let info = ask("INFO").await;
    for part in [
        "# Server\r\n",
        "zato_kvdb_version:",
        "# Keyspace\r\ndb0:keys=2,expires=1\r\n",
        "total_commands_processed:3\r\n",
    ] {
        assert!(info.contains(part), "{part} in {info}");
    }
    assert_eq!(ask("INFO keyspace").await, "# Keyspace\r\ndb0:keys=2,expires=1\r\n");
    assert_eq!(ask("CONFIG RESETSTAT").await, "Done");
    assert!(ask("INFO stats").await.contains("total_commands_processed:1\r\n"));
    assert!(ask("CONFIG GET sweep*").await.contains(&format!("{:?}", b"60")));
    assert_eq!(ask("CONFIG SET sweep-interval 5").await, "Done");
    assert!(ask("CONFIG GET SWEEP-INTERVAL").await.contains(&format!("{:?}", b"5")));
    for line in
        ["CONFIG SET sweep-interval 0", "CONFIG SET databases 2", "CONFIG SET sweep-interval 7 nonsense 1"]
    {
        assert!(ask(line).await.starts_with("the setting does not exist"), "{line}");
    }
    assert!(ask("CONFIG GET sweep-interval").await.contains(&format!("{:?}", b"5")));
    assert_eq!(ask("OBJECT ENCODING one").await, "raw");
    let Ok(Reply::Array(time)) = kvdb.run(Administration::Time.into()).await else { panic!() };
    assert_eq!(time.len(), 2);
}
