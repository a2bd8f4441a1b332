//! A server of the plainest kind: sockets and threads, so that nothing between the wire and a test can smooth anything.
//!
//! It runs outside of the tests' asynchronous runtime, whose tasks are then those of the calls alone.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long a peer waits for a client before it gives up on it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A listening socket whose connections are served by a function, each in a thread of its own. It ends when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    counts: Arc<Counts>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Counts {
    accepted: AtomicUsize,
    open: AtomicUsize,
    ended: AtomicBool,
}

impl Server {
    /// Serves each connection with `serve`, which gets its number, from 0.
    pub(crate) fn start(serve: impl Fn(usize, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let counts = Arc::new(Counts::default());
        let (counted, serve) = (Arc::clone(&counts), Arc::new(serve));
        let accepting = thread::spawn(move || {
            loop {
                let (mut stream, _) = listener.accept().unwrap();
                if counted.ended.load(Ordering::SeqCst) {
                    return;
                }
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                stream.set_nodelay(true).unwrap();
                let (counted, serve) = (Arc::clone(&counted), Arc::clone(&serve));
                counted.open.fetch_add(1, Ordering::SeqCst);
                let number = counted.accepted.fetch_add(1, Ordering::SeqCst);
                thread::spawn(move || {
                    serve(number, &mut stream);
                    drop(stream);
                    counted.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, counts, accepting: Some(accepting) }
    }

    /// The URL without a path.
    pub(crate) fn host(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections there have been.
    pub(crate) fn accepted(&self) -> usize {
        self.counts.accepted.load(Ordering::SeqCst)
    }

    /// How many connections are still served.
    pub(crate) fn open(&self) -> usize {
        self.counts.open.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.counts.ended.store(true, Ordering::SeqCst);
        // Whoever waits for a connection is woken by one.
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
    }
}

/// A request as it was on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    /// Names in lower case, in the order of the wire.
    pub(crate) headers: Vec<(String, String)>,
    /// Without the marks of its chunks.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Reads the next request of a connection, or nothing at its end.
    pub(crate) fn read(stream: &mut TcpStream) -> Option<Self> {
        let head = read_line_by_line(stream)?;
        let mut lines = head.lines();
        let mut first = lines.next()?.split(' ');
        let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut request = Self { method, target, headers, body: Vec::new() };
        if request.header("transfer-encoding") == Some("chunked") {
            loop {
                let size = usize::from_str_radix(read_line(stream)?.trim(), 16).unwrap();
                request.body.extend(read_exactly(stream, size)?);
                read_line(stream)?;
                if size == 0 {
                    break;
                }
            }
        } else if let Some(length) = request.header("content-length") {
            let length = length.parse().unwrap();
            request.body = read_exactly(stream, length)?;
        }
        Some(request)
    }

    /// The first header of a name, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| &**value)
    }
}

fn read_exactly(stream: &mut TcpStream, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn read_line(stream: &mut TcpStream) -> Option<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.extend(read_exactly(stream, 1)?);
    }
    Some(String::from_utf8_lossy(&line).into_owned())
}

fn read_line_by_line(stream: &mut TcpStream) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        head += &read_line(stream)?;
    }
    Some(head)
}

/// Reads one request and says `reply` to it, as it stands. Says whether there was a request.
pub(crate) fn reply(stream: &mut TcpStream, reply: &[u8]) -> bool {
    Request::read(stream).is_some() && stream.write_all(reply).is_ok()
}

/// Waits until the other side has closed the connection.
pub(crate) fn until_closed(stream: &mut TcpStream) {
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
}

/// Waits for the beginning of a request without taking it. If the connection is closed then, it is reset, because there are bytes
/// which nobody has read.
pub(crate) fn await_request(stream: &mut TcpStream) {
    let mut byte = [0];
    drop(stream.peek(&mut byte));
}

/// Ends the sending direction only.
pub(crate) fn half_close(stream: &TcpStream) {
    drop(stream.shutdown(Shutdown::Write));
}
