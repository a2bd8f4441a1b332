//! One call as `cases.json` describes it, made by this project.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use http::Method;
use serde::Deserialize;
use zato_outgoing::{Body, Call, Form, Multipart, Part, Secret, Security};

use crate::support::{chain, cid, connection};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    method: String,
    path: String,
    #[serde(default)]
    params: Vec<(String, String)>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    body: Option<CaseBody>,
    auth: Option<Auth>,
    /// How often the call is made.
    #[serde(default = "once")]
    times: usize,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CaseBody {
    Text(String),
    Base64(String),
    Json(serde_json::Value),
    Form(Vec<(String, String)>),
    Multipart(Vec<CasePart>),
    Stream(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CasePart {
    name: String,
    file_name: Option<String>,
    content: String,
    media_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Auth {
    Basic(String, String),
    Bearer(String),
}

fn once() -> usize {
    1
}

impl Case {
    /// Makes the call with a connection of its own, so that cookies and sockets are those of the case.
    pub(super) async fn perform(&self, host: &str, index: usize) {
        let connection = connection(host, "/", |config| {
            config.security = self.auth.as_ref().map(|auth| match auth {
                Auth::Basic(username, password) => {
                    Security::BasicAuth { username: username.clone(), password: Secret::from(&**password) }
                }
                Auth::Bearer(token) => Security::Bearer { token: Secret::from(&**token) },
            });
        });
        for _ in 0..self.times {
            let method = Method::from_bytes(self.method.as_bytes()).unwrap();
            let mut call = connection.conn().session().request(cid(), method, &*self.path);
            if !self.params.is_empty() {
                call = call.params(self.params.as_slice());
            }
            for (name, value) in &self.headers {
                call = call.header(name.as_str(), value.as_str());
            }
            call = self.with_body(call.header("X-Case", index.to_string()));
            if let Err(error) = call.await {
                panic!("{}: {}", self.name, chain(&error));
            }
        }
    }

    fn with_body(&self, call: Call) -> Call {
        match &self.body {
            None => call,
            Some(CaseBody::Text(text)) => call.body(text.as_str()),
            Some(CaseBody::Base64(text)) => call.body(STANDARD.decode(text).unwrap()),
            Some(CaseBody::Json(value)) => call.body(value),
            Some(CaseBody::Form(fields)) => call.body(Form(fields.as_slice())),
            Some(CaseBody::Multipart(parts)) => call.multipart(
                parts.iter().fold(Multipart::new(), |form, part| form.part(part.name.as_str(), part.made())),
            ),
            Some(CaseBody::Stream(pieces)) => {
                let pieces: Vec<_> =
                    pieces.iter().map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece.clone()))).collect();
                call.body(Body::streamed(stream::iter(pieces), None))
            }
        }
    }
}

impl CasePart {
    fn made(&self) -> Part {
        let mut part = Part::bytes(self.content.clone());
        if let Some(file_name) = &self.file_name {
            part = part.file_name(file_name.as_str());
        }
        if let Some(media_type) = &self.media_type {
            part = part.media_type(media_type.as_str());
        }
        part
    }
}
