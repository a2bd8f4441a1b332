//! TLS at the listener, with curl as the client.

use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tempfile::TempDir;

use crate::support::api::{json_channel, soap_channel, with};
use crate::support::certificates::Authority;
use crate::support::envelope::soap_request;
use crate::support::http::is_cid;
use crate::support::raw::Raw;
use crate::support::{Launch, Server, eventually};

/// A server that listens for TLS connections as well.
struct Secured {
    server: Server,
    authority: Authority,
    folder: TempDir,
    certificate: String,
    key: String,
}

impl Secured {
    fn start(asks_clients: bool) -> Self {
        Self::start_with(asks_clients, &[])
    }

    fn start_with(asks_clients: bool, flags: &[(&'static str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path(), "authority");
        let (certificate, key) = authority.issue("server");
        let launch = Launch::new()
            .flag("--https", "127.0.0.1:0")
            .flag("--tls-certificate", &certificate)
            .flag("--tls-key", &key);
        let launch = if asks_clients { launch.flag("--tls-client-ca", authority.file()) } else { launch };
        let launch = flags.iter().fold(launch, |launch, (name, value)| launch.flag(name, *value));
        Self { server: launch.start(), authority, folder, certificate, key }
    }

    fn port(&self) -> u16 {
        let file = fs::read_to_string(self.server.data().join("server.json")).unwrap();
        let server: serde_json::Value = file.parse().unwrap();
        server["https"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap()
    }

    /// What curl prints for a path, or its exit code.
    fn curl(&self, authority: &str, path: &str, options: &[&str]) -> Result<String, i32> {
        let url = format!("https://localhost:{}{path}", self.port());
        let output = Command::new("curl")
            .args(["--silent", "--max-time", "20", "--cacert", authority])
            .args(options)
            .arg(url)
            .output()
            .expect("curl is installed");
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).unwrap())
        } else {
            Err(output.status.code().unwrap_or(-1))
        }
    }
}

/// The options of a client with a certificate.
fn with_certificate<'a>(certificate: &'a str, key: &'a str) -> Vec<&'a str> {
    [&VERSION[..], &["--cert", certificate, "--key", key]].concat()
}

/// Options that print the version and the status of the reply.
const VERSION: [&str; 4] = ["--output", "/dev/null", "--write-out", "%{http_version} %{http_code}"];

#[test]
fn the_same_server_answers_over_both() {
    let secured = Secured::start(false);
    let authority = secured.authority.file();
    assert_eq!(secured.curl(&authority, "/zato/ping", &VERSION), Ok("2 200".to_owned()));
    let http1 = [&VERSION[..], &["--http1.1"]].concat();
    assert_eq!(secured.curl(&authority, "/zato/ping", &http1), Ok("1.1 200".to_owned()));
    secured.server.request("GET", "/zato/ping").send().status(200);
    for options in [&[][..], &["--http1.1"]] {
        let wsdl = secured.curl(&authority, "/zato/wsdl", options).unwrap();
        let address = format!("location=\"https://localhost:{}/zato/soap\"", secured.port());
        assert!(wsdl.contains(&address), "no {address} with {options:?}");
    }
    // 60: the certificate of the server is not trusted.
    let other = Authority::new(secured.folder.path(), "other");
    assert_eq!(secured.curl(&other.file(), "/zato/ping", &VERSION), Err(60));
}

#[test]
fn a_client_without_tls_is_turned_away() {
    let secured = Secured::start(false);
    let output = Command::new("curl")
        .args(["--silent", "--max-time", "20", &format!("http://localhost:{}/zato/ping", secured.port())])
        .output()
        .expect("curl is installed");
    assert!(!output.status.success(), "{output:?}");
    secured.server.request("GET", "/zato/ping").send().status(200);
}

/// Nor does one that never says a word of TLS keep the server from stopping.
#[test]
fn a_silent_client_does_not_keep_it() {
    let secured = Secured::start_with(false, &[("--shutdown-timeout", "6")]);
    let mut client = Raw::open(([127, 0, 0, 1], secured.port()).into());
    // Connections are accepted in their order, so the first one is served once the second is answered.
    assert_eq!(secured.curl(&secured.authority.file(), "/zato/ping", &VERSION), Ok("2 200".to_owned()));
    let stopped = secured.server.stop();
    assert!(!stopped.log.contains("WARN"), "{}", stopped.log);
    assert!(client.rest().is_empty());
}

/// A renewed certificate is in use without a restart, and one that can't be used does not replace a good one.
#[test]
fn changed_certificates_are_taken_up() {
    let secured = Secured::start(false);
    let old = secured.authority.file();
    let replace = |from: &str, to: &str| {
        fs::copy(from, format!("{to}.new")).unwrap();
        fs::rename(format!("{to}.new"), to).unwrap();
    };
    let folder = secured.folder.path().join("renewed");
    fs::create_dir(&folder).unwrap();
    let renewed = Authority::new(&folder, "renewed");
    let (certificate, key) = renewed.issue("server");

    fs::write(Path::new(&secured.key), "no key").unwrap();
    eventually("the server says that it can't use the key", || {
        (!secured.server.log_lines(&["ERROR", "the certificates stay as they were"]).is_empty()).then_some(())
    });
    assert!(secured.curl(&old, "/zato/ping", &VERSION).is_ok());

    replace(&key, &secured.key);
    replace(&certificate, &secured.certificate);
    eventually("the renewed certificate is in use", || {
        secured.curl(&renewed.file(), "/zato/ping", &VERSION).ok()
    });
    assert_eq!(secured.curl(&old, "/zato/ping", &VERSION), Err(60));
}

