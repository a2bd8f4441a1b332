//! One open connection to a broker.
//!
//! Owns opening it within a bounded time, closing it within a bounded time, and saying why it failed. It must not know
//! what is sent or received over it, nor when to try again.

use std::error::Error as StdError;
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::Stream;
use lapin::tcp::AsyncTcpStream;
use lapin::types::ShortString;
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{Channel, Connection, ConnectionProperties, Event};
use socket2::{SockRef, Socket, TcpKeepalive};
use tokio::time::timeout;

use crate::definition::Definition;

/// How long name resolution, the TCP connection, log-in and the opening of the virtual host may take together.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the broker may take to say good-bye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// After which silence of the network a peer that has vanished is noticed, whatever the heartbeat.
const DEAD_AFTER: Duration = Duration::from_secs(30);

/// The frames that AMQP requires every peer to take, and those beyond which buffers become unreasonably large.
const FRAME_MAX: std::ops::RangeInclusive<u32> = 4096..=1024 * 1024;

/// What a definition without a frame size gets; it is the default of RabbitMQ.
const DEFAULT_FRAME_MAX: u32 = 128 * 1024;

/// Why there is no connection, in words for operators.
pub(crate) type Reason = Box<str>;

/// An open connection. Dropping it cuts it off; [`close`](Self::close) is the polite way.
pub(crate) struct Session {
    connection: Connection,
    /// A second handle of the connection's socket. The client library's own thread holds the first one and waits for the
    /// broker for as long as it takes; shutting the socket down is what ends that wait.
    socket: Guard,
    local: Option<IpAddr>,
}

impl Session {
    /// Connects and logs in. `purpose` is the name that the broker shows the connection under.
    pub(crate) async fn open(definition: &Definition, purpose: &str) -> Result<Self, Reason> {
        let no_answer = || Reason::from(format!("no answer within {} seconds", OPEN_TIMEOUT.as_secs()));
        timeout(OPEN_TIMEOUT, Self::open_unbounded(definition, purpose))
            .await
            .unwrap_or_else(|_| Err(no_answer()))
    }

    async fn open_unbounded(definition: &Definition, purpose: &str) -> Result<Self, Reason> {
        let uri = uri(definition)?;
        let runtime = lapin::runtime::default_runtime().map_err(|error| explain(&error))?;
        let host = (definition.host.as_str(), definition.port);
        let addresses = tokio::net::lookup_host(host).await;
        let addresses: Vec<SocketAddr> =
            addresses.map_err(|error| Reason::from(format!("can't resolve the host: {error}")))?.collect();
        let stream = AsyncTcpStream::connect(&runtime, addresses).await;
        let stream = stream.map_err(|error| Reason::from(error.to_string()))?;
        let AsyncTcpStream::Plain(tcp) = &stream else {
            return Err("the connection is encrypted unasked".into());
        };
        let tcp = tcp.get_ref();
        let local = tcp.local_addr().ok().map(|address| address.ip());
        let socket = Guard(watched(tcp).map_err(|error| Reason::from(error.to_string()))?);

        let properties = ConnectionProperties::default()
            .with_connection_name(purpose.into())
            .with_client_property(name("product"), "zato-amqp".into())
            .with_client_property(name("version"), env!("CARGO_PKG_VERSION").into());
        // The library asks for a stream again only if it is to reconnect by itself, which it is not.
        let stream = Mutex::new(Some(stream));
        let hand_over = async move |_, _| {
            let stream = stream.lock().unwrap_or_else(PoisonError::into_inner).take();
            stream.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotConnected).into())
        };
        let connection = Connection::connector(uri, runtime, hand_over, properties).await;
        let connection = connection.map_err(|error| explain(&error))?;
        Ok(Self { connection, socket, local })
    }

    /// Opens a channel.
    pub(crate) async fn channel(&self) -> Result<Channel, Reason> {
        self.connection.create_channel().await.map_err(|error| explain(&error))
    }

    /// What befalls the connection.
    pub(crate) fn events(&self) -> impl Stream<Item = Event> + Send + Unpin + 'static {
        Box::pin(self.connection.events_listener())
    }

    /// Whether it is open.
    pub(crate) fn is_open(&self) -> bool {
        self.connection.status().connected()
    }

    /// Our own address on this connection.
    pub(crate) fn local_address(&self) -> Option<IpAddr> {
        self.local
    }

    /// Takes leave of the broker, which has what was sent before then.
    pub(crate) async fn close(self) {
        // Either way the socket is shut down afterwards, and there is nobody to act on a failure.
        drop(timeout(CLOSE_TIMEOUT, self.connection.close(200, name("OK"))).await);
        drop(self.socket);
    }
}

/// Shuts a socket down when dropped.
struct Guard(Socket);

impl Drop for Guard {
    fn drop(&mut self) {
        // A socket that is closed already is what was wanted.
        drop(self.0.shutdown(Shutdown::Both));
    }
}

/// A second handle of a socket, set so that the system notices a peer that has vanished.
fn watched(tcp: &tokio::net::TcpStream) -> std::io::Result<Socket> {
    let socket = SockRef::from(tcp);
    let probes = TcpKeepalive::new().with_time(DEAD_AFTER / 3).with_interval(DEAD_AFTER / 6).with_retries(4);
    socket.set_tcp_keepalive(&probes)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(DEAD_AFTER))?;
    socket.set_tcp_nodelay(true)?;
    socket.try_clone()
}

fn uri(definition: &Definition) -> Result<AMQPUri, Reason> {
    if definition.vhost.len() > 255 {
        return Err("the name of the virtual host has more than 255 bytes".into());
    }
    let frame_max = match definition.frame_max {
        0 => DEFAULT_FRAME_MAX,
        frame_max => frame_max.clamp(*FRAME_MAX.start(), *FRAME_MAX.end()),
    };
    Ok(AMQPUri {
        scheme: AMQPScheme::AMQP,
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo {
                username: definition.username.clone(),
                password: definition.password.expose().to_owned(),
            },
            host: definition.host.clone(),
            port: definition.port,
        },
        vhost: definition.vhost.clone(),
        query: AMQPQueryString {
            frame_max: Some(frame_max),
            heartbeat: Some(definition.heartbeat),
            ..AMQPQueryString::default()
        },
    })
}

/// A name of ours, which is short.
fn name(text: &'static str) -> ShortString {
    ShortString::from(text)
}

/// What an error of the client library means: the broker's words if it had any, else those of the last cause.
pub(crate) fn explain(error: &lapin::Error) -> Reason {
    if let lapin::ErrorKind::ProtocolError(error) = error.kind() {
        return error.get_message().as_str().into();
    }
    let mut cause: &(dyn StdError + 'static) = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string().into()
}
