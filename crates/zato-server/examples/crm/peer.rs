//! The CRM system that the services call: a small HTTP and SOAP server on a free port.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Starts the system and returns its address.
pub(crate) async fn start() -> io::Result<SocketAddr> {
    let socket = TcpListener::bind("127.0.0.1:0").await?;
    let address = socket.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            let service = service_fn(async |request| Ok::<_, Infallible>(answer(request).await));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    Ok(address)
}

async fn answer(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    match (&parts.method, parts.uri.path()) {
        (&Method::POST, "/profile") => profile(&body),
        (&Method::HEAD, "/cases") => reply("application/json", String::new()),
        (&Method::GET, "/search") => search(parts.uri.query().unwrap_or_default()),
        (&Method::POST, "/balance") => balance(&body),
        _ => {
            let mut response = reply("text/plain", "There is nothing here\n".to_owned());
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
    }
}

fn profile(body: &[u8]) -> Response<Full<Bytes>> {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let profile = json!({"cust_id": request["cust_id"], "name": request["name"], "segment": "gold"});
    reply("application/json", profile.to_string())
}

fn search(query: &str) -> Response<Full<Bytes>> {
    reply("application/json", json!({"query": query, "found": 1}).to_string())
}

fn balance(body: &[u8]) -> Response<Full<Bytes>> {
    let text = String::from_utf8_lossy(body);
    let value = text
        .split_once("<val>")
        .and_then(|(_, rest)| rest.split_once("</val>"))
        .map_or("", |(value, _)| value);
    let envelope = format!(
        "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>\
         <balance>{value}</balance></soap:Body></soap:Envelope>"
    );
    reply("text/xml; charset=utf-8", envelope)
}

fn reply(content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response
}