/// Clients that have a certificate prove it, those that have none are let in: what they may do, channels decide.
#[test]
fn clients_may_prove_themselves() {
    let secured = Secured::start(true);
    let authority = secured.authority.file();
    let (certificate, key) = secured.authority.issue("client");
    assert_eq!(secured.curl(&authority, "/zato/ping", &VERSION), Ok("2 200".to_owned()));
    assert_eq!(
        secured.curl(&authority, "/zato/ping", &with_certificate(&certificate, &key)),
        Ok("2 200".to_owned())
    );
    let stranger = Authority::new(secured.folder.path(), "stranger");
    let (certificate, key) = stranger.issue("impostor");
    assert!(secured.curl(&authority, "/zato/ping", &with_certificate(&certificate, &key)).is_err());
}

/// A channel of any format lets in whose certificate says what its definition asks for, for as long as it asks for that.
#[test]
fn certificates_open_channels() {
    let secured = Secured::start(true);
    let api = secured.server.api();
    let authority = secured.authority.file();
    let rules = json!({"cluster_id": 1, "name": "Partners", "is_active": true, "value": "CN=partner"});
    // The services have no channels of their own.
    let invoke = |action: &str, input: &serde_json::Value| {
        let service = format!("zato.security.tls.channel.{action}");
        let payload = STANDARD.encode(input.to_string());
        let input = json!({"name": service, "data_format": "json", "payload": payload});
        let reply = api.call("zato.service.invoke", &input).ok();
        let reply = STANDARD.decode(reply["response"].as_str().unwrap_or_default()).unwrap();
        let reply: serde_json::Value = serde_json::from_slice(&reply).unwrap_or_default();
        reply[format!("zato_security_tls_channel_{action}_response")]["id"].clone()
    };
    let id = invoke("create", &rules);
    let guard = json!({"security_id": id});
    let json_format = json_channel("Partners", "/partners/json", "zato.ping");
    let xml =
        with(&json_channel("Partners XML", "/partners/xml", "zato.ping"), &json!({"data_format": "xml"}));
    for channel in
        [json_format, xml, soap_channel("Partners SOAP", "/partners/soap", "urn:ping", "zato.ping")]
    {
        api.create_http(&with(&channel, &guard));
    }

    /// Whose certificate a client has.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Client {
        Partner,
        Other,
        Nobody,
    }
    let (certificate, key) = secured.authority.issue("partner");
    let (other_certificate, other_key) = secured.authority.issue("other");
    let send = |client: Client, format: &str| {
        let (body, action) = match format {
            "json" => ("{}".to_owned(), ""),
            "xml" => ("<zato_ping_request/>".to_owned(), ""),
            _ => (soap_request("zato.ping", &json!({})), "SOAPAction: urn:ping"),
        };
        let own = match client {
            Client::Partner => vec!["--cert", &certificate, "--key", &key],
            Client::Other => vec!["--cert", &other_certificate, "--key", &other_key],
            // What a load balancer would say of a certificate counts for nothing.
            Client::Nobody => vec!["--header", "X-Zato-TLS-CN: partner"],
        };
        let own = [&own[..], &["--header", action, "--data-binary", &body, "--write-out", " %{http_code}"]];
        let printed = secured.curl(&authority, &format!("/partners/{format}"), &own.concat()).unwrap();
        let (text, status) = printed.rsplit_once(' ').unwrap();
        // Each reply has a correlation id of its own.
        let parts = text.split(|c: char| !c.is_ascii_alphanumeric()).find(|part| is_cid(part));
        (status.parse::<u16>().unwrap(), text.replace(parts.unwrap_or("none"), "CID"))
    };
    let check = |what: &str, expected: [u16; 3]| {
        for format in ["json", "xml", "soap"] {
            let mut refusal = None;
            for (client, expected) in
                [Client::Partner, Client::Other, Client::Nobody].into_iter().zip(expected)
            {
                let (status, text) = send(client, format);
                assert_eq!(status, expected, "{what} {format} {client:?}: {text}");
                if status == 401 {
                    let refusal = refusal.get_or_insert_with(|| text.clone());
                    assert_eq!(*refusal, text, "{what} {format} {client:?}");
                }
            }
        }
    };
    check("at first", [200, 401, 401]);
    secured.server.request("GET", "/partners/json").send().status(401);
    let edit = |changes: serde_json::Value| {
        assert_eq!(invoke("edit", &with(&with(&rules, &json!({"id": id})), &changes)), id);
    };
    edit(json!({"value": "CN=other"}));
    check("with another rule", [401, 200, 401]);
    edit(json!({"is_active": false}));
    check("inactive", [401, 401, 401]);
    edit(json!({"name": "Partners renamed"}));
    check("renamed", [200, 401, 401]);
    invoke("delete", &json!({"id": id}));
    check("deleted", [404, 404, 404]);
}

#[test]
fn files_that_are_no_certificates_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = Authority::new(folder.path(), "authority").issue("server");
    let refusal = |certificate: &str, key: &str| {
        let launch = Launch::new().flag("--https", "127.0.0.1:0");
        launch.flag("--tls-certificate", certificate).flag("--tls-key", key).refusal().stderr
    };
    let text = refusal(&key, &key);
    assert!(text.contains("server.key holds no certificate"), "{text}");
    let text = refusal(&certificate, &certificate);
    assert!(text.contains("server.pem does not hold a private key in PEM"), "{text}");
    let text = refusal("/nowhere.pem", &key);
    assert!(text.contains("can't read /nowhere.pem"), "{text}");
}
