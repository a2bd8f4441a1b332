//! `zato.service.invoke`: runs any service by name or id, at once or in the background.
//!
//! Owns what is taken off the payload before the target gets it, and what is put around its reply. It must not know any
//! target.

use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;
use serde_json::Value;
use zato_catalogue::service::invoke::{Request, Response};
use zato_env::{XmlFrame, ZatoEnv};
use zato_service::{Context, Error, Input, Output, Registration};
use zato_sio::EncodeError;
use zato_xml::{Document, Limits, Node};

use crate::Admin;
use crate::base64::decode;
use crate::error::no_row;
use crate::handle::Answer;
use crate::target::reply_json;

/// What the caller gets.
pub(crate) enum Reply {
    /// The object of the catalogue.
    Object(Response),
    /// The base64 text alone, for clients that say so. They speak JSON.
    Text(String),
}

impl Output for Reply {
    fn write_json(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Object(response) => zato_sio::to_json(response, out),
            Self::Text(text) => zato_sio::to_json(text, out),
        }
    }

    fn write_xml(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Object(response) => zato_sio::to_xml(response, out),
            Self::Text(text) => zato_sio::to_xml(&Response { response: Some(text.clone()) }, out),
        }
    }

    fn to_value(&self) -> Result<Value, Error> {
        match self {
            Self::Object(response) => Output::to_value(response),
            Self::Text(text) => Ok(Value::from(text.as_str())),
        }
    }
}

/// How a payload is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Xml,
    /// Whatever it is, the target gets it as it is.
    Raw,
}

impl Format {
    fn of(name: Option<&str>) -> Self {
        match name {
            Some("json") => Self::Json,
            Some("xml") => Self::Xml,
            _ => Self::Raw,
        }
    }
}

impl Answer for Request {
    type Reply = Reply;

    async fn answer(self, cx: &mut Context, _: &Admin) -> Result<Reply, Error> {
        let target = find(cx, self.id, self.name.as_deref())?;
        let payload = decode("payload", self.payload.as_deref().unwrap_or_default())?;
        let format = Format::of(self.data_format.as_deref());
        let is_soap = self.transport.as_deref() == Some("soap");
        let is_async = self.r#async.or(self.is_async).unwrap_or_default();
        let response = if is_async {
            // It begins right away, so that `expiration` never comes to pass.
            invoke_async(cx, &target, payload, format, is_soap)?
        } else {
            invoke(cx, &target, &payload, format, is_soap).await?
        };
        let response = BASE64_STANDARD.encode(response);
        Ok(if self.skip_response_elem_or_default() {
            Reply::Text(response)
        } else {
            Reply::Object(Response { response: Some(response) })
        })
    }
}

fn find(cx: &Context, id: Option<i64>, name: Option<&str>) -> Result<Arc<Registration>, Error> {
    match (id, name) {
        (Some(id), Some(name)) => {
            Err(Error::bad_request(format!("Cannot accept both id:[{id}] and name:[{name}]")))
        }
        (None, None) => Err(Error::bad_request("Either the id or the name of a service is required")),
        (None, Some(name)) => cx.registry().find(name).ok_or_else(|| no_row("service", "name", name)),
        (Some(id), None) => {
            let services = cx.registry().services();
            services.into_iter().find(|service| service.id() == id).ok_or_else(|| no_row("service", "id", id))
        }
    }
}

