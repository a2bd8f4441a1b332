//! `zato.http-soap`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::super::cases::{Cases, NO_ID};
use crate::support::api::{json_channel, outgoing, with};
use crate::support::envelope::text;
use crate::support::{Peer, PeerReply};

pub(super) fn cases(cases: &mut Cases<'_>) {
    let peer = Peer::start(|_| PeerReply::status(200));
    let create = "zato.http-soap.create";
    let channel = cases.id(create, &json_channel("Table channel", "/table/channel", "zato.ping"));
    let connection = cases.id(create, &outgoing("Table connection", &peer.host(), "/table"));
    let lenient = json!({"cluster_id": "1", "is_active": "1", "is_internal": "f"});
    cases.id(create, &with(&json_channel("Lenient", "/lenient", "zato.ping"), &lenient));
    let duplicate = json_channel("Table channel", "/other", "zato.ping");
    let taken = &["An object of that name [Table channel] already exists on this cluster"];
    cases.fails(create, &duplicate, 409, taken);
    let rival = json_channel("Rival", "/table/channel", "zato.ping");
    cases.fails(create, &rival, 409, &["/table/channel", "Table channel"]);
    let new = json_channel("New", "/new", "zato.ping");
    let slash = &["URL path:[new] must start with a slash /"];
    cases.fails(create, &with(&new, &json!({"url_path": "new"})), 400, slash);
    let unknown = &["Service [no.such] does not exist on this cluster"];
    cases.fails(create, &with(&new, &json!({"service": "no.such"})), 404, unknown);
    cases.fails(create, &with(&new, &json!({"security_id": NO_ID})), 404, &["987654"]);

    let list = "zato.http-soap.get-list";
    let input = json!({"cluster_id": 1, "connection": "channel", "transport": "plain_http"});
    let item = json!({
        "id": channel, "name": "Table channel", "is_active": true, "is_internal": false,
        "url_path": "/table/channel", "service_name": "zato.ping", "data_format": "json",
    });
    cases.list_with(list, &input, &item);
    cases.empty_list(list, &with(&input, &json!({"cluster_id": NO_ID})));
    cases.empty_list(list, &with(&input, &json!({"transport": "pigeon"})));
    let item = json!({
        "id": connection, "name": "Table connection", "url_path": "/table", "ping_method": "HEAD",
        "pool_size": 20, "timeout": 10,
    });
    cases.list_with(list, &with(&input, &json!({"connection": "outgoing"})), &item);

    let edit = "zato.http-soap.edit";
    let edited = with(&json_channel("Table channel", "/table/channel", "zato.ping"), &json!({"id": channel}));
    cases.id(edit, &edited);
    cases.fails(edit, &with(&edited, &json!({"id": NO_ID, "name": "X", "url_path": "/x"})), 404, &["987654"]);
    cases.fails(edit, &with(&edited, &json!({"name": "Lenient"})), 409, &["Lenient"]);
    let slash = &["URL path:[x] must start with a slash /"];
    cases.fails(edit, &with(&edited, &json!({"url_path": "x"})), 400, slash);

    let ping = "zato.http-soap.ping";
    cases.item(ping, &json!({"id": connection.to_string()}), &json!({}));
    cases.fails(ping, &json!({"id": NO_ID}), 404, &["987654"]);

    let delete = "zato.http-soap.delete";
    cases.nothing(delete, &json!({"id": connection}));
    cases.fails(delete, &json!({"id": connection}), 404, &["No row was found"]);
    cases.fails(delete, &json!({"id": ""}), 400, &["id"]);

    let guards = cases.raw("zato.http-soap.get-url-security", "").status(404);
    assert!(guards.text().contains("Unknown URL"), "it has no channel of its own: {}", guards.text());
    let input = json!({"name": "zato.http-soap.get-url-security"});
    let reply = cases.server.api_in(cases.format).call("zato.service.invoke", &input).ok();
    let guards = STANDARD.decode(text(&reply["response"])).expect("the reply is in base64");
    let guards: serde_json::Value = serde_json::from_slice(&guards).expect("the document is JSON");
    let guards = guards.as_array().expect("the document is a list");
    let of =
        |name: &str| guards.iter().find(|guard| guard["channel"] == name).expect("the channel is listed");
    let open = guards.iter().find(|guard| guard["url_path"] == "/zato/ping").expect("the ping is listed");
    assert_eq!(open["security"], json!(null));
    assert_eq!(of("Table channel")["url_path"], "/table/channel");
    assert_eq!(of("zato.http-soap.create.json")["security"]["name"], "pubapi");
    assert_eq!(of("zato.http-soap.create.json")["security"]["sec_type"], "basic_auth");
}
