//! Another system: an HTTP server that answers as the test says and remembers what it was asked.
//!
//! Owns just enough HTTP/1.1 for what the server sends: requests with a length, one after the other on a connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A peer, which stops listening when it is dropped.
#[derive(Debug)]
pub(crate) struct Peer {
    address: SocketAddr,
    scheme: &'static str,
    requests: Arc<Mutex<Vec<PeerRequest>>>,
    is_stopped: Arc<AtomicBool>,
}

/// What the peer was asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct PeerRequest {
    pub(crate) method: String,
    /// Path and query string.
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl PeerRequest {
    /// A header's value, empty if it is missing; more than one of the same name fails the test.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut found = self.headers.iter().filter(|(candidate, _)| candidate.eq_ignore_ascii_case(name));
        let value = found.next().map_or("", |(_, value)| value);
        assert_eq!(found.next(), None, "a second {name}: {self:?}");
        value
    }
}

/// What the peer answers.
#[derive(Debug, Clone)]
pub(crate) struct PeerReply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

impl PeerReply {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, content_type: "text/plain", body: String::new() }
    }

    pub(crate) fn ok(content_type: &'static str, body: impl Into<String>) -> Self {
        Self { status: 200, content_type, body: body.into() }
    }
}

impl Peer {
    /// Starts one that answers every request this way.
    pub(crate) fn start(answer: impl Fn(&PeerRequest) -> PeerReply + Send + Sync + 'static) -> Self {
        Self::listen(None, answer)
    }

    /// Starts one that speaks TLS, with a certificate for `localhost` that nobody vouches for.
    pub(crate) fn start_tls(answer: impl Fn(&PeerRequest) -> PeerReply + Send + Sync + 'static) -> Self {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key.into())
            .unwrap();
        Self::listen(Some(Arc::new(config)), answer)
    }

    fn listen(
        tls: Option<Arc<ServerConfig>>,
        answer: impl Fn(&PeerRequest) -> PeerReply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let peer = Self { address, scheme, requests: Arc::default(), is_stopped: Arc::default() };
        let (requests, is_stopped, answer) =
            (Arc::clone(&peer.requests), Arc::clone(&peer.is_stopped), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if is_stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (requests, answer, tls) = (Arc::clone(&requests), Arc::clone(&answer), tls.clone());
                // A connection that breaks is the caller's to notice.
                thread::spawn(move || match tls {
                    None => drop(serve(stream.unwrap(), &requests, &*answer)),
                    Some(config) => {
                        let session = ServerConnection::new(config).unwrap();
                        drop(serve(StreamOwned::new(session, stream.unwrap()), &requests, &*answer));
                    }
                });
            }
        });
        peer
    }

    /// Starts one that answers nothing until it is told to, or nobody is left to tell it.
    pub(crate) fn held() -> (Self, Sender<()>) {
        let (release, held) = mpsc::channel();
        let held = Mutex::new(held);
        let peer = Self::start(move |_| {
            // An error says that nobody is left to tell.
            let _ = held.lock().unwrap_or_else(PoisonError::into_inner).recv();
            PeerReply::status(200)
        });
        (peer, release)
    }

    /// Scheme, host and port, as the element `host` of an outgoing connection has it.
    pub(crate) fn host(&self) -> String {
        match self.scheme {
            "https" => format!("https://localhost:{}", self.address.port()),
            scheme => format!("{scheme}://{}", self.address),
        }
    }

    /// What it was asked so far, the oldest first.
    pub(crate) fn requests(&self) -> Vec<PeerRequest> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The one request there was since the last look.
    #[track_caller]
    pub(crate) fn take_one(&self) -> PeerRequest {
        let mut requests = self.requests.lock().unwrap();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.remove(0)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for the next connection.
        drop(TcpStream::connect(self.address));
    }
}

/// A host at which nothing listens: no system has a service on port 1, and no test is given it.
pub(crate) const NOBODY: &str = "http://127.0.0.1:1";

fn serve(
    stream: impl Read + Write,
    requests: &Mutex<Vec<PeerRequest>>,
    answer: &dyn Fn(&PeerRequest) -> PeerReply,
) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader)? {
        requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let reply = answer(&request);
        let head = format!(
            "HTTP/1.1 {} Reply\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n",
            reply.status,
            reply.content_type,
            reply.body.len()
        );
        let body = if request.method == "HEAD" { "" } else { reply.body.as_str() };
        reader.get_mut().write_all(format!("{head}{body}").as_bytes())?;
        reader.get_mut().flush()?;
    }
    Ok(())
}

fn read(reader: &mut impl BufRead) -> io::Result<Option<PeerRequest>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_ascii_whitespace().map(str::to_owned);
    let mut request = PeerRequest {
        method: words.next().unwrap_or_default(),
        target: words.next().unwrap_or_default(),
        ..PeerRequest::default()
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        request.headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let length = request.header("content-length").parse().unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    request.body = String::from_utf8(body).map_err(io::Error::other)?;
    Ok(Some(request))
}
