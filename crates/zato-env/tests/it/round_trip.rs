//! Whatever is written is read back the same.

use std::collections::BTreeMap;

use proptest::prelude::*;
use zato_env::{
    JsonFrame, NAMESPACE, Outcome, Page, XmlFrame, ZatoEnv, read_json, read_xml, write_json_error,
};
use zato_sio::{to_json, to_xml};

/// Texts which XML can express.
fn text() -> impl Strategy<Value = String> {
    "[\\PC\t\n\r&&[^\u{fffe}\u{ffff}]]{0,24}"
}

fn env() -> impl Strategy<Value = ZatoEnv<'static>> {
    let details = prop_oneof![text(), Just("ZATO_NONE".to_owned())];
    let result = prop_oneof![Just(Outcome::Ok), Just(Outcome::Error), Just(Outcome::Warning)];
    (details, result, text()).prop_map(|(details, result, cid)| ZatoEnv {
        details: details.into(),
        result,
        cid: cid.into(),
    })
}

/// Payloads whose keys are XML names.
fn row() -> impl Strategy<Value = BTreeMap<String, String>> {
    proptest::collection::btree_map("[a-z_][a-z0-9_.-]{0,8}", text(), 0..4)
}

fn page() -> impl Strategy<Value = Page> {
    (any::<u64>(), any::<u64>(), any::<u64>())
        .prop_map(|(total, cur_page, page_size)| Page::new(total, cur_page, page_size))
}

proptest! {
    #[test]
    fn json(env in env(), element in text().prop_filter("reserved", |name| name != "zato_env"), row in row()) {
        let mut out = Vec::new();
        JsonFrame::new(Some(&element)).write(&mut out, &env, |out| to_json(&row, out)).unwrap();
        let reply = read_json(&out).unwrap();
        prop_assert_eq!(reply.env(), Some(&env));
        prop_assert_eq!(reply.response_element(), Some(&*element));
        prop_assert_eq!(reply.page().unwrap(), None);
        prop_assert_eq!(reply.payload::<BTreeMap<String, String>>().unwrap(), row);
    }

    #[test]
    fn json_errors(env in env()) {
        let mut out = Vec::new();
        write_json_error(&mut out, &env);
        let reply = read_json(&out).unwrap();
        prop_assert_eq!(reply.env(), Some(&env));
        prop_assert_eq!(reply.response_element(), None);
    }

    #[test]
    fn xml_items(env in env(), row in row(), named in any::<bool>()) {
        let mut out = Vec::new();
        let frame = XmlFrame::new("zato_x_response", named.then_some(NAMESPACE)).unwrap();
        frame.write(&mut out, &env, |out| to_xml(&row, out)).unwrap();
        let text = String::from_utf8(out).unwrap();
        let document = zato_xml::parse(&text, &zato_xml::Limits::default()).unwrap();
        let reply = read_xml(document.root_element()).unwrap();
        prop_assert_eq!(reply.env(), Some(&env));
        prop_assert_eq!(reply.namespace(), named.then_some(NAMESPACE));
        prop_assert_eq!(reply.payload::<BTreeMap<String, String>>().unwrap(), row);
    }

    #[test]
    fn xml_lists(env in env(), rows in proptest::collection::vec(row(), 0..4)) {
        let mut out = Vec::new();
        let frame = XmlFrame::new("zato_x_response", Some(NAMESPACE)).unwrap();
        frame.write(&mut out, &env, |out| to_xml(&rows, out)).unwrap();
        let text = String::from_utf8(out).unwrap();
        let document = zato_xml::parse(&text, &zato_xml::Limits::default()).unwrap();
        let reply = read_xml(document.root_element()).unwrap();
        prop_assert_eq!(reply.payload::<Vec<BTreeMap<String, String>>>().unwrap(), rows);
    }

    #[test]
    fn pages(env in env(), rows in proptest::collection::vec(row(), 0..4), page in page()) {
        let mut out = Vec::new();
        let paged = |out: &mut Vec<u8>| {
            to_json(&rows, out)?;
            page.write_json(out)
        };
        JsonFrame::new(Some("zato_x_response")).write(&mut out, &env, paged).unwrap();
        let reply = read_json(&out).unwrap();
        prop_assert_eq!(reply.response_element(), Some("zato_x_response"));
        prop_assert_eq!(reply.payload::<Vec<BTreeMap<String, String>>>().unwrap(), rows.clone());
        prop_assert_eq!(reply.page().unwrap(), Some(page.clone()));

        let mut out = Vec::new();
        let paged = |out: &mut Vec<u8>| {
            to_xml(&rows, out)?;
            page.write_xml(out)
        };
        XmlFrame::new("zato_x_response", Some(NAMESPACE)).unwrap().write(&mut out, &env, paged).unwrap();
        let text = String::from_utf8(out).unwrap();
        let document = zato_xml::parse(&text, &zato_xml::Limits::default()).unwrap();
        let reply = read_xml(document.root_element()).unwrap();
        prop_assert_eq!(reply.payload::<Vec<BTreeMap<String, String>>>().unwrap(), rows);
        prop_assert_eq!(reply.page().unwrap(), Some(page));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = read_json(&bytes);
    }
}
