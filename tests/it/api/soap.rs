//! The public API in SOAP: what only SOAP has.

use serde_json::json;

use crate::support::envelope::{SOAP, ZATO, soap_envelope, soap_request};
use crate::support::{Format, Reply, Server};

#[track_caller]
fn post(server: &Server, action: &str, body: &str) -> Reply {
    let request = server.request("POST", "/zato/soap").header("SOAPAction", action);
    request.auth("pubapi", server.password("pubapi")).body(body).send()
}

/// The documented reply, with its prefix and its default namespace.
#[test]
fn the_envelope_has_the_documented_form() {
    let server = Server::start();
    let reply = post(&server, "zato.ping", &soap_request("zato.ping", &json!({}))).status(200);
    let expected = format!(
        concat!(
            r#"<soap:Envelope xmlns:soap="{SOAP}" xmlns="{ZATO}"><soap:Body><zato_ping_response>"#,
            "<zato_env><cid>{cid}</cid><result>ZATO_OK</result></zato_env>",
            "<item><pong>zato</pong></item></zato_ping_response></soap:Body></soap:Envelope>"
        ),
        SOAP = SOAP,
        ZATO = ZATO,
        cid = reply.cid(),
    );
    let text: String = reply.text().lines().map(str::trim).collect();
    assert_eq!(text, expected);
    assert!(reply.header("Content-Type").starts_with("text/xml"), "{reply:?}");
}

/// The documented Fault: its prefixes, its CDATA section, its texts.
#[test]
fn a_fault_has_the_documented_form() {
    let server = Server::start();
    let reply = post(&server, "zato.security.get-list", &soap_request("zato.security.get-list", &json!({})))
        .status(500);
    let text = reply.text();
    assert!(text.starts_with("<?xml version='1.0' encoding='UTF-8'?>"), "{text}");
    let cid = reply.cid();
    for part in [
        "<SOAP-ENV:Envelope",
        &format!("xmlns:SOAP-ENV=\"{SOAP}\""),
        "xmlns:xsi=\"http://www.w3.org/1999/XMLSchema-instance\"",
        "xmlns:xsd=\"http://www.w3.org/1999/XMLSchema\"",
        "<SOAP-ENV:Fault>",
        "<faultcode>SOAP-ENV:Client</faultcode>",
        &format!("<faultstring><![CDATA[cid [{cid}], faultstring\n [Traceback"),
    ] {
        let (text, part) =
            (text.split_whitespace().collect::<String>(), part.split_whitespace().collect::<String>());
        assert!(text.contains(&part), "no [{part}] in {text}");
    }
    assert!(reply.header("Content-Type").starts_with("text/xml"), "{reply:?}");
}

/// A message must not end the CDATA section that it is in.
#[test]
fn a_fault_survives_what_callers_put_into_it() {
    let server = Server::start();
    let name = "]]> <b>bold</b> & \u{1f980}";
    let input = json!({"cluster_id": 1, "name": name});
    server.api_in(Format::Soap).call("zato.service.get-by-name", &input).error(404, &[name]);
}

/// Tools choose prefixes as they like.
#[test]
fn any_prefix_is_understood() {
    let server = Server::start();
    let check = |body: &str| {
        let reply = post(&server, "zato.service.get-by-name", body).status(200);
        assert!(reply.text().contains("<name>zato.ping</name>"), "{}", reply.text());
    };
    let root = "zato_service_get_by_name_request";
    for content in [
        format!("<{root} xmlns='{ZATO}'><cluster_id>1</cluster_id><name>zato.ping</name></{root}>"),
        format!("<{root}><cluster_id>1</cluster_id><name>zato.ping</name></{root}>"),
        format!(
            "<p:{root} xmlns:p='{ZATO}'><p:name>zato.ping</p:name><p:cluster_id>1</p:cluster_id></p:{root}>"
        ),
        format!(
            "<{root}>\n  <!-- first -->\n <cluster_id> 1 </cluster_id><name><![CDATA[zato.ping]]></name></{root}>"
        ),
        format!("<{root}><cluster_id>1</cluster_id><name>zato&#46;ping</name><name>second</name></{root}>"),
    ] {
        check(&format!("<e:Envelope xmlns:e='{SOAP}'><e:Body>{content}</e:Body></e:Envelope>"));
        check(&format!("<Envelope xmlns='{SOAP}'><Body>{content}</Body></Envelope>"));
        check(&format!(
            "<?xml version='1.0' encoding='utf-8'?>\n<e:Envelope xmlns:e='{SOAP}'><e:Header><any/></e:Header><e:Body>\n{content}\n</e:Body></e:Envelope>"
        ));
        // SOAP 1.2 is read as well.
        check(&format!(
            "<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'><e:Body>{content}</e:Body></e:Envelope>"
        ));
    }
}

#[test]
fn the_action_may_be_quoted() {
    let server = Server::start();
    let body = soap_request("zato.ping", &json!({}));
    post(&server, "\"zato.ping\"", &body).status(200);
    post(&server, "zato.ping", &body).status(200);
    // A quote on one side only is part of the name.
    post(&server, "\"zato.ping", &body).status(404);
    post(&server, "zato.no-such-service", &body).status(404);
    post(&server, "", &body).status(404);
}

/// The element says which service is meant, too, and must not say another one.
#[test]
fn a_request_for_another_service_is_refused() {
    let server = Server::start();
    let reply = post(&server, "zato.security.get-list", &soap_request("zato.service.get-list", &json!({})))
        .status(500);
    for part in ["zato_security_get_list_request", "zato_service_get_list_request", "SOAP-ENV:Client"] {
        assert!(reply.text().contains(part), "{}", reply.text());
    }
}

#[test]
fn an_empty_body_is_no_input() {
    let server = Server::start();
    post(&server, "zato.security.get-list", &soap_envelope("")).status(500);
    let reply = post(&server, "zato.service.get-list", &soap_envelope("")).status(200);
    assert!(reply.text().contains("<zato_service_get_list_response"), "{}", reply.text());
}

/// Clients of later versions put their namespace on requests and look for it in replies.
#[test]
fn a_reply_speaks_the_namespace_of_its_request() {
    let server = Server::start();
    let later = "https://zato.io/ns/v1";
    let request = soap_request("zato.ping", &json!({})).replace(ZATO, later);
    let reply = post(&server, "zato.ping", &request).status(200);
    assert!(reply.text().contains(later) && !reply.text().contains(ZATO), "{}", reply.text());
    let reply = post(&server, "zato.ping", &soap_request("zato.ping", &json!({})).replace(ZATO, "urn:any"))
        .status(200);
    assert!(reply.text().contains(ZATO), "{}", reply.text());
}

#[test]
fn helpers_log_what_they_get() {
    let server = Server::start();
    for service in ["zato.helpers.input-logger", "zato.helpers.sio-input-logger"] {
        let content = "<any><greeting>hello-over-soap</greeting><password>helper-password-2</password></any>";
        let reply = post(&server, service, &soap_envelope(content)).status(200);
        server.keep_secret("helper-password-2");
        let lines = server.log_lines(&[reply.cid(), "hello-over-soap"]);
        assert_eq!(lines.len(), 1, "{service}\n{}", server.log());
    }
}

/// The reply to an echo is the very element that was sent.
#[test]
fn an_echo_comes_back_as_it_went() {
    let server = Server::start();
    let content = "<any xmlns=\"urn:any\" a=\"1\"><b/>text &amp; more</any>";
    let reply = post(&server, "zato.helpers.echo", &soap_envelope(content)).status(200);
    assert!(reply.text().contains("text &amp; more"), "{}", reply.text());
}
