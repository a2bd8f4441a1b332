//! `zato.message`: named places in messages.

use serde_json::{Value, json};

use super::super::cases::Cases;
use super::objects::Objects;
use crate::support::Format;

fn objects(family: &'static str, taken: &'static str, value: &str, other: &str) -> Objects {
    Objects {
        family,
        taken,
        object: json!({"cluster_id": 1, "name": "PIN", "value": value}),
        changes: json!({"value": other}),
        shown: json!({}),
        hidden: &["cluster_id"],
    }
}

pub(super) fn json_pointer(cases: &mut Cases<'_>) {
    let objects = objects("zato.message.json-pointer", "JSON Pointer", "/customer/0/p~1n", "/");
    let id = objects.check(cases);
    objects.refuses_each(cases, id, "value", &["customer", "/a~2", "/a~"].map(Value::from));
    // The name under which the original has the channel.
    let alias = "zato.server.message.json_pointer.get-list";
    let list = cases.server.api_in(Format::Json).call(alias, &json!({"cluster_id": 1})).ok();
    assert_eq!(list[0]["name"], "PIN");
}

pub(super) fn namespace(cases: &mut Cases<'_>) {
    objects("zato.message.namespace", "Namespace", "urn:crm", "urn:crm:2").check(cases);
}

pub(super) fn xpath(cases: &mut Cases<'_>) {
    let namespace = json!({"cluster_id": 1, "name": "crm", "value": "urn:crm"});
    cases.server.api().id_of("zato.message.namespace.create", &namespace);
    let objects = objects("zato.message.xpath", "XPath", "//crm:pin[@kind = 'x:y']", "/order/@pin");
    let id = objects.check(cases);
    objects.refuses(cases, id, &json!({"value": "//hr:pin"}), 400, &["no namespace has the prefix [hr]"]);
    objects.refuses_each(cases, id, "value", &["//[", "pin(", "//pin]"].map(Value::from));
}
