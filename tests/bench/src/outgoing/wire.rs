//! What a call of the whole stack looks like on the wire, so that every other client can be given the same to send.
//!
//! Owns recording one request. It knows no client but the stack.

use hyper::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::clients::Client;
use crate::Error;

/// The headers of one call of the stack, without those that a client makes of the URL and of the body.
pub(super) async fn headers_of_the_stack() -> Result<HeaderMap, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut worker = Client::stack(listener.local_addr()?, 1)?.worker().await?;
    let call = tokio::spawn(async move { worker.call().await });
    let (mut stream, _) = listener.accept().await?;
    let mut request = Vec::new();
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        if stream.read_buf(&mut request).await? == 0 {
            return Err("the stack closed the connection".into());
        }
    }
    let body = "x".repeat(1000);
    let reply = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(reply.as_bytes()).await?;
    call.await??;
    let text = String::from_utf8(request)?;
    let mut headers = HeaderMap::new();
    for line in text.lines().skip(1).take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').ok_or("a header line without a colon")?;
        headers.append(name.parse::<HeaderName>()?, value.trim().parse::<HeaderValue>()?);
    }
    headers.remove(HOST);
    headers.remove(CONTENT_LENGTH);
    Ok(headers)
}
