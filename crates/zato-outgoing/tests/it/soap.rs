//! SOAP connections.

use http::Response;
use http_body_util::Full;
use serde_json::json;
use zato_outgoing::{Config, Transport};
use zato_soap::Version;

use crate::peer::{Peer, cid, connection};

const HEAD: &str = "<?xml version='1.0' encoding='UTF-8'?>\n\
    <s11:Envelope xmlns:s11=\"http://schemas.xmlsoap.org/soap/envelope/\" \
    xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><s11:Body>";
const TAIL: &str = "</s11:Body></s11:Envelope>";

fn soap(config: &mut Config) {
    config.transport = Transport::Soap { version: Version::V11, action: "set-balance".to_owned() };
}

#[tokio::test]
async fn the_body_is_put_into_an_envelope() {
    let peer = Peer::saying("").await;
    let crm = connection(&peer.host(), "/soap", soap);
    crm.conn().send(cid(), "<data><id>123</id><val>45.67</val></data>").await.unwrap();
    let request = peer.request();
    assert_eq!(request.body(), &format!("{HEAD}<data><id>123</id><val>45.67</val></data>{TAIL}"));
    assert_eq!(request.headers()["Content-Length"], request.body().len().to_string());
    assert_eq!(request.headers()["Content-Type"], "text/xml; charset=utf-8");
    assert_eq!(request.headers()["SOAPAction"], "set-balance");
}

#[tokio::test]
async fn every_verb_has_an_envelope() {
    let peer = Peer::answering(|request| Response::new(Full::new(request.body().clone()))).await;
    let crm = connection(&peer.host(), "/soap", soap);
    let empty = format!("{HEAD}{TAIL}");
    assert_eq!(crm.conn().get(cid(), ()).await.unwrap().text(), empty);
    assert_eq!(crm.conn().delete(cid(), [("a", 1)]).await.unwrap().text(), empty);
    assert_eq!(crm.conn().options(cid(), ()).await.unwrap().text(), empty);
}

#[tokio::test]
async fn json_is_text_like_any_other() {
    let peer = Peer::saying("").await;
    connection(&peer.host(), "/", soap).conn().put(cid(), json!([1])).await.unwrap();
    assert_eq!(peer.request().body(), &format!("{HEAD}[1]{TAIL}"));
    assert_eq!(peer.request().headers()["Content-Type"], "text/xml; charset=utf-8");
}

#[tokio::test]
async fn a_reply_is_read_as_an_envelope() {
    let peer = Peer::saying(
        "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body><ok>\u{e9}</ok></e:Body></e:Envelope>",
    )
    .await;
    let response = connection(&peer.host(), "/", soap).conn().send(cid(), "").await.unwrap();
    let text = response.soap(|envelope| {
        envelope.payload().map(|node| (node.tag_name().name().to_owned(), node.text().map(str::to_owned)))
    });
    assert_eq!(text.unwrap(), Some(("ok".to_owned(), Some("é".to_owned()))));
    assert!(response.soap_fault().unwrap().is_none());
}

#[tokio::test]
async fn a_fault_is_recognised() {
    let peer = Peer::saying(
        "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body><e:Fault>\
         <faultcode>e:Client</faultcode><faultstring>no such account</faultstring>\
         </e:Fault></e:Body></e:Envelope>",
    )
    .await;
    let response = connection(&peer.host(), "/", soap).conn().send(cid(), "").await.unwrap();
    assert_eq!(response.soap_fault().unwrap().unwrap().string, "no such account");
}

#[tokio::test]
async fn what_is_no_envelope_is_an_error() {
    let peer = Peer::saying("<html></html>").await;
    let response = connection(&peer.host(), "/", soap).conn().send(cid(), "").await.unwrap();
    assert!(response.soap_fault().is_err());
}

#[tokio::test]
async fn a_payload_or_a_fault() {
    let peer = Peer::answering(|request| {
        let content = std::str::from_utf8(request.body()).unwrap();
        // The body comes back as it went, in its envelope.
        Response::new(Full::from(content.to_owned()))
    })
    .await;
    let crm = connection(&peer.host(), "/", soap);
    let name = |node: Option<zato_xml::Node<'_, '_>>| node.map(|node| node.tag_name().name().to_owned());
    let response = crm.conn().send(cid(), "<ok/>").await.unwrap();
    assert_eq!(response.soap_payload(name).unwrap().as_deref(), Some("ok"));
    assert_eq!(response.xml(|document| document.descendants().count()).unwrap(), 4);

    let fault =
        "<s11:Fault><faultcode>s11:Client</faultcode><faultstring>No such account</faultstring></s11:Fault>";
    let response = crm.conn().send(cid(), fault).await.unwrap();
    let error = response.soap_payload(name).unwrap_err();
    assert_eq!(error.to_string(), "the reply is a SOAP fault: No such account");

    let response = crm.conn().session().request(cid(), http::Method::POST, "/").body("<a/>").await.unwrap();
    assert_eq!(response.soap_payload(name).unwrap_err().to_string(), "the reply is not a SOAP envelope");
    assert!(response.xml(|_| ()).is_ok());
}
