//! Calls to another system through the whole outgoing stack, beside one bare hyper connection.

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use zato_cid::{Form, SystemGenerator};
use zato_outgoing::{Config, Connection, Environment, Secret, Security};

use crate::Error;
use crate::bare::Reply;
use crate::process::{self, Process};
use crate::table::{Target, median};

const PATH: &str = "/customer";
const ROUNDS: usize = 9;

pub(crate) fn run(calls: u32) -> Result<(), Error> {
    tokio::runtime::Runtime::new()?.block_on(measure(calls))
}

async fn measure(calls: u32) -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let replies = folder.path().join("replies.json");
    let reply = Reply {
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: serde_json::json!({"notes": "x".repeat(1000)}).to_string(),
    };
    fs::write(&replies, serde_json::to_vec(&HashMap::from([(PATH, reply)]))?)?;
    let peer = Process::start(&mut process::own(&["bare", &replies.to_string_lossy()])?)?;

    let request = serde_json::json!({"cust_id": 1, "name": "Foo Bar"}).to_string();
    let mut bare = connect(peer.address).await?;
    let mut config = Config::new(1, "bench", format!("http://{}", peer.address), PATH);
    config.security =
        Some(Security::BasicAuth { username: "bench".to_owned(), password: Secret::from("bench") });
    let connection = Connection::new(config, &Environment::new("bench")?)?;
    let cids = SystemGenerator::new(Form::default());

    let per_round = calls / u32::try_from(ROUNDS)?;
    let (mut bare_times, mut stack_times, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for _ in 0..per_round {
            call_bare(&mut bare, peer.address, &request).await?;
        }
        let bare_time = microseconds(begun.elapsed(), per_round);
        let begun = Instant::now();
        for _ in 0..per_round {
            let response = connection.conn().post(cids.generate(), request.as_str()).await?;
            if response.bytes().len() < 1000 {
                return Err("a short reply".into());
            }
        }
        let stack_time = microseconds(begun.elapsed(), per_round);
        bare_times.push(bare_time);
        stack_times.push(stack_time);
        ratios.push(stack_time / bare_time);
    }
    println!(
        "outgoing POST, 1 KB reply, one at a time: bare connection {:.1} us, whole stack {:.1} us",
        median(&mut bare_times),
        median(&mut stack_times)
    );
    println!("  latency ratio {}\n", Target::AtMost(1.5).show(median(&mut ratios)));
    Ok(())
}

fn microseconds(elapsed: Duration, calls: u32) -> f64 {
    elapsed.as_secs_f64() * 1e6 / f64::from(calls)
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>, Error> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn call_bare(
    sender: &mut SendRequest<Full<Bytes>>,
    address: SocketAddr,
    body: &str,
) -> Result<(), Error> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(PATH)
        .header(HOST, address.to_string())
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "*/*")
        .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))?;
    sender.ready().await?;
    let response = sender.send_request(request).await?;
    let body = response.into_body().collect().await?.to_bytes();
    if body.len() < 1000 { Err("a short reply".into()) } else { Ok(()) }
}
