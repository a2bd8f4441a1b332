//! Calls into the server beside a bare hyper server that replies the same bytes.

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::Error;
use crate::bare::Reply;
use crate::load;
use crate::peer::{Customer, SERVICE};
use crate::process::{self, Process};
use crate::table::{Target, median};

const CONNECTIONS: [usize; 3] = [1, 32, 256];
const ROUNDS: usize = 5;

/// One kind of call, and what its throughput should be as a part of the bare server's.
struct Case {
    name: &'static str,
    path: &'static str,
    request: Arc<[u8]>,
    target: f64,
}

pub(crate) fn run(seconds: f64) -> Result<(), Error> {
    tokio::runtime::Runtime::new()?.block_on(measure(Duration::from_secs_f64(seconds)))
}

async fn measure(duration: Duration) -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let data_dir = folder.path().join("data");
    let server = Process::start(&mut process::own(&["serve", &data_dir.to_string_lossy()])?)?;
    configure(server.address, &data_dir).await?;
    let cases = cases()?;
    let replies = folder.path().join("replies.json");
    fs::write(&replies, serde_json::to_vec(&sample_replies(server.address, &cases).await?)?)?;
    let bare = Process::start(&mut process::own(&["bare", &replies.to_string_lossy()])?)?;

    println!("{:<34}{:>12}{:>12}{:>10}{:>10}", "inbound calls", "bare/s", "server/s", "bare us", "server us");
    for case in &cases {
        for connections in CONNECTIONS {
            compare(case, connections, duration, &bare, &server).await?;
        }
    }
    println!("(us: CPU time of the server process per call; the load generator shares the cores)\n");
    Ok(())
}

async fn compare(
    case: &Case,
    connections: usize,
    duration: Duration,
    bare: &Process,
    server: &Process,
) -> Result<(), Error> {
    let (mut throughputs, mut ratios, mut cpu_ratios) = (Vec::new(), Vec::new(), Vec::new());
    let mut cpus = Vec::new();
    for _ in 0..ROUNDS {
        let mut round = Vec::new();
        for process in [bare, server] {
            let before = process.cpu_time()?;
            let load = load::run(process.address, &case.request, connections, duration).await?;
            let cpu = (process.cpu_time()? - before).as_secs_f64() * 1e6 / load.replies.max(1) as f64;
            round.push((load.per_second(), cpu));
        }
        if let [(bare, bare_cpu), (server, server_cpu)] = *round {
            throughputs.push((bare, server));
            cpus.push((bare_cpu, server_cpu));
            ratios.push(server / bare);
            cpu_ratios.push(bare_cpu / server_cpu);
        }
    }
    let middle = |pick: fn(&(f64, f64)) -> f64, values: &[(f64, f64)]| {
        median(&mut values.iter().map(pick).collect::<Vec<_>>())
    };
    println!(
        "{:<34}{:>12.0}{:>12.0}{:>10.1}{:>10.1}",
        format!("{}, {connections} connections", case.name),
        middle(|pair| pair.0, &throughputs),
        middle(|pair| pair.1, &throughputs),
        middle(|pair| pair.0, &cpus),
        middle(|pair| pair.1, &cpus),
    );
    println!("    throughput {}", Target::AtLeast(case.target).show(median(&mut ratios)));
    println!("    CPU        {}", Target::None.show(median(&mut cpu_ratios)));
    Ok(())
}

fn cases() -> Result<Vec<Case>, Error> {
    let customer = Customer::sample();
    let json = serde_json::to_string(&customer)?;
    let soap = format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:b=\"urn:bench\"><soapenv:Header/>\
         <soapenv:Body><b:customer><b:customer_id>{}</b:customer_id><b:is_active>{}</b:is_active><b:name>{}</b:name>\
         <b:street>{}</b:street><b:city>{}</b:city><b:notes>{}</b:notes></b:customer></soapenv:Body></soapenv:Envelope>",
        customer.customer_id,
        customer.is_active,
        customer.name,
        customer.street,
        customer.city,
        customer.notes
    );
    let basic = format!("Authorization: Basic {}\r\n", STANDARD.encode("bench:bench"));
    Ok(vec![
        Case {
            name: "ping",
            path: "/zato/ping",
            request: request("GET", "/zato/ping", "", ""),
            target: 0.85,
        },
        Case {
            name: "JSON, Basic Auth, 1 KB",
            path: "/bench/json",
            request: request("POST", "/bench/json", &basic, &json),
            target: 0.7,
        },
        Case {
            name: "SOAP, Basic Auth, 1 KB",
            path: "/bench/soap",
            request: request("POST", "/bench/soap", &format!("{basic}SOAPAction: {SERVICE}\r\n"), &soap),
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

/// Creates the user and the channels that the measurements call, over the public API.
async fn configure(address: SocketAddr, data_dir: &Path) -> Result<(), Error> {
    let credentials: Value = serde_json::from_slice(&fs::read(data_dir.join("credentials.json"))?)?;
    let cluster_id = &credentials["cluster_id"];
    let password = credentials["pubapi"]["password"].as_str().ok_or("no password of pubapi")?;
    let basic = format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("pubapi:{password}")));
    let call = async |service: &str, body: Value| -> Result<Value, Error> {
        let mut stream = TcpStream::connect(address).await?;
        let request = request("POST", &format!("/zato/json/{service}"), &basic, &body.to_string());
        let reply = load::exchange(&mut stream, &request).await?;
        let text = String::from_utf8(reply)?;
        let (_, body) = text.split_once("\r\n\r\n").ok_or("no body")?;
        Ok(serde_json::from_str(body)?)
    };
    let user = json!({"cluster_id": cluster_id, "name": "bench", "is_active": true, "username": "bench", "realm": "bench"});
    let reply = call("zato.security.basic-auth.create", user).await?;
    let security_id = &reply["zato_security_basic_auth_create_response"]["id"];
    call(
        "zato.security.basic-auth.change-password",
        json!({"id": security_id, "password1": "bench", "password2": "bench"}),
    )
    .await?;
    for (transport, data_format, path, soap_action) in
        [("plain_http", "json", "/bench/json", ""), ("soap", "xml", "/bench/soap", SERVICE)]
    {
        let channel = json!({
            "cluster_id": cluster_id, "name": path, "is_active": true, "is_internal": false, "connection": "channel",
            "transport": transport, "url_path": path, "service": SERVICE, "security_id": security_id,
            "data_format": data_format, "soap_action": soap_action,
            "soap_version": if transport == "soap" { "1.1" } else { "" },
        });
        call("zato.http-soap.create", channel).await?;
    }
    Ok(())
}

/// What the server replies to each case, for the bare one to reply the same.
async fn sample_replies(address: SocketAddr, cases: &[Case]) -> Result<HashMap<&'static str, Reply>, Error> {
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
