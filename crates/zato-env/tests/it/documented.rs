//! The messages of the public API's own documentation, read and written as they stand there.

use std::collections::BTreeMap;

use zato_env::{
    JsonFrame, NAMESPACE, Outcome, XmlFrame, XmlPayload, ZatoEnv, read_json, read_xml, write_json_error,
};
use zato_sio::{EncodeError, to_json, to_xml};

const JSON_ITEM: &str = r#"{
  "zato_env": {
    "details": "",
    "result": "ZATO_OK",
    "cid": "K68938864847262437323255781583"
  },
  "zato_get_foo_response": {
    "resp_elem1": "...",
    "resp_elem2": "...",
    "resp_elem_n": "..."
  }
}"#;

const JSON_LIST: &str = r#"{
  "zato_env": {
    "details": "",
    "result": "ZATO_OK",
    "cid": "K28185890067723564136752725554"
  },
  "zato_get_bar_list_response": [
    {
      "resp_elem1": "...",
      "resp_elem2": "..."
    },
    {
      "resp_elem3": "...",
      "resp_elem4": "..."
    }
  ]
}"#;

const JSON_ERROR: &str = r#"{
  "zato_env": {
    "details": "Traceback (most recent call last):\n  File \"\/opt\/zato\/code\/zato-server\/src\/zato\/server\/connection\/http_soap\/channel.py\", line 142, in dispatch\n    service_info, response = handler.handle(cid, wsgi_environ, payload, transport, worker_store, self.simple_io_config, data_format, path_info)\n  File \"\/opt\/zato\/code\/zato-server\/src\/zato\/server\/connection\/http_soap\/channel.py\", line 252, in handle\n    service_instance.handle()\n  File \"\/opt\/zato\/code\/zato-server\/src\/zato\/server\/service\/internal\/definition\/amqp.py\", line 174, in handle\n    filter(ConnDefAMQP.id==self.request.input.id).\\\n  File \"\/opt\/zato\/code\/eggs\/SQLAlchemy-0.7.9-py2.7-linux-x86_64.egg\/sqlalchemy\/orm\/query.py\", line 2190, in one\n    raise orm_exc.NoResultFound(\"No row was found for one()\")\nNoResultFound: No row was found for one()\n",
    "result": "ZATO_ERROR",
    "cid": "K47568862487942557263894250839"
  }
}"#;

const XML_ITEM: &str = r#"<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
     xmlns="https://zato.io/ns/20130518">
   <soap:Body>
      <zato_get_foo_response>
         <zato_env>
            <cid>K21353002988419985838198535608</cid>
            <result>ZATO_OK</result>
         </zato_env>
         <item>
            <resp_elem1>...</resp_elem1>
            <resp_elem2>...</resp_elem2>
            <resp_elem_n>...</resp_elem_n>
         </item>
      </zato_get_foo_response>
   </soap:Body>
</soap:Envelope>"#;

const XML_LIST: &str = r#"<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
     xmlns="https://zato.io/ns/20130518">
   <soap:Body>
      <zato_get_bar_list_response>
         <zato_env>
            <cid>K37683756065213515208747449888</cid>
            <result>ZATO_OK</result>
         </zato_env>
         <item_list>
            <item>
               <resp_elem1>...</resp_elem1>
               <resp_elem2>...</resp_elem2>
            </item>
            <item>
               <resp_elem3>...</resp_elem3>
               <resp_elem4>...</resp_elem4>
            </item>
         </item_list>
      </zato_get_bar_list_response>
   </soap:Body>
</soap:Envelope>"#;

type Row = BTreeMap<String, String>;

fn row(names: &[&str]) -> Row {
    names.iter().map(|&name| (name.to_owned(), "...".to_owned())).collect()
}

/// A message without the white space that the document adds for its readers. None of the texts compared this way
/// contains any itself.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn a_json_item() {
    let reply = read_json(JSON_ITEM.as_bytes()).unwrap();
    let env = ZatoEnv::ok("K68938864847262437323255781583");
    assert_eq!(reply.env(), Some(&env));
    assert_eq!(reply.response_element(), Some("zato_get_foo_response"));
    let payload: Row = reply.payload().unwrap();
    assert_eq!(payload, row(&["resp_elem1", "resp_elem2", "resp_elem_n"]));
    let mut out = Vec::new();
    let frame = JsonFrame::new(reply.response_element());
    frame.write(&mut out, &env, |out| to_json(&payload, out)).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), squeezed(JSON_ITEM));
}

