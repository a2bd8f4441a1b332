//! Replies written around a payload.
//!
//! Owns the order of what is written and the parts that are the same for each reply of a service, which are prepared
//! once. It must not know what payloads look like: the caller writes them into the same buffer.

use zato_xml::{escape, is_name};

use crate::envelope::ZatoEnv;

/// A response element whose name XML has no form for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` cannot be the name of an XML element")]
pub struct InvalidName {
    /// The name that was asked for.
    pub name: String,
}

/// The JSON replies of one service: `{"zato_env":{…},"zato_x_response":…}`.
#[derive(Debug, Clone)]
pub struct JsonFrame {
    /// What stands between the envelope and the payload, or `None` for services without output.
    before_payload: Option<Vec<u8>>,
}

impl JsonFrame {
    /// Prepares the replies of a service with this response element, or of one without output.
    pub fn new(response_element: Option<&str>) -> Self {
        let before_payload = response_element.map(|name| {
            let mut bytes = vec![b','];
            write_string(&mut bytes, name);
            bytes.push(b':');
            bytes
        });
        Self { before_payload }
    }

    /// Appends a reply. `payload` appends the value of the response element; if it appends nothing, the element is left
    /// out. It is not called at all if the frame has no response element.
    ///
    /// # Errors
    ///
    /// Those of `payload`. `out` is then as it was.
    pub fn write<E>(
        &self,
        out: &mut Vec<u8>,
        env: &ZatoEnv<'_>,
        payload: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = out.len();
        write_json_env(out, env);
        if let Some(before_payload) = &self.before_payload {
            let end_of_env = out.len();
            out.extend_from_slice(before_payload);
            let start_of_payload = out.len();
            if let Err(error) = payload(out) {
                out.truncate(start);
                return Err(error);
            }
            if out.len() == start_of_payload {
                out.truncate(end_of_env);
            }
        }
        out.push(b'}');
        Ok(())
    }
}

/// Appends a JSON reply which consists of the envelope alone, as errors do:
/// `{"zato_env":{"details":"…","result":"ZATO_ERROR","cid":"…"}}`.
pub fn write_json_error(out: &mut Vec<u8>, env: &ZatoEnv<'_>) {
    write_json_env(out, env);
    out.push(b'}');
}

/// Writes everything but the closing brace.
fn write_json_env(out: &mut Vec<u8>, env: &ZatoEnv<'_>) {
    out.extend_from_slice(b"{\"zato_env\":{\"details\":");
    write_string(out, &env.details);
    out.extend_from_slice(b",\"result\":\"");
    out.extend_from_slice(env.result.as_str().as_bytes());
    out.extend_from_slice(b"\",\"cid\":");
    write_string(out, &env.cid);
    out.push(b'}');
}

#[expect(
    clippy::expect_used,
    reason = "neither a text nor a write into memory can fail, and there is nothing else"
)]
fn write_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a text is written into memory");
}

/// The XML replies of one service: `<zato_x_response xmlns="…"><zato_env>…</zato_env>…</zato_x_response>`.
#[derive(Debug, Clone)]
pub struct XmlFrame {
    start: Vec<u8>,
    end: Vec<u8>,
}

impl XmlFrame {
    /// Prepares the replies of a service with this response element, in a namespace or in none.
    ///
    /// # Errors
    ///
    /// A response element which is not an XML name.
    pub fn new(response_element: &str, namespace: Option<&str>) -> Result<Self, InvalidName> {
        if !is_name(response_element) {
            return Err(InvalidName { name: response_element.to_owned() });
        }
        let mut start = format!("<{response_element}").into_bytes();
        if let Some(namespace) = namespace {
            start.extend_from_slice(b" xmlns=\"");
            escape::attribute(namespace, &mut start);
            start.push(b'"');
        }
        start.extend_from_slice(b"><zato_env><cid>");
        Ok(Self { start, end: format!("</{response_element}>").into_bytes() })
    }

    /// Appends a reply, without an XML declaration. `payload` appends what follows the envelope inside the response
    /// element, such as the `item` of [`zato_sio::to_xml`]; it may append nothing. The details are only written if there
    /// are any.
    ///
    /// # Errors
    ///
    /// Those of `payload`. `out` is then as it was.
    pub fn write<E>(
        &self,
        out: &mut Vec<u8>,
        env: &ZatoEnv<'_>,
        payload: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = out.len();
        out.extend_from_slice(&self.start);
        escape::text(&env.cid, out);
        out.extend_from_slice(b"</cid><result>");
        out.extend_from_slice(env.result.as_str().as_bytes());
        out.extend_from_slice(b"</result>");
        if !env.details.is_empty() {
            out.extend_from_slice(b"<details>");
            escape::text(&env.details, out);
            out.extend_from_slice(b"</details>");
        }
        out.extend_from_slice(b"</zato_env>");
        if let Err(error) = payload(out) {
            out.truncate(start);
            return Err(error);
        }
        out.extend_from_slice(&self.end);
        Ok(())
    }
}
