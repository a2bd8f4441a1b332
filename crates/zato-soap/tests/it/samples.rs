//! The messages of the public API's documentation, with values in place of its dots, read and written as they stand there.

use zato_soap::{Envelope, Fault, FaultCode, Frame, FrameOptions, Limits, Version, parse};
use zato_xml::Node;

use crate::with_envelope;

const ZATO: &str = "https://zato.io/ns/20130518";

const GET_FOO_REQUEST: &str = r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
     xmlns:zato="https://zato.io/ns/20130518">
   <soapenv:Header/>
   <soapenv:Body>
      <zato:zato_get_foo_request>
        <zato:req_elem1>1</zato:req_elem1>
        <zato:req_elem2>ESB</zato:req_elem2>
      </zato:zato_get_foo_request>
   </soapenv:Body>
</soapenv:Envelope>"#;

const GET_FOO_RESPONSE: &str = r#"<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
     xmlns="https://zato.io/ns/20130518">
   <soap:Body>
      <zato_get_foo_response>
         <zato_env>
            <cid>K21353002988419985838198535608</cid>
            <result>ZATO_OK</result>
         </zato_env>
         <item>
            <resp_elem1>1</resp_elem1>
            <resp_elem2>ESB</resp_elem2>
         </item>
      </zato_get_foo_response>
   </soap:Body>
</soap:Envelope>"#;

const GET_BAR_LIST_REQUEST: &str = r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
     xmlns:zato="https://zato.io/ns/20130518">
   <soapenv:Header/>
   <soapenv:Body>
      <zato:zato_get_bar_list_request>
        <zato:req_elem1>1</zato:req_elem1>
        <zato:req_elem2>ESB</zato:req_elem2>
      </zato:zato_get_bar_list_request>
   </soapenv:Body>
</soapenv:Envelope>"#;

const GET_BAR_LIST_RESPONSE: &str = r#"<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
     xmlns="https://zato.io/ns/20130518">
   <soap:Body>
      <zato_get_bar_list_response>
         <zato_env>
            <cid>K37683756065213515208747449888</cid>
            <result>ZATO_OK</result>
         </zato_env>
         <item_list>
            <item>
               <resp_elem1>1</resp_elem1>
               <resp_elem2>ESB</resp_elem2>
            </item>
            <item>
               <resp_elem3>2</resp_elem3>
               <resp_elem4>CRM</resp_elem4>
            </item>
         </item_list>
      </zato_get_bar_list_response>
   </soap:Body>
</soap:Envelope>"#;

/// The documentation indents the whole message by one space, which is no part of it: nothing may precede an XML declaration.
const FAULT: &str = r#"<?xml version='1.0' encoding='UTF-8'?>
<SOAP-ENV:Envelope
  xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"
  xmlns:xsi="http://www.w3.org/1999/XMLSchema-instance"
  xmlns:xsd="http://www.w3.org/1999/XMLSchema">
   <SOAP-ENV:Body>
     <SOAP-ENV:Fault>
     <faultcode>SOAP-ENV:Client</faultcode>
<faultstring><![CDATA[cid [K68438211212681798524426103126], faultstring
[Traceback (most recent call last):
File
"/opt/zato/code/zato-server/src/zato/server/connection/http_soap/
channel.py", line 126, in dispatch
  service_info, response = handler.handle(cid, wsgi_environ, payload, transport,
  worker_store, self.simple_io_config, data_format, path_info)
File
"/opt/zato/code/zato-server/src/zato/server/connection/http_soap/
channel.py", line 227, in handle
  service_instance.handle()
File
"/opt/zato/code/zato-server/src/zato/server/service/internal/
definition/amqp.py", line 174, in handle
  filter(ConnDefAMQP.id==self.request.input.id).\
File
"/opt/zato/code/eggs/SQLAlchemy-0.7.9-py2.7-linux-x86_64.egg/sqlalchemy/
orm/query.py", line 2190, in one
  raise orm_exc.NoResultFound("No row was found for one()")
NoResultFound: No row was found for one()
]]]></faultstring>
      </SOAP-ENV:Fault>
  </SOAP-ENV:Body>
</SOAP-ENV:Envelope>"#;

/// A document without what its writer was free to choose: prefixes, and white space between elements.
fn meaning(text: &str) -> String {
    fn write(node: Node<'_, '_>, out: &mut String) {
        if node.is_element() {
            let name = node.tag_name();
            out.push_str(&format!("<{}:{}", name.namespace().unwrap_or_default(), name.name()));
            for attribute in node.attributes() {
                let namespace = attribute.namespace().unwrap_or_default();
                out.push_str(&format!(" {namespace}:{}={:?}", attribute.name(), attribute.value()));
            }
            out.push('>');
        }
        if node.is_text() && !node.text().unwrap().trim().is_empty() {
            out.push_str(node.text().unwrap());
        }
        node.children().for_each(|child| write(child, out));
        if node.is_element() {
            out.push_str("</>");
        }
    }
    let document = parse(text, &Limits::default()).unwrap();
    let mut out = String::new();
    write(document.root_element(), &mut out);
    out
}