async fn invoke(
    cx: &Context,
    target: &Registration,
    payload: &Bytes,
    format: Format,
    is_soap: bool,
) -> Result<Vec<u8>, Error> {
    let name = target.name();
    let mut reply = Vec::new();
    match format {
        Format::Json | Format::Raw => {
            let input = match format {
                _ if payload.is_empty() => Input::Empty,
                Format::Json => Input::Json(payload),
                _ => Input::Raw(payload),
            };
            let output = cx.invoke_with(name, input).await?;
            match target.response_element() {
                Some(element) if output.raw().is_none() => write_json(&*output, element, &mut reply)?,
                _ => output.write_json(&mut reply)?,
            }
        }
        Format::Xml => {
            let output = if payload.is_empty() {
                cx.invoke_with(name, Input::Empty).await?
            } else {
                let text = utf8(payload)?;
                let document = parse(text)?;
                let input = match root(&document, is_soap)? {
                    Some(root) => {
                        check_root(target, root)?;
                        Input::Xml { root, raw: payload }
                    }
                    None => Input::Empty,
                };
                cx.invoke_with(name, input).await?
            };
            match target.response_element() {
                Some(element) if output.raw().is_none() => {
                    let frame = XmlFrame::new(element, target.namespace())?;
                    let cid = cx.cid();
                    let env = ZatoEnv::ok(cid.as_str());
                    frame.write(&mut reply, &env, |out| {
                        output.write_xml(out)?;
                        output.page().map_or(Ok(()), |page| page.write_xml(out))
                    })?;
                }
                _ => output.write_xml(&mut reply)?,
            }
        }
    }
    Ok(reply)
}

/// The reply without an envelope: `{"<response element>": ..}`, or nothing for a target without output.
fn write_json(output: &dyn Output, element: &str, reply: &mut Vec<u8>) -> Result<(), Error> {
    let payload = reply_json(output)?;
    if payload == b"null" {
        return Ok(());
    }
    reply.push(b'{');
    zato_sio::to_json(element, reply)?;
    reply.push(b':');
    reply.extend_from_slice(&payload);
    if let Some(page) = output.page() {
        page.write_json(reply)?;
    }
    reply.push(b'}');
    Ok(())
}

fn invoke_async(
    cx: &Context,
    target: &Registration,
    payload: Bytes,
    format: Format,
    is_soap: bool,
) -> Result<Vec<u8>, Error> {
    let name = target.name();
    let cid = match format {
        Format::Json if !payload.is_empty() => {
            // Whoever waits for no reply learns here that the payload is not JSON.
            let document: Value = zato_sio::from_json_any(&payload)?;
            cx.invoke_async(name, &document)?
        }
        Format::Xml if !payload.is_empty() => {
            let document = parse(utf8(&payload)?)?;
            match root(&document, is_soap)? {
                Some(element) => {
                    check_root(target, element)?;
                    let root = if is_soap { soap_payload } else { document_root };
                    cx.invoke_async_xml(name, payload.clone(), root)?
                }
                None => cx.invoke_async_raw(name, Bytes::new())?,
            }
        }
        Format::Json => cx.invoke_async_raw(name, Bytes::new())?,
        Format::Xml | Format::Raw => cx.invoke_async_raw(name, payload)?,
    };
    Ok(cid.as_str().as_bytes().to_vec())
}

fn utf8(payload: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(payload).map_err(|error| Error::bad_request(format!("payload is not UTF-8: {error}")))
}

fn parse(text: &str) -> Result<Document<'_>, Error> {
    zato_xml::parse(text, &Limits::default())
        .map_err(|error| Error::bad_request(format!("payload is not XML that can be read: {error}")))
}

/// The element that the target gets; none of an empty SOAP body.
fn root<'d>(document: &'d Document<'d>, is_soap: bool) -> Result<Option<Node<'d, 'd>>, Error> {
    if !is_soap {
        return Ok(Some(document.root_element()));
    }
    let envelope = zato_soap::Envelope::of(document)
        .map_err(|error| Error::bad_request(format!("payload is no SOAP message: {error}")))?;
    Ok(envelope.payload())
}

fn document_root<'d>(document: &'d Document<'d>) -> Option<Node<'d, 'd>> {
    Some(document.root_element())
}

fn soap_payload<'d>(document: &'d Document<'d>) -> Option<Node<'d, 'd>> {
    zato_soap::Envelope::of(document).ok()?.payload()
}

fn check_root(target: &Registration, root: Node<'_, '_>) -> Result<(), Error> {
    let found = root.tag_name().name();
    match target.request_element() {
        Some(expected) if expected != found => Err(Error::bad_request(format!(
            "The payload's root element is [{found}], but that of service [{}] is [{expected}]",
            target.name()
        ))),
        _ => Ok(()),
    }
}
