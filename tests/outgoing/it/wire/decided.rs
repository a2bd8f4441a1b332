//! What may differ between the two clients, and why. Nothing else may.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::recorder::Request;

/// Headers that are not compared.
const HEADERS: &[(&str, &str)] = &[
    ("user-agent", "each program says its own name"),
    ("x-zato-cid", "only this project sends it: the correlation id of the call"),
    ("x-zato-component", "only this project sends it: the part of the program that calls"),
    ("x-zato-msg-ts", "only this project sends it: the time of the call"),
    ("connection", "requests says keep-alive, which HTTP/1.1 means anyway (RFC 9112, 9.3)"),
    ("x-case", "the number of the case, which is not a part of it"),
];

/// Cases in which the requests differ as a whole.
const CASES: &[(&str, &str)] = &[
    (
        "path with lower-case encoding",
        "paths are sent as they were written; requests writes capitals, which mean the same (RFC 3986, 6.2.2.1)",
    ),
    (
        "a secure cookie",
        "the peer is at a loopback address, which is as safe as TLS; requests does not make that exception",
    ),
];

/// Whether it was decided that the requests of a case differ.
pub(super) fn differ(case: &str) -> bool {
    CASES.iter().any(|(name, _)| *name == case)
}

/// What has to be the same.
#[derive(Debug, PartialEq)]
pub(super) struct Essence {
    method: String,
    target: String,
    headers: BTreeMap<String, Vec<String>>,
    body: Content,
}

#[derive(Debug, PartialEq)]
enum Content {
    /// JSON is the same if it means the same: requests writes spaces and escapes, this project neither.
    Json(Value),
    Text(String),
    Binary(Vec<u8>),
}

/// A request without what may differ. `port` is that of the recording server, which each client has its own of.
pub(super) fn essence(request: &Request, port: u16) -> Essence {
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in &request.headers {
        if !HEADERS.iter().any(|(ignored, _)| ignored == name) {
            headers.entry(name.clone()).or_default().push(value.replace(&port.to_string(), "PORT"));
        }
    }
    let length = headers.get("content-length").map(|values| values[0].clone());
    assert!(length.is_none_or(|length| length == request.body.len().to_string()), "{request:?}");
    // Requests says that there is no body where none is expected anyway, which RFC 9110, 8.6, advises against.
    if request.body.is_empty() && !matches!(&*request.method, "POST" | "PUT" | "PATCH") {
        headers.remove("content-length");
    }
    // Requests offers what its environment can decompress, which is gzip and deflate at least.
    if let Some(offered) = headers.get_mut("accept-encoding")
        && offered[0].starts_with("gzip, deflate")
    {
        offered[0].truncate("gzip, deflate".len());
    }
    let mut body = Content::Text(String::new());
    let media_type = headers.get("content-type").map(|values| values[0].clone()).unwrap_or_default();
    if media_type.contains("json")
        && let Ok(value) = serde_json::from_slice(&request.body)
    {
        headers.remove("content-length");
        body = Content::Json(value);
    } else if let Some((_, boundary)) = media_type.split_once("multipart/form-data; boundary=") {
        // Boundaries are random; those of the two clients may also differ in their length.
        headers.remove("content-length");
        headers.insert("content-type".to_owned(), vec!["multipart/form-data; boundary=BOUNDARY".to_owned()]);
        body = Content::Text(String::from_utf8_lossy(&request.body).replace(boundary, "BOUNDARY"));
    } else if !request.body.is_empty() {
        body = String::from_utf8(request.body.clone())
            .map_or_else(|error| Content::Binary(error.into_bytes()), Content::Text);
    }
    Essence { method: request.method.clone(), target: request.target.clone(), headers, body }
}
