//! What is told about calls: the log, the access log, the counters.

use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Mutex, Once};

use http::StatusCode;
use http_body_util::BodyExt;
use zato_channel::{AccessEntry, AccessLog, ChannelConfig, Pages, Settings, TrustedProxies};
use zato_service::{Description, Error};

use crate::pieces;
use crate::support::{House, basic_auth, json, post, with};

thread_local! {
    /// What this thread has logged. Tests run on one thread each.
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes to the log of the thread that logs.
///
/// One subscriber for all threads, because the switches by which log lines are turned off when nobody listens are for all
/// threads, too: a subscriber for each test would miss lines whenever another test begins or ends.
struct Lines;

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts logging, if no test has, and forgets what this thread has logged so far.
fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_ansi(false)
            .with_writer(|| Lines)
            .init();
    });
    LINES.take();
}

/// What this thread has logged since the start.
fn text() -> String {
    String::from_utf8(LINES.with_borrow(Vec::clone)).unwrap()
}

/// The log lines of what is done, as text.
fn logged(done: impl FnOnce()) -> String {
    start();
    done();
    text()
}

fn house() -> House {
    let house = House::new();
    let greeter = house.greeter();
    house.put(json(1, "/json", &greeter));
    house.put(ChannelConfig {
        security: Some(basic_auth(1, "user", "S3cret")),
        ..json(2, "/guarded", &greeter)
    });
    let fails = house.service(Description::new("fails"), |_, ()| -> Result<(), Error> {
        Err(Error::internal("It failed").with_source(io::Error::other("the disk is full")))
    });
    house.put(json(3, "/fails", &fails));
    house
}

