//! How proxies are asked for a connection to somewhere else.
//!
//! Owns the `CONNECT` request of HTTP (RFC 9110, 9.3.6) and the part of SOCKS 5 that is needed (RFC 1928, RFC 1929). It works
//! on any byte stream which leads to the proxy, and knows no requests.

use std::borrow::Cow;
use std::io;
use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use super::proxy::Server;
use crate::error::Source;
use crate::origin::Origin;
use zato_connections::Secret;

/// The longest head of a proxy's reply, in bytes.
const HEAD_LIMIT: usize = 16 * 1024;

/// Why a proxy gave no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The proxy could not be reached, or closed the connection.
    #[error("the connection to it failed")]
    Io(#[from] io::Error),
    /// TLS with an HTTPS proxy could not be established.
    #[error("TLS with it could not be established")]
    Tls(#[source] Source),
    /// An HTTP proxy replied with something else than success.
    #[error("it replied with `{status_line}`")]
    Refused {
        /// The status of its reply.
        status: u16,
        /// The first line of its reply.
        status_line: String,
    },
    /// A proxy's reply is not one that its protocol has.
    #[error("its reply is not understood")]
    Reply,
    /// A SOCKS proxy accepts neither username and password nor their absence.
    #[error("it accepts none of the ways of authentication")]
    Method,
    /// A SOCKS proxy does not accept the username and the password.
    #[error("it does not accept the credentials")]
    Credentials,
    /// A SOCKS proxy could not connect.
    #[error("it could not connect: {reason}")]
    Socks {
        /// The proxy's reason.
        reason: &'static str,
    },
    /// A username, password or host name is longer than SOCKS allows.
    #[error("SOCKS has no room for more than 255 bytes")]
    TooLong,
}

/// Asks an HTTP proxy for a connection to `origin`.
pub(super) async fn http<T>(stream: &mut T, proxy: &Server, origin: &Origin) -> Result<(), ProxyError>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let host = origin.host();
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let target = format!("{host}:{}", origin.port());
    let mut request = Zeroizing::new(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes());
    if let Some(authorization) = &proxy.authorization {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    stream.write_all(&request).await?;
    stream.flush().await?;

    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        head.extend_from_slice(&buffer[..count]);
        while let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n").map(|end| end + 4) {
            if !is_interim(&head) {
                return succeeded(&head, end < head.len());
            }
            head.drain(..end);
        }
        if head.len() > HEAD_LIMIT {
            return Err(ProxyError::Reply);
        }
    }
}

/// Whether a proxy merely says that it is at it (RFC 9110, 15.2).
fn is_interim(head: &[u8]) -> bool {
    status(head).1.is_some_and(|status| (100..200).contains(&status))
}

/// The first line of a reply, and the status in it.
fn status(head: &[u8]) -> (Cow<'_, str>, Option<u16>) {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
    (line, status)
}

/// Whether the tunnel is there. Only a refusal may have more than a head: its body, which nobody reads.
fn succeeded(head: &[u8], has_more: bool) -> Result<(), ProxyError> {
    let (line, status) = status(head);
    match status {
        Some(200..300) if has_more => Err(ProxyError::Reply),
        Some(200..300) => Ok(()),
        Some(status) => {
            let printable = line.chars().filter(|character| !character.is_control());
            Err(ProxyError::Refused { status, status_line: printable.take(200).collect() })
        }
        None => Err(ProxyError::Reply),
    }
}

/// Where a SOCKS proxy is to connect to.
pub(super) enum Destination<'a> {
    Name(&'a str),
    Address(IpAddr),
}

