//! The example program, run as it is: services in Rust that call other systems, and what those systems get to see.

use serde_json::{Value, json};

use crate::support::api::{outgoing, with};
use crate::support::envelope::SOAP;
use crate::support::http::basic_auth;
use crate::support::peer::NOBODY;
use crate::support::{Launch, Peer, PeerReply, Reply, Server, eventually, shell};

const POST: &str = "CRM Customer Profile";
const PING: &str = "CRM Customer Cases";
const GET: &str = "CRM Connection";
const SEND: &str = "Set Account Balance";

/// The example accepts calls before it has created its channels; it prints how to call them when it has.
pub(crate) fn start() -> Server {
    let server = Launch::crm_example().start();
    is_ready(&server);
    server
}

fn is_ready(server: &Server) {
    eventually("the example prints how to call it", || {
        Some(server.stdout()).filter(|text| text.matches("/crm/").count() >= 3 && text.ends_with('\n'))
    });
}

fn peer() -> Peer {
    Peer::start(|request| match request.method.as_str() {
        "HEAD" => PeerReply::status(200),
        "POST" if request.target == "/balance" => PeerReply::ok("text/xml", "<changed/>"),
        _ => PeerReply::ok("application/json; charset=utf-8", "{\"from\":\"peer\"}"),
    })
}

fn post(server: &Server, path: &str, body: &Value) -> Reply {
    server.request("POST", path).json(body).send()
}

fn customer(server: &Server) -> Reply {
    post(server, "/crm/customer", &json!({"customer_id": 1}))
}

/// The list entry of an outgoing connection, as the input that changes it.
#[track_caller]
fn connection(server: &Server, name: &str) -> Value {
    let transport = if name == SEND { "soap" } else { "plain_http" };
    let input = json!({"cluster_id": 1, "connection": "outgoing", "transport": transport});
    let list = server.api().call("zato.http-soap.get-list", &input).ok();
    let item = list.as_array().unwrap().iter().find(|item| item["name"] == name).unwrap();
    let action = if name == SEND {
        json!({"soap_action": "urn:set-balance", "soap_version": "1.1"})
    } else {
        json!({})
    };
    let path = item["url_path"].as_str().unwrap();
    let object = with(&outgoing(name, item["host"].as_str().unwrap(), path), &action);
    with(&object, &json!({"id": item["id"], "transport": transport}))
}

#[track_caller]
fn edit(server: &Server, name: &str, changes: &Value) {
    server.api().id_of("zato.http-soap.edit", &with(&connection(server, name), changes));
}

#[test]
fn it_runs_as_it_is() {
    let server = start();
    let printed = server.stdout();
    let commands: Vec<_> = printed.lines().map(str::trim).filter(|line| line.contains("/crm/")).collect();
    let outputs: Vec<_> =
        commands.iter().map(|command| shell::bash(&std::env::temp_dir(), command)).collect();
    for (output, expected) in outputs.iter().zip(["Code: 200", "id=1&type_id=2", "45.67"]) {
        assert!(output.contains(expected), "{output}");
        assert!(!output.contains("ZATO_ERROR"), "{output}");
    }
    // Only the services of the example are an operator's own.
    let services = server.api().names("zato.service.get-list", &json!({"cluster_id": 1, "name_filter": "*"}));
    assert_eq!(services, ["crm.account.set-balance", "crm.customer.find", "crm.customer.get"]);

    let server = server.stop().start();
    is_ready(&server);
    customer(&server).status(200);
}

#[test]
fn a_post_has_the_three_headers_and_its_body() {
    let server = start();
    let peer = peer();
    for name in [POST, PING] {
        edit(&server, name, &json!({"host": peer.host()}));
    }
    let reply = customer(&server).status(200);
    let answer = reply.json()["response"].clone();
    assert_eq!(answer["content_type"], "application/json; charset=utf-8");
    assert_eq!(answer["profile"], json!({"from": "peer"}));
    assert!(
        answer["cases_ping"].as_str().unwrap().contains(&format!("HEAD {}/cases", peer.host())),
        "{answer}"
    );

    let [post, ping] = peer.requests().try_into().expect("a POST and a ping");
    assert_eq!((post.method.as_str(), post.target.as_str()), ("POST", "/profile"));
    assert_eq!(post.body.parse::<Value>().unwrap(), json!({"cust_id": 1, "name": "Foo Bar"}));
    assert_eq!(post.header("Authorization"), "");
    assert_eq!((ping.method.as_str(), ping.target.as_str()), ("HEAD", "/cases"));
    for request in [&post, &ping] {
        assert_eq!(request.header("X-Zato-CID"), reply.cid());
        assert!(request.header("X-Zato-Component").starts_with("parallel/"), "{request:?}");
        let time = request.header("X-Zato-Msg-TS");
        assert!(time.len() == 26 && &time[10..11] == "T", "{time}");
        assert_eq!(request.header("Host"), peer.host().trim_start_matches("http://"));
    }
}

#[test]
fn a_get_has_its_parameters() {
    let server = start();
    let peer = peer();
    edit(&server, GET, &json!({"host": peer.host()}));
    post(&server, "/crm/find", &json!({"customer_id": 7, "type_id": "2"})).status(200);
    let request = peer.take_one();
    assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", "/search?id=7&type_id=2"));
    assert_eq!(request.body, "");

    // A placeholder takes the parameter of its name.
    edit(&server, GET, &json!({"host": peer.host(), "url_path": "/search/{id}/all"}));
    post(&server, "/crm/find", &json!({"customer_id": 7, "type_id": 2})).status(200);
    assert_eq!(peer.take_one().target, "/search/7/all?type_id=2");
}

