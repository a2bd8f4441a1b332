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
use url::form_urlencoded;
use zato_admin::WsdlError;
use zato_channel::{Page, Pages};
use zato_odb::Odb;

use crate::metrics::Metrics;
use crate::tls::OverTls;

/// How a proxy tells which scheme its client used.
const X_FORWARDED_PROTO: &str = "x-forwarded-proto";

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const XML: HeaderValue = HeaderValue::from_static("text/xml; charset=utf-8");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// All documents by path.
pub(crate) fn pages(odb: Odb, metrics: Arc<Metrics>) -> Pages {
    Pages::new()
        .with("/zato/health", Health(odb.clone()))
        .with("/zato/metrics", MetricsPage(metrics))
        .with("/zato/openapi.json", OpenApi)
        .with("/zato/wsdl", Wsdl(odb))
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

/// The WSDL of the public API, with the address that the client itself used to ask for it; or, if there is a query, the
/// one that was uploaded for the service that the query names.
struct Wsdl(Odb);

impl Wsdl {
    async fn uploaded(&self, query: &str) -> Response<Full<Bytes>> {
        let parameter = |wanted: &str| {
            let found = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty())
        };
        let cluster_id = parameter("cluster_id").and_then(|id| id.parse().ok());
        let (Some(service), Some(cluster_id)) = (parameter("service"), cluster_id) else {
            let text = "Both [service] and [cluster_id] parameters are required";
            return document(StatusCode::BAD_REQUEST, TEXT, text);
        };
        let wsdl = match zato_admin::find_wsdl(&self.0, cluster_id, &service).await {
            Ok(wsdl) => wsdl,
            Err(WsdlError::Odb(error)) => {
                tracing::error!(%error, "an uploaded WSDL can't be read");
                return document(StatusCode::SERVICE_UNAVAILABLE, TEXT, "The WSDL can't be read now");
            }
            Err(error) => return document(StatusCode::NOT_FOUND, TEXT, error.to_string()),
        };
        let content_type = HeaderValue::from_static(wsdl.content_type);
        let mut response = document(StatusCode::OK, content_type, wsdl.contents);
        let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", wsdl.name));
        if let Ok(disposition) = disposition {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
        }
        response
    }
}

impl Page for Wsdl {
    fn get<'a>(&'a self, request: &'a Parts) -> BoxFuture<'a, Response<Full<Bytes>>> {
        // `?wsdl` is how many tools ask for a description, whatever is described.
        if let Some(query) = request.uri.query().filter(|query| !query.eq_ignore_ascii_case("wsdl")) {
            return Box::pin(self.uploaded(query));
        }
        let host = request
            .headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .or_else(|| request.uri.authority().map(|authority| authority.as_str()))
            .filter(|host| is_host(host))
            .unwrap_or("localhost");
        let scheme = if is_secured(request) { "https" } else { "http" };
        let wsdl = zato_catalogue::wsdl(&format!("{scheme}://{host}/zato/soap"));
        Box::pin(std::future::ready(document(StatusCode::OK, XML, wsdl)))
    }
}

/// Whether the client spoke TLS, to the server or to a proxy that tells.
fn is_secured(request: &Parts) -> bool {
    let told = request.headers.get(X_FORWARDED_PROTO).is_some_and(|proto| proto == "https");
    told || request.extensions.get::<OverTls>().is_some()
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