/// Asks a SOCKS 5 proxy for a connection.
pub(super) async fn socks5<T>(
    stream: &mut T,
    proxy: &Server,
    destination: &Destination<'_>,
    port: u16,
) -> Result<(), ProxyError>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    const VERSION: u8 = 5;
    const NO_AUTHENTICATION: u8 = 0;
    const PASSWORD: u8 = 2;

    let methods: &[u8] = match proxy.credentials {
        Some(_) => &[VERSION, 2, NO_AUTHENTICATION, PASSWORD],
        None => &[VERSION, 1, NO_AUTHENTICATION],
    };
    stream.write_all(methods).await?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await?;
    match (chosen, &proxy.credentials) {
        ([VERSION, NO_AUTHENTICATION], _) => {}
        ([VERSION, PASSWORD], Some((username, password))) => authenticate(stream, username, password).await?,
        ([VERSION, _], _) => return Err(ProxyError::Method),
        _ => return Err(ProxyError::Reply),
    }

    // Connect, and a reserved byte.
    let mut request = vec![VERSION, 1, 0];
    match destination {
        Destination::Address(IpAddr::V4(address)) => {
            request.push(1);
            request.extend_from_slice(&address.octets());
        }
        Destination::Address(IpAddr::V6(address)) => {
            request.push(4);
            request.extend_from_slice(&address.octets());
        }
        Destination::Name(name) => {
            request.push(3);
            push_counted(&mut request, name)?;
        }
    }
    request.extend_from_slice(&port.to_be_bytes());
    stream.write_all(&request).await?;

    let mut reply = [0; 4];
    stream.read_exact(&mut reply).await?;
    let [version, code, _, kind] = reply;
    if version != VERSION {
        return Err(ProxyError::Reply);
    }
    if code != 0 {
        return Err(ProxyError::Socks { reason: reason(code) });
    }
    // The address which the proxy connects from, of no use to us, and its port.
    let length = match kind {
        1 => 4,
        4 => 16,
        3 => usize::from(stream.read_u8().await?),
        _ => return Err(ProxyError::Reply),
    };
    let mut bound = [0; 257];
    stream.read_exact(&mut bound[..length + 2]).await?;
    Ok(())
}

async fn authenticate<T>(stream: &mut T, username: &str, password: &Secret) -> Result<(), ProxyError>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let mut request = Zeroizing::new(Vec::with_capacity(3 + username.len() + password.expose().len()));
    request.push(1);
    push_counted(&mut request, username)?;
    push_counted(&mut request, password.expose())?;
    stream.write_all(&request).await?;
    let mut reply = [0; 2];
    stream.read_exact(&mut reply).await?;
    if reply[1] == 0 { Ok(()) } else { Err(ProxyError::Credentials) }
}

fn push_counted(request: &mut Vec<u8>, text: &str) -> Result<(), ProxyError> {
    request.push(u8::try_from(text.len()).map_err(|_| ProxyError::TooLong)?);
    request.extend_from_slice(text.as_bytes());
    Ok(())
}