#[test]
fn every_call_leaves_a_line() {
    let house = house();
    #[track_caller]
    fn check(line: &str, cid: &str, expected: &[&str]) {
        let line = line
            .lines()
            .find(|line| line.contains(&format!("cid={cid}")))
            .unwrap_or_else(|| panic!("{line}"));
        for expected in expected {
            assert!(line.contains(expected), "{expected} is not in {line}");
        }
        assert!(line.contains("elapsed="), "{line}");
    }
    let call = |request| {
        let mut cid = String::new();
        let log = logged(|| cid = house.call(request).cid);
        (log, cid)
    };
    let (log, cid) = call(with(post("/json", r#"{"name":"Ann"}"#), "x_zato_cid", "K1 forged"));
    let fields = [
        "DEBUG",
        "caller_cid=\"K1?forged\"",
        "channel=\"channel 1\"",
        "service=\"demo.greet\"",
        "status=200",
    ];
    check(&log, &cid, &fields);

    let (log, cid) = call(with(post("/guarded", "{}"), "authorization", "Basic dXNlcjp3cm9uZw=="));
    check(&log, &cid, &[" WARN", "status=401", "denied=\"the password is wrong\"", "UNAUTHORIZED"]);
    assert!(!log.contains("S3cret") && !log.contains("dXNlcjp3cm9uZw"), "{log}");

    let (log, cid) = call(post("/fails", ""));
    check(
        &log,
        &cid,
        &["ERROR", "status=500", "It failed", "causes=\"the disk is full\"", "service=\"fails\""],
    );

    let (log, cid) = call(post("/unknown%0AFAKE", ""));
    check(&log, &cid, &[" WARN", "status=404", "path=\"/unknown%0AFAKE\""]);
    assert!(!log.lines().any(|line| line.starts_with("FAKE")), "a caller can't forge lines: {log}");
}

#[derive(Default)]
struct Recorder(Mutex<Vec<String>>);

impl AccessLog for Recorder {
    fn record(&self, entry: &AccessEntry<'_>) {
        let AccessEntry { client, channel, method, path, version, status, size, user_agent, .. } = entry;
        self.0
            .lock()
            .unwrap()
            .push(format!("{client} {channel:?} {method} {path} {version:?} {status} {size} {user_agent:?}"));
    }
}

#[test]
fn an_access_log_learns_of_every_call() {
    let mut house = house();
    let recorder = Arc::new(Recorder::default());
    house.dispatcher = house.dispatcher.clone().with_access_log(Arc::clone(&recorder) as Arc<dyn AccessLog>);
    let request = with(post("/fails?a=b", "{}"), "user-agent", "test/1");
    let reply = house.call(with(request, "x-forwarded-for", "198.51.100.1"));
    let size = reply.body.replace("CID", &reply.cid).len();
    house.call(post("/unknown", ""));
    let recorded = recorder.0.lock().unwrap();
    let [first, second] = &recorded[..] else { panic!("{recorded:?}") };
    let expected = "192.0.2.1:50000 Some(\"channel 3\") POST /fails HTTP/1.1 500";
    assert_eq!(*first, format!("{expected} Internal Server Error {size} Some(\"test/1\")"));
    assert!(second.contains(" None POST /unknown HTTP/1.1 404 Not Found "), "{second}");
}

/// Behind a trusted proxy, services and logs learn of the client and not of the proxy.
#[test]
fn clients_of_a_proxy_are_told() {
    let trusted_proxies = TrustedProxies::new(["192.0.2.1"]).unwrap();
    let mut house = House::with(Pages::new(), Settings { trusted_proxies, ..Settings::default() });
    let recorder = Arc::new(Recorder::default());
    house.dispatcher = house.dispatcher.clone().with_access_log(Arc::clone(&recorder) as Arc<dyn AccessLog>);
    let service = house.service(Description::new("peer").response_element(None::<String>), |cx, ()| {
        Ok(cx.origin().peer.map(|peer| peer.to_string()))
    });
    house.put(json(1, "/peer", &service));
    start();
    let reply = house.call(with(post("/peer", ""), "forwarded", "for=\"198.51.100.1:4711\""));
    assert_eq!(reply.body, "\"198.51.100.1:4711\"");
    let line = text();
    assert!(line.contains("client=198.51.100.1 "), "{line}");
    let reply = house.call(with(post("/peer", ""), "x-forwarded-for", "203.0.113.1, 198.51.100.2"));
    assert_eq!(reply.body, "\"198.51.100.2:0\"");
    let recorded = recorder.0.lock().unwrap();
    let clients: Vec<_> = recorded.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(clients, ["198.51.100.1:4711", "198.51.100.2:0"]);
}

#[test]
fn calls_are_counted() {
    let house = house();
    assert_eq!(house.call(post("/json", r#"{"name":"Ann"}"#)).status, StatusCode::OK);
    house.call(post("/json", "{"));
    house.call(post("/unknown", ""));
    house.call(post("/fails", ""));
    let counted = house.dispatcher.statistics().snapshot();
    assert_eq!((counted.successes, counted.client_errors, counted.server_errors), (1, 2, 1));
    assert_eq!((counted.in_flight, counted.redirections), (0, 0));
    // A client that goes away takes its call with it, whichever connection it came by.
    let dispatcher = house.dispatcher.for_connection();
    drop(dispatcher.dispatch(post("/json", "{}"), "192.0.2.1:1".parse().unwrap()));
    assert_eq!(house.dispatcher.statistics().snapshot(), counted);
}

/// What is told of a reply in pieces is told when it has ended, and of one that ends early why.
#[test]
fn a_reply_in_pieces_is_told_about_at_its_end() {
    let (mut house, _) = pieces::house();
    let recorder = Arc::new(Recorder::default());
    house.dispatcher = house.dispatcher.clone().with_access_log(Arc::clone(&recorder) as Arc<dyn AccessLog>);
    let recorded = || std::mem::take(&mut *recorder.0.lock().unwrap());
    start();
    house.runtime.block_on(async {
        let peer = "192.0.2.1:50000".parse().unwrap();
        let body = house.dispatcher.dispatch(post("/plain", "{}"), peer).await.into_body();
        assert!(recorded().is_empty() && !text().contains("a call"), "{}", text());
        let size = body.collect().await.unwrap().to_bytes().len();
        let [entry] = &recorded()[..] else { panic!("there is one entry") };
        let expected = format!("Some(\"channel 2\") POST /plain HTTP/1.1 200 OK {size} None");
        assert!(entry.ends_with(&expected), "{entry}");
        assert!(text().contains("a call"), "{}", text());

        start();
        let mut body = house.dispatcher.dispatch(post("/plain", "{}"), peer).await.into_body();
        let piece = body.frame().await.unwrap().unwrap().into_data().unwrap();
        drop(body);
        assert!(text().contains("left before the end"), "{}", text());
        assert!(recorded()[0].ends_with(&format!("200 OK {} None", piece.len())));

        start();
        let request = post("/plain", "{\"end\":\"with_error\"}");
        let response = house.dispatcher.dispatch(request, peer).await;
        let cid = response.headers()["x-zato-cid"].to_str().unwrap().to_owned();
        response.into_body().collect().await.unwrap_err();
        let line = text();
        for expected in ["ERROR", &cid, "a reply broke off", "It broke", "no disk", "channel=\"channel 2\""] {
            assert!(line.contains(expected), "no {expected} in {line}");
        }
        assert_eq!(recorded().len(), 1);
    });
}