#[test]
fn a_soap_message_is_put_into_its_envelope() {
    let server = start();
    let peer = peer();
    let body = "<data><id>123</id><val>45.67</val></data>";
    let send = || {
        let reply = post(&server, "/crm/balance", &json!({"account_id": 123, "balance": 45.67})).status(200);
        assert!(reply.text().contains("<changed/>"), "{}", reply.text());
        peer.take_one()
    };
    for (version, namespace, content_type) in [
        ("1.1", SOAP, "text/xml; charset=utf-8"),
        ("1.2", "http://www.w3.org/2003/05/soap-envelope", "application/soap+xml; charset=utf-8"),
    ] {
        edit(&server, SEND, &json!({"host": peer.host(), "soap_version": version}));
        let request = send();
        assert_eq!(request.header("SOAPAction"), "urn:set-balance");
        assert_eq!(request.header("Content-Type"), content_type);
        assert!(request.body.contains(body), "{}", request.body);
        let document = roxmltree::Document::parse(&request.body).unwrap();
        assert!(document.root_element().has_tag_name((namespace, "Envelope")), "{}", request.body);
        let header = document.descendants().find(|node| node.has_tag_name((namespace, "Header")));
        assert!(header.is_none(), "{}", request.body);
    }
}

/// Sends a message under the server's own WS-Security definition and reads id, user and password of it from there.
#[track_caller]
pub(crate) fn username_token(server: &Server) -> (i64, String, String) {
    let peer = peer();
    let list =
        server.api().call("zato.security.get-list", &json!({"cluster_id": 1, "sec_type": ["wss"]})).ok();
    edit(server, SEND, &json!({"host": peer.host(), "security_id": list[0]["id"]}));
    post(server, "/crm/balance", &json!({"account_id": 1, "balance": 2.5})).status(200);
    let request = peer.take_one();
    assert_eq!(request.header("Authorization"), "");
    let document = roxmltree::Document::parse(&request.body).unwrap();
    let wsse = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
    let find = |name: &str| document.descendants().find(|node| node.has_tag_name((wsse, name))).unwrap();
    let [username, password] = ["Username", "Password"].map(|name| find(name).text().unwrap().to_owned());
    assert_eq!(Some(username.as_str()), list[0]["username"].as_str());
    assert!(find("Password").attribute("Type").unwrap().ends_with("#PasswordText"), "{}", request.body);
    server.keep_secret(&password);
    (list[0]["id"].as_i64().unwrap(), username, password)
}

#[test]
fn a_soap_message_carries_a_username_token() {
    let (_, _, password) = username_token(&start());
    assert_eq!(password.len(), 32, "a random password");
}

#[test]
fn basic_auth_is_sent_without_the_services_knowing() {
    let server = start();
    let peer = peer();
    let security = server.api().create_user("CRM user", "password-crm");
    for name in [POST, PING, GET, SEND] {
        edit(&server, name, &json!({"host": peer.host(), "security_id": security}));
    }
    customer(&server).status(200);
    post(&server, "/crm/find", &json!({"customer_id": 1, "type_id": 2})).status(200);
    post(&server, "/crm/balance", &json!({"account_id": 1, "balance": 2.5})).status(200);
    let requests = peer.requests();
    assert_eq!(requests.len(), 4, "{requests:?}");
    for request in requests {
        assert_eq!(request.header("Authorization"), basic_auth("CRM user", "password-crm"));
    }
}

/// What keeps a service from calling another system reaches the caller as an error that names the connection.
#[test]
fn failures_are_explained() {
    let server = start();
    let failed = |changes: &Value, statuses: &[u16], text: &str| {
        edit(&server, POST, changes);
        let reply = customer(&server);
        assert!(statuses.contains(&reply.status), "{changes}: {reply:?}");
        let details = reply.json()["zato_env"]["details"].as_str().unwrap().to_owned();
        assert!(details.contains(POST) && details.contains(text), "{changes}: {details}");
    };
    failed(&json!({"host": NOBODY}), &[502], "refused");
    failed(&json!({"host": "http://host.invalid"}), &[502], "resolve");
    // The documents leave open which status an inactive connection gives the caller of the service.
    failed(&json!({"is_active": false}), &[404, 500, 502, 503], "`CRM Customer Profile` is inactive");
    let (slow, release) = Peer::held();
    failed(&json!({"host": slow.host(), "timeout": 1}), &[504], "");
    drop(release);

    // Error statuses of other systems are the service's to judge.
    let teapot = Peer::start(|_| PeerReply {
        status: 418,
        content_type: "application/json",
        body: "{\"a\":1}".to_owned(),
    });
    edit(&server, POST, &json!({"host": teapot.host()}));
    assert_eq!(customer(&server).status(200).json()["response"]["profile"], json!({"a": 1}));

    edit(&server, POST, &json!({"name": "Renamed"}));
    let reply = customer(&server);
    assert!([404, 500].contains(&reply.status), "{reply:?}");
    assert!(reply.text().contains(POST), "{}", reply.text());
}

/// A user's own input mistakes are theirs, whatever the service would have called.
#[test]
fn wrong_input_never_reaches_the_other_system() {
    let server = start();
    let peer = peer();
    edit(&server, POST, &json!({"host": peer.host()}));
    for (body, text) in
        [(json!({}), "customer_id"), (json!({"customer_id": "one"}), "customer_id"), (json!([1]), "object")]
    {
        let reply = post(&server, "/crm/customer", &body).status(400);
        assert!(reply.text().contains(text), "{}", reply.text());
    }
    assert_eq!(peer.requests().len(), 0);
}