fn reason(code: u8) -> &'static str {
    match code {
        2 => "its rules do not allow it",
        3 => "the network cannot be reached",
        4 => "the host cannot be reached",
        5 => "the connection was refused",
        6 => "the time to live expired",
        7 => "it does not know the command",
        8 => "it does not know the kind of address",
        _ => "it gives no reason",
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use http::Uri;
    use tokio::io::duplex;

    use super::*;
    use crate::connect::proxy::ProxyServer;

    /// Replies with the texts of `script`, each after something has been read, and gives back what was read.
    async fn proxy(mut stream: tokio::io::DuplexStream, script: Vec<Vec<u8>>) -> Vec<u8> {
        let mut read = Vec::new();
        for reply in script {
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).await.unwrap();
            read.extend_from_slice(&buffer[..count]);
            stream.write_all(&reply).await.unwrap();
        }
        read
    }

    async fn check_http(url: &str, reply: &str, expected: Result<(), &str>) -> String {
        let (mut ours, theirs) = duplex(4096);
        let proxied = ProxyServer::parse(url).unwrap();
        let origin = Origin::of(&Uri::from_static("https://example.com/")).unwrap();
        let script = vec![reply.as_bytes().to_vec()];
        let (result, read) = tokio::join!(http(&mut ours, proxied.server(), &origin), proxy(theirs, script));
        assert_eq!(result.map_err(|error| error.to_string()), expected.map_err(str::to_owned));
        String::from_utf8(read).unwrap()
    }

    #[tokio::test]
    async fn http_proxies() {
        let request = check_http("http://u:p@proxy", "HTTP/1.1 200 Fine\r\nA: b\r\n\r\n", Ok(())).await;
        let expected = "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\
                        Proxy-Authorization: Basic dTpw\r\n\r\n";
        assert_eq!(request, expected);
        let request = check_http("http://proxy", "HTTP/1.0 200\r\n\r\n", Ok(())).await;
        assert_eq!(request, "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n");
        let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nA: b\r\n\r\n";
        check_http("http://proxy", &format!("{interim}HTTP/1.1 200 OK\r\n\r\n"), Ok(())).await;
        for (reply, expected) in [
            (interim, "the connection to it failed"),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 407 No\r\n\r\n", "it replied with `HTTP/1.1 407 No`"),
            ("HTTP/1.1 407 No\r\n\r\n<p>body", "it replied with `HTTP/1.1 407 No`"),
            ("HTTP/1.1 200 OK\r\n\r\nmore", "its reply is not understood"),
            ("220 ESMTP\r\n\r\n", "its reply is not understood"),
            ("HTTP/1.1 200", "the connection to it failed"),
        ] {
            check_http("http://proxy", reply, Err(expected)).await;
        }
        let endless = "a".repeat(HEAD_LIMIT + 1024);
        let (mut ours, mut theirs) = duplex(64 * 1024);
        theirs.write_all(endless.as_bytes()).await.unwrap();
        let proxied = ProxyServer::parse("proxy").unwrap();
        let origin = Origin::of(&Uri::from_static("https://example.com/")).unwrap();
        assert!(matches!(http(&mut ours, proxied.server(), &origin).await, Err(ProxyError::Reply)));
    }

    async fn check_socks(
        url: &str,
        destination: Destination<'_>,
        script: &[&[u8]],
        expected: Result<(), &str>,
    ) -> Vec<u8> {
        let (mut ours, theirs) = duplex(4096);
        let proxied = ProxyServer::parse(url).unwrap();
        let script = script.iter().map(|reply| reply.to_vec()).collect();
        let (result, read) =
            tokio::join!(socks5(&mut ours, proxied.server(), &destination, 443), proxy(theirs, script));
        assert_eq!(result.map_err(|error| error.to_string()), expected.map_err(str::to_owned));
        read
    }

    #[tokio::test]
    async fn socks_proxies() {
        let name = || Destination::Name("example.com");
        let bound: &[u8] = &[5, 0, 0, 1, 127, 0, 0, 1, 1, 0];
        let read = check_socks("socks5h://proxy", name(), &[&[5, 0], bound], Ok(())).await;
        assert_eq!(read, [&[5, 1, 0, 5, 1, 0, 3, 11], &b"example.com"[..], &[1, 187]].concat());

        let address = Destination::Address(Ipv4Addr::new(192, 0, 2, 1).into());
        let long = [&[5, 0, 0, 3, 2][..], b"ab", &[0, 0]].concat();
        let read = check_socks("socks5://u:pw@proxy", address, &[&[5, 2], &[1, 0], &long], Ok(())).await;
        let expected = [&[5, 2, 0, 2, 1, 1][..], b"u", &[2], b"pw", &[5, 1, 0, 1, 192, 0, 2, 1, 1, 187]];
        assert_eq!(read, expected.concat());

        let credentials = "it does not accept the credentials";
        check_socks("socks5://u:p@proxy", name(), &[&[5, 2], &[1, 1]], Err(credentials)).await;
        let method = "it accepts none of the ways of authentication";
        check_socks("socks5://proxy", name(), &[&[5, 255]], Err(method)).await;
        check_socks("socks5://proxy", name(), &[&[5, 2]], Err(method)).await;
        let refused = "it could not connect: the connection was refused";
        check_socks("socks5://proxy", name(), &[&[5, 0], &[5, 5, 0, 1]], Err(refused)).await;
        check_socks("socks5://proxy", name(), &[&[4, 0]], Err("its reply is not understood")).await;
        check_socks("socks5://proxy", name(), &[&[5]], Err("the connection to it failed")).await;
        let long = "a".repeat(256);
        let too_long = "SOCKS has no room for more than 255 bytes";
        check_socks("socks5://proxy", Destination::Name(&long), &[&[5, 0]], Err(too_long)).await;
    }
}