#[test]
fn a_json_list() {
    let reply = read_json(JSON_LIST.as_bytes()).unwrap();
    let env = ZatoEnv::ok("K28185890067723564136752725554");
    assert_eq!(reply.env(), Some(&env));
    let payload: Vec<Row> = reply.payload().unwrap();
    assert_eq!(payload, [row(&["resp_elem1", "resp_elem2"]), row(&["resp_elem3", "resp_elem4"])]);
    let mut out = Vec::new();
    let frame = JsonFrame::new(Some("zato_get_bar_list_response"));
    frame.write(&mut out, &env, |out| to_json(&payload, out)).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), squeezed(JSON_LIST));
}

#[test]
fn a_json_error() {
    let reply = read_json(JSON_ERROR.as_bytes()).unwrap();
    let env = reply.env().unwrap();
    assert_eq!((env.result, &*env.cid), (Outcome::Error, "K47568862487942557263894250839"));
    assert!(env.details.starts_with("Traceback (most recent call last):\n  File \"/opt/zato/code/"));
    assert!(env.details.ends_with("\nNoResultFound: No row was found for one()\n"));
    assert_eq!(reply.response_element(), None);
    let mut out = Vec::new();
    write_json_error(&mut out, env);
    let details = JSON_ERROR.lines().nth(2).unwrap().trim().replace("\\/", "/").replacen(": ", ":", 1);
    let expected = format!(
        "{{\"zato_env\":{{{details}\"result\":\"ZATO_ERROR\",\"cid\":\"K47568862487942557263894250839\"}}}}"
    );
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[track_caller]
fn check_xml(
    documented: &str,
    cid: &str,
    payload: impl Fn(XmlPayload<'_, '_>) -> Vec<Row>,
    expected: &[Row],
) {
    let document = zato_xml::parse(documented, &zato_xml::Limits::default()).unwrap();
    let body = document.root_element().first_element_child().unwrap();
    let reply = read_xml(body.first_element_child().unwrap()).unwrap();
    let env = ZatoEnv::ok(cid);
    assert_eq!(reply.env(), Some(&env));
    assert_eq!(reply.namespace(), Some(NAMESPACE));
    assert_eq!(payload(reply.content()), expected);

    let mut out = Vec::new();
    // The document declares the namespace once, on the SOAP envelope around the response element.
    let frame = XmlFrame::new(reply.response_element(), None).unwrap();
    let written = frame.write(&mut out, &env, |out| match reply.content() {
        XmlPayload::List(_) => to_xml(&reply.payload::<Vec<Row>>().unwrap(), out),
        _ => to_xml(&reply.payload::<Row>().unwrap(), out),
    });
    assert_eq!(written, Ok::<(), EncodeError>(()));
    let inside = documented.split_once("<soap:Body>").unwrap().1.split_once("</soap:Body>").unwrap().0;
    assert_eq!(String::from_utf8(out).unwrap(), squeezed(inside));
}

#[test]
fn an_xml_item() {
    let item = |payload: XmlPayload<'_, '_>| match payload {
        XmlPayload::Item(item) => vec![zato_sio::from_xml(item).unwrap()],
        other => panic!("{other:?}"),
    };
    let expected = [row(&["resp_elem1", "resp_elem2", "resp_elem_n"])];
    check_xml(XML_ITEM, "K21353002988419985838198535608", item, &expected);
}

#[test]
fn an_xml_list() {
    let list = |payload: XmlPayload<'_, '_>| match payload {
        XmlPayload::List(list) => zato_sio::from_xml(list).unwrap(),
        other => panic!("{other:?}"),
    };
    let expected = [row(&["resp_elem1", "resp_elem2"]), row(&["resp_elem3", "resp_elem4"])];
    check_xml(XML_LIST, "K37683756065213515208747449888", list, &expected);
}
