//! The calls that are measured, and the server that they need.
//!
//! Owns the requests, their targets, and the user and channels that they call. It must not know how they are measured.

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::Error;
use crate::bare::Reply;
use crate::load;
use crate::peer::{Customer, SERVICE};

/// The user and the password of all calls.
const USER: &str = "bench";

const WSSE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const PASSWORD_TEXT: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText";

/// One kind of call, and what its throughput should be as a part of the bare server's.
pub(super) struct Case {
    pub(super) name: &'static str,
    path: &'static str,
    pub(super) request: Arc<[u8]>,
    pub(super) target: f64,
}

pub(super) fn cases() -> Result<Vec<Case>, Error> {
    let customer = Customer::sample();
    let json = serde_json::to_string(&customer)?;
    let soap = |header: &str| {
        format!(
            "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:b=\"urn:bench\">{header}\
             <soapenv:Body><b:customer><b:customer_id>{}</b:customer_id><b:is_active>{}</b:is_active><b:name>{}</b:name>\
             <b:street>{}</b:street><b:city>{}</b:city><b:notes>{}</b:notes></b:customer></soapenv:Body></soapenv:Envelope>",
            customer.customer_id,
            customer.is_active,
            customer.name,
            customer.street,
            customer.city,
            customer.notes
        )
    };
    let token = format!(
        "<soapenv:Header><w:Security xmlns:w=\"{WSSE}\"><w:UsernameToken><w:Username>{USER}</w:Username>\
         <w:Password Type=\"{PASSWORD_TEXT}\">{USER}</w:Password></w:UsernameToken></w:Security></soapenv:Header>"
    );
    let action = format!("SOAPAction: {SERVICE}\r\n");
    let basic = format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("{USER}:{USER}")));
    Ok(vec![
        Case {
            name: "ping",
            path: "/zato/ping",
            request: request("GET", "/zato/ping", "", ""),
            target: 0.92,
        },
        Case {
            name: "JSON, Basic Auth, 1 KB",
            path: "/bench/json",
            request: request("POST", "/bench/json", &basic, &json),
            target: 0.8,
        },
        Case {
            name: "SOAP, Basic Auth, 1 KB",
            path: "/bench/soap",
            request: request("POST", "/bench/soap", &format!("{basic}{action}"), &soap("<soapenv:Header/>")),
            target: 0.62,
        },
        Case {
            name: "SOAP, WS-Security, 1 KB",
            path: "/bench/wss",
            request: request("POST", "/bench/wss", &action, &soap(&token)),
            target: 0.5,
        },
    ])
}

fn request(method: &str, path: &str, headers: &str, body: &str) -> Arc<[u8]> {
    let length = body.len();
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
        .into_bytes()
        .into()
}

/// The public API of a server, and the cluster and user that it was started with.
struct PublicApi {
    address: SocketAddr,
    authorization: String,
    cluster_id: Value,
}

impl PublicApi {
    fn of(address: SocketAddr, data_dir: &Path) -> Result<Self, Error> {
        let credentials: Value = serde_json::from_slice(&fs::read(data_dir.join("credentials.json"))?)?;
        let password = credentials["pubapi"]["password"].as_str().ok_or("no password of pubapi")?;
        let authorization =
            format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("pubapi:{password}")));
        Ok(Self { address, authorization, cluster_id: credentials["cluster_id"].clone() })
    }

    async fn call(&self, service: &str, body: Value) -> Result<Value, Error> {
        let mut stream = TcpStream::connect(self.address).await?;
        let path = format!("/zato/json/{service}");
        let request = request("POST", &path, &self.authorization, &body.to_string());
        let reply = load::exchange(&mut stream, &request).await?;
        let text = String::from_utf8(reply)?;
        let (_, body) = text.split_once("\r\n\r\n").ok_or("no body")?;
        Ok(serde_json::from_str(body)?)
    }
}

/// Asks for every list of the public API, so often. Those which want to know more than the cluster refuse, which is a reply too.
pub(super) async fn read_lists(address: SocketAddr, data_dir: &Path, times: usize) -> Result<(), Error> {
    let api = PublicApi::of(address, data_dir)?;
    let cluster = json!({"cluster_id": api.cluster_id});
    let services = api.call("zato.service.get-list", cluster.clone()).await?;
    let services = services["zato_service_get_list_response"].as_array().ok_or("no list of services")?;
    let lists = services.iter().filter_map(|service| service["name"].as_str());
    let lists: Vec<&str> = lists.filter(|name| name.ends_with(".get-list")).collect();
    for _ in 0..times {
        for list in &lists {
            drop(api.call(list, cluster.clone()).await);
        }
    }
    Ok(())
}

/// Creates the user and the channels that the measurements call, over the public API.
pub(super) async fn configure(address: SocketAddr, data_dir: &Path) -> Result<(), Error> {
    let api = PublicApi::of(address, data_dir)?;
    let cluster_id = &api.cluster_id;
    let name_and_user = json!({"cluster_id": cluster_id, "name": USER, "is_active": true, "username": USER});
    let basic_auth = with(&name_and_user, &json!({"realm": USER}));
    let rules = json!({
        "name": "bench tokens", "password_type": "clear_text", "reject_empty_nonce_creat": false,
        "reject_stale_tokens": true, "reject_expiry_limit": 3600, "nonce_freshness_time": 3600,
    });
    let tokens = with(&name_and_user, &rules);
    let mut definitions = Vec::new();
    for (family, definition) in [("basic-auth", basic_auth), ("wss", tokens)] {
        let reply = api.call(&format!("zato.security.{family}.create"), definition).await?;
        let element = format!("zato_security_{}_create_response", family.replace('-', "_"));
        let id = reply[element]["id"].clone();
        let passwords = json!({"id": id, "password1": USER, "password2": USER});
        api.call(&format!("zato.security.{family}.change-password"), passwords).await?;
        definitions.push(id);
    }
    for (transport, data_format, path, soap_action, security_id) in [
        ("plain_http", "json", "/bench/json", "", &definitions[0]),
        ("soap", "xml", "/bench/soap", SERVICE, &definitions[0]),
        ("soap", "xml", "/bench/wss", SERVICE, &definitions[1]),
    ] {
        let channel = json!({
            "cluster_id": cluster_id, "name": path, "is_active": true, "is_internal": false, "connection": "channel",
            "transport": transport, "url_path": path, "service": SERVICE, "security_id": security_id,
            "data_format": data_format, "soap_action": soap_action,
            "soap_version": if transport == "soap" { "1.1" } else { "" },
        });
        api.call("zato.http-soap.create", channel).await?;
    }
    Ok(())
}

fn with(object: &Value, further: &Value) -> Value {
    let mut object = object.clone();
    for (name, value) in further.as_object().into_iter().flatten() {
        object[name] = value.clone();
    }
    object
}

/// What the server replies to each case, for the bare one to reply the same.
pub(super) async fn sample_replies(
    address: SocketAddr,
    cases: &[Case],
) -> Result<HashMap<&'static str, Reply>, Error> {
    let mut replies = HashMap::new();
    for case in cases {
        let mut stream = TcpStream::connect(address).await?;
        let reply = String::from_utf8(load::exchange(&mut stream, &case.request).await?)?;
        let (head, body) = reply.split_once("\r\n\r\n").ok_or("no body")?;
        // hyper adds these two by itself.
        let own = |name: &str| !["content-length", "date"].contains(&name.to_ascii_lowercase().as_str());
        let headers = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .filter(|(name, _)| own(name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        replies.insert(case.path, Reply { headers, body: body.to_owned() });
    }
    Ok(replies)
}
