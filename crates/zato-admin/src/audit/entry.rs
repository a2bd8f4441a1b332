//! From a call to an entry of the audit log.
//!
//! Owns what an entry says, and that no credential is in it. It must not know where entries are stored.

use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};
use zato_channel::{AuditedCall, AuditedReply};
use zato_odb::model::{Connection, HttpSoapAudit, Transport};

use super::rules::Rules;
use crate::mask;

/// How many characters the columns of an entry hold.
const COLUMN: usize = 200;

/// The entry of a call of a cluster's channel.
pub(super) fn entry(cluster_id: i64, call: &AuditedCall, rules: &Rules) -> HttpSoapAudit {
    let reply = call.reply.as_ref();
    let user = call.caller.as_deref().map(|name| rules.username.as_deref().unwrap_or(name));
    let transport = if call.is_soap { Transport::Soap } else { Transport::PlainHttp };
    HttpSoapAudit {
        id: 0,
        cluster_id,
        name: (*call.channel).to_owned(),
        cid: call.cid.as_str().to_owned(),
        transport: transport.as_str().to_owned(),
        connection: Connection::Channel.as_str().to_owned(),
        req_time: call.begun,
        resp_time: reply.map(|reply| reply.time),
        user_token: user.map(str::to_owned),
        invoke_ok: reply.map(|reply| !is_error(reply.status)),
        auth_ok: call.was_let_through,
        remote_addr: call.address.chars().take(COLUMN).collect(),
        req_headers: Some(request_headers(call).into_bytes()),
        req_payload: Some(rules.hidden.kept(&call.payload, rules.max_payload)),
        resp_headers: reply.map(|reply| response_headers(reply).into_bytes()),
        resp_payload: reply.map(|reply| rules.hidden.kept(&reply.payload, rules.max_payload)),
        conn_id: call.channel_id,
    }
}

fn is_error(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

fn request_headers(call: &AuditedCall) -> String {
    let mut head = json!({
        "method": call.method.as_str(),
        "path": call.uri.path(),
        "headers": shown(&call.headers),
    });
    if let Some(query) = call.uri.query() {
        head["query"] = mask::form(query).into();
    }
    head.to_string()
}

fn response_headers(reply: &AuditedReply) -> String {
    json!({"status": reply.status.as_u16(), "headers": shown(&reply.headers)}).to_string()
}

/// Headers by name; those that came more than once have their values in one text, as RFC 9110 has it.
fn shown(headers: &HeaderMap) -> Map<String, Value> {
    let mut shown = Map::new();
    for (name, value) in mask::headers(headers) {
        match shown.get_mut(name) {
            Some(Value::String(before)) => {
                before.push_str(", ");
                before.push_str(&value);
            }
            _ => {
                shown.insert(name.to_owned(), value.into());
            }
        }
    }
    shown
}
