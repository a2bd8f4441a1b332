//! A load of identical HTTP/1.1 requests over kept-alive connections.
//!
//! Owns the client's side of a measurement: it spends as little as it can, so that the cores are the server's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Error;

/// What one measurement saw.
pub(crate) struct Load {
    pub(crate) elapsed: Duration,
    /// How long each call took, in nanoseconds, the shortest first.
    latencies: Vec<u32>,
}

impl Load {
    pub(crate) fn replies(&self) -> usize {
        self.latencies.len()
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.replies() as f64 / self.elapsed.as_secs_f64()
    }

    /// The time within which this part of the calls was answered, in microseconds.
    pub(crate) fn percentile(&self, part: f64) -> f64 {
        let index = (self.latencies.len() as f64 * part) as usize;
        let found = self.latencies.get(index).or_else(|| self.latencies.last());
        found.map_or(f64::NAN, |&nanoseconds| f64::from(nanoseconds) / 1000.0)
    }
}

/// A connection that has sent the request once and knows how long its replies are.
struct Client {
    stream: TcpStream,
    request: Arc<[u8]>,
    reply: Vec<u8>,
}

impl Client {
    async fn connect(address: SocketAddr, request: &Arc<[u8]>) -> Result<Self, Error> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let reply = exchange(&mut stream, request).await?;
        Ok(Self { stream, request: Arc::clone(request), reply: vec![0; reply.len()] })
    }

    /// Replies to one request all have one length: correlation ids and dates do.
    async fn call(&mut self) -> Result<(), Error> {
        self.stream.write_all(&self.request).await?;
        self.stream.read_exact(&mut self.reply).await?;
        if self.reply.starts_with(b"HTTP/1.1 200") {
            Ok(())
        } else {
            Err(format!("unexpected reply: {}", String::from_utf8_lossy(&self.reply)).into())
        }
    }
}

/// Sends one request and reads its whole reply, which must have a Content-Length.
pub(crate) async fn exchange(stream: &mut TcpStream, request: &[u8]) -> Result<Vec<u8>, Error> {
    stream.write_all(request).await?;
    let mut reply = Vec::new();
    loop {
        if stream.read_buf(&mut reply).await? == 0 {
            return Err("the server closed the connection".into());
        }
        let text = String::from_utf8_lossy(&reply);
        let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse::<usize>().ok())
            .ok_or_else(|| format!("a reply without Content-Length: {head}"))?;
        if reply.len() >= head.len() + 4 + length {
            return if head.starts_with("HTTP/1.1 200") { Ok(reply) } else { Err(text.into_owned().into()) };
        }
    }
}

/// Sends requests over this many connections for this long.
pub(crate) async fn run(
    address: SocketAddr,
    request: &Arc<[u8]>,
    connections: usize,
    duration: Duration,
) -> Result<Load, Error> {
    let mut clients = Vec::with_capacity(connections);
    for _ in 0..connections {
        clients.push(Client::connect(address, request).await?);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|mut client| {
            let stop = Arc::clone(&stop);
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                let mut sent = Instant::now();
                while !stop.load(Relaxed) {
                    client.call().await?;
                    let received = Instant::now();
                    latencies.push(u32::try_from((received - sent).as_nanos()).unwrap_or(u32::MAX));
                    sent = received;
                }
                Ok::<_, Error>(latencies)
            })
        })
        .collect();
    tokio::time::sleep(duration).await;
    stop.store(true, Relaxed);
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.append(&mut task.await??);
    }
    let elapsed = begun.elapsed();
    latencies.sort_unstable();
    Ok(Load { elapsed, latencies })
}