/// The source text inside the body of `sample`.
fn body_of(sample: &str) -> &str {
    let start = sample.find(":Body>").unwrap() + ":Body>".len();
    let end = sample.rfind("</").and_then(|end| sample[..end].rfind("</")).unwrap();
    &sample[start..end]
}

#[track_caller]
fn check_parsed(sample: &str, payload_name: &str, elements: &[(&str, &str)]) {
    with_envelope(sample, |envelope: Envelope<'_, '_>| {
        assert_eq!(envelope.version(), Version::V11);
        assert_eq!(envelope.payloads().count(), 1);
        assert_eq!(envelope.fault(), None);
        assert!(envelope.username_token().unwrap().is_none());
        let payload = envelope.payload().unwrap();
        assert!(payload.has_tag_name((ZATO, payload_name)));
        let leaves =
            payload.descendants().filter(|node| node.is_element() && node.first_element_child().is_none());
        let found: Vec<_> = leaves.map(|leaf| (leaf.tag_name().name(), leaf.text().unwrap())).collect();
        assert_eq!(found, elements);
    });
}

#[test]
fn the_samples_are_read() {
    let request = [("req_elem1", "1"), ("req_elem2", "ESB")];
    check_parsed(GET_FOO_REQUEST, "zato_get_foo_request", &request);
    check_parsed(GET_BAR_LIST_REQUEST, "zato_get_bar_list_request", &request);
    check_parsed(
        GET_FOO_RESPONSE,
        "zato_get_foo_response",
        &[
            ("cid", "K21353002988419985838198535608"),
            ("result", "ZATO_OK"),
            ("resp_elem1", "1"),
            ("resp_elem2", "ESB"),
        ],
    );
    check_parsed(
        GET_BAR_LIST_RESPONSE,
        "zato_get_bar_list_response",
        &[
            ("cid", "K37683756065213515208747449888"),
            ("result", "ZATO_OK"),
            ("resp_elem1", "1"),
            ("resp_elem2", "ESB"),
            ("resp_elem3", "2"),
            ("resp_elem4", "CRM"),
        ],
    );
}

#[track_caller]
fn check_written(sample: &str, options: &FrameOptions<'_>) {
    let mut written = Vec::new();
    Frame::new(options).wrap(body_of(sample).as_bytes(), &mut written);
    assert_eq!(meaning(&String::from_utf8(written).unwrap()), meaning(sample));
}

#[test]
fn the_samples_are_written() {
    let request = FrameOptions {
        prefix: "soapenv",
        extra_namespaces: &[("zato", ZATO)],
        header: Some(""),
        ..FrameOptions::default()
    };
    check_written(GET_FOO_REQUEST, &request);
    check_written(GET_BAR_LIST_REQUEST, &request);
    let response = FrameOptions { default_namespace: Some(ZATO), ..FrameOptions::default() };
    check_written(GET_FOO_RESPONSE, &response);
    check_written(GET_BAR_LIST_RESPONSE, &response);
}

#[test]
fn any_prefix_means_the_same() {
    for prefix in ["soap", "s11", "SOAP-ENV", "ż"] {
        let renamed = GET_FOO_REQUEST.replace("soapenv", prefix);
        assert_eq!(meaning(&renamed), meaning(GET_FOO_REQUEST));
        check_parsed(&renamed, "zato_get_foo_request", &[("req_elem1", "1"), ("req_elem2", "ESB")]);
    }
    let unprefixed = GET_FOO_REQUEST.replace("xmlns:soapenv", "xmlns").replace("soapenv:", "");
    assert_eq!(meaning(&unprefixed), meaning(GET_FOO_REQUEST));
    check_parsed(&unprefixed, "zato_get_foo_request", &[("req_elem1", "1"), ("req_elem2", "ESB")]);
}

#[test]
fn the_fault_is_read() {
    let fault = with_envelope(FAULT, |envelope| envelope.fault()).unwrap();
    assert_eq!(fault.code, FaultCode::Client);
    assert!(fault.string.starts_with("cid [K68438211212681798524426103126], faultstring\n[Traceback"));
    assert!(fault.string.ends_with("NoResultFound: No row was found for one()\n]"));
    assert_eq!((fault.actor, fault.detail), (None, None));
}

#[test]
fn the_fault_is_written_byte_for_byte() {
    let start = FAULT.find("CDATA[").unwrap() + "CDATA[".len();
    let end = FAULT.rfind("]]>").unwrap();
    let mut written = Vec::new();
    Fault::new(FaultCode::Client, &FAULT[start..end]).write(&mut written);
    assert_eq!(String::from_utf8(written).unwrap(), FAULT);
}
