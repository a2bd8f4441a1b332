//! The documents that the server itself answers with: its health, its counters and the descriptions of its API.
//!
//! Owns their paths and contents. It must not know how requests reach them.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use serde::Serialize;
use zato_channel::{Page, Pages};
use zato_odb::Odb;

use crate::metrics::Metrics;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const XML: HeaderValue = HeaderValue::from_static("text/xml; charset=utf-8");
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// All documents by path.
pub(crate) fn pages(odb: Odb, metrics: Arc<Metrics>) -> Pages {
    Pages::new()
        .with("/zato/health", Health(odb))
        .with("/zato/metrics", MetricsPage(metrics))
        .with("/zato/openapi.json", OpenApi)
        .with("/zato/wsdl", Wsdl)
}

/// Whether the server can do its work: 200 with `"status": "ok"`, or 503 when the operational database is away.
///
/// Calls to services that do not need it still work then.
struct Health(Odb);

#[derive(Serialize)]
struct HealthDocument {
    status: &'static str,
    odb: &'static str,
    version: &'static str,
}

impl Page for Health {
    fn get<'a>(&'a self, _request: &'a Parts) -> BoxFuture<'a, Response<Full<Bytes>>> {
        Box::pin(async {
            let (status, word) = match self.0.ping().await {
                Ok(()) => (StatusCode::OK, "ok"),
                Err(error) => {
                    tracing::warn!(%error, "the operational database does not answer");
                    (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
                }
            };
            let health = HealthDocument { status: word, odb: word, version: env!("CARGO_PKG_VERSION") };
            // Three texts always have a JSON form.
            document(status, JSON, serde_json::to_string(&health).unwrap_or_default())
        })
    }
}

struct MetricsPage(Arc<Metrics>);

impl Page for MetricsPage {
    fn get<'a>(&'a self, _request: &'a Parts) -> BoxFuture<'a, Response<Full<Bytes>>> {
        let response = match self.0.encode() {
            Ok(text) => document(StatusCode::OK, OPEN_METRICS, text),
            Err(error) => {
                tracing::error!(%error, "the metrics can't be written");
                document(StatusCode::INTERNAL_SERVER_ERROR, OPEN_METRICS, String::new())
            }
        };
        Box::pin(std::future::ready(response))
    }
}

struct OpenApi;

impl Page for OpenApi {
    fn get<'a>(&'a self, _request: &'a Parts) -> BoxFuture<'a, Response<Full<Bytes>>> {
        Box::pin(std::future::ready(document(StatusCode::OK, JSON, zato_catalogue::OPENAPI)))
    }
}

/// The WSDL, with the address that the client itself used to ask for it.
struct Wsdl;

impl Page for Wsdl {
    fn get<'a>(&'a self, request: &'a Parts) -> BoxFuture<'a, Response<Full<Bytes>>> {
        let host = request
            .headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .or_else(|| request.uri.authority().map(|authority| authority.as_str()))
            .filter(|host| is_host(host))
            .unwrap_or("localhost");
        let wsdl = zato_catalogue::wsdl(&format!("http://{host}/zato/soap"));
        Box::pin(std::future::ready(document(StatusCode::OK, XML, wsdl)))
    }
}

/// The host stands in an XML attribute, so it may have nothing but what host names, addresses and ports have.
fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b))
}

fn document(status: StatusCode, content_type: HeaderValue, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}
