//! The table: what each service of the public API answers to which input.

use serde_json::{Value, json};

use super::Fixture;
use crate::support::api::{json_channel, outgoing, user, with};

/// A call and what it must come to.
pub(super) struct Case {
    pub(super) service: &'static str,
    pub(super) input: Value,
    pub(super) expect: Expect,
}

/// What a call comes to.
pub(super) enum Expect {
    /// Success without a payload.
    Nothing,
    /// One item with these elements.
    Item(Value),
    /// A list with an item of this name that has these elements.
    ListWith(Value),
    EmptyList,
    /// An error with this status in JSON, and these texts in its message.
    Error(u16, &'static [&'static str]),
}

use Expect::{EmptyList, Error, Item, ListWith, Nothing};

/// A number that is no object's id.
const NO_ID: i64 = 987_654;

/// The rows in the order in which they run: what a row deletes or changes, no later row of another family needs.
pub(super) fn cases(fixture: &Fixture) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |service, input, expect| cases.push(Case { service, input, expect });

    for service in ["zato.ping", "zato.ping2"] {
        case(service, json!({}), Item(json!({"pong": "zato"})));
        case(service, json!({"unknown": "element"}), Item(json!({"pong": "zato"})));
    }
    security(fixture, &mut case);
    basic_auth(fixture, &mut case);
    http_soap(fixture, &mut case);
    services(fixture, &mut case);
    cases
}

fn security(fixture: &Fixture, case: &mut impl FnMut(&'static str, Value, Expect)) {
    let list = "zato.security.get-list";
    let item = json!({
        "id": fixture.user, "name": "Table user", "is_active": true, "sec_type": "basic_auth",
        "username": "Table user", "realm": "Tests", "password_type": "", "reject_stale_tokens": false,
    });
    case(list, json!({"cluster_id": 1}), ListWith(item.clone()));
    case(list, json!({"cluster_id": "1"}), ListWith(item.clone()));
    case(list, json!({"cluster_id": 1, "sec_type": ["basic_auth", "apikey"]}), ListWith(item.clone()));
    case(list, json!({"cluster_id": 1, "needs_internal": "no"}), ListWith(item));
    case(list, json!({"cluster_id": 1, "sec_type": ["apikey"]}), EmptyList);
    case(list, json!({"cluster_id": NO_ID}), EmptyList);
    case(list, json!({"cluster_id": "one"}), Error(400, &["cluster_id", "one"]));
    case(
        list,
        json!({"cluster_id": 1, "needs_internal": "perhaps"}),
        Error(400, &["needs_internal", "perhaps"]),
    );
}

fn basic_auth(fixture: &Fixture, case: &mut impl FnMut(&'static str, Value, Expect)) {
    let id = fixture.user;
    let item = json!({
        "id": id, "name": "Table user", "is_active": true, "username": "Table user", "realm": "Tests",
    });
    case("zato.security.basic-auth.get-list", json!({"cluster_id": 1}), ListWith(item));
    case("zato.security.basic-auth.get-list", json!({"cluster_id": NO_ID}), EmptyList);
    case("zato.security.basic-auth.get-list", json!({"cluster_id": {}}), Error(400, &["cluster_id"]));

    let create = "zato.security.basic-auth.create";
    case(create, user("Created"), Item(json!({"name": "Created"})));
    let lenient = json!({"cluster_id": "1", "name": "Lenient <&>", "is_active": "yes", "username": "l", "realm": "\u{17c}"});
    case(create, lenient, Item(json!({"name": "Lenient <&>"})));
    case(
        create,
        with(&user("Table user"), &json!({"username": "another"})),
        Error(409, &["HTTP Basic Auth definition [Table user] already exists on this cluster"]),
    );
    case(create, with(&user("B"), &json!({"is_active": "maybe"})), Error(400, &["is_active", "maybe"]));
    case(create, with(&user("B"), &json!({"cluster_id": NO_ID})), Error(404, &["cluster", "987654"]));

    let edit = "zato.security.basic-auth.edit";
    let edited = with(&user("Table user"), &json!({"id": id}));
    case(edit, edited.clone(), Item(json!({"id": id, "name": "Table user"})));
    case(edit, with(&edited, &json!({"id": NO_ID, "name": "C", "username": "c"})), Error(404, &["987654"]));
    case(edit, with(&edited, &json!({"id": "seven"})), Error(400, &["id", "seven"]));
    case(
        edit,
        with(&edited, &json!({"name": "pubapi"})),
        Error(409, &["HTTP Basic Auth definition [pubapi] already exists on this cluster"]),
    );

    let change = "zato.security.basic-auth.change-password";
    case(change, json!({"id": id, "password1": "table-word", "password2": "table-word"}), Nothing);
    case(change, json!({"id": id, "password1": "", "password2": ""}), Nothing);
    case(
        change,
        json!({"id": id, "password1": "table-one", "password2": "table-two"}),
        Error(400, &["Passwords need to be the same"]),
    );
    case(change, json!({"id": NO_ID, "password1": "p", "password2": "p"}), Error(404, &["987654"]));

    case("zato.security.basic-auth.delete", json!({"id": NO_ID}), Error(404, &["987654"]));
    case("zato.security.basic-auth.delete", json!({"id": 1.5}), Error(400, &["id", "1.5"]));
    case("zato.security.basic-auth.delete", json!({"id": id}), Nothing);
    case("zato.security.basic-auth.delete", json!({"id": id}), Error(404, &["No row was found"]));
}

fn http_soap(fixture: &Fixture, case: &mut impl FnMut(&'static str, Value, Expect)) {
    let list = "zato.http-soap.get-list";
    let item = json!({
        "id": fixture.channel, "name": "Table channel", "is_active": true, "is_internal": false,
        "url_path": "/table/channel", "service_name": "zato.ping", "data_format": "json",
    });
    let input = json!({"cluster_id": 1, "connection": "channel", "transport": "plain_http"});
    case(list, input.clone(), ListWith(item));
    case(list, with(&input, &json!({"cluster_id": NO_ID})), EmptyList);
    case(list, with(&input, &json!({"transport": "pigeon"})), EmptyList);
    case(list, with(&input, &json!({"cluster_id": []})), Error(400, &["cluster_id"]));
    let item = json!({
        "id": fixture.connection, "name": "Table connection", "url_path": "/table", "ping_method": "HEAD",
        "pool_size": 20, "timeout": 10,
    });
    case(list, with(&input, &json!({"connection": "outgoing"})), ListWith(item));

    let create = "zato.http-soap.create";
    let channel = json_channel("Created", "/created", "zato.ping");
    case(create, channel.clone(), Item(json!({"name": "Created"})));
    case(create, outgoing("Created", "http://peer.example", "/created"), Item(json!({"name": "Created"})));
    let lenient = json!({"name": "Lenient", "url_path": "/lenient", "cluster_id": "1", "is_active": "1", "is_internal": "f"});
    case(create, with(&channel, &lenient), Item(json!({"name": "Lenient"})));
    let duplicate = json_channel("Table channel", "/other", "zato.ping");
    case(
        create,
        duplicate,
        Error(409, &["An object of that name [Table channel] already exists on this cluster"]),
    );
    let rival = json_channel("Rival", "/table/channel", "zato.ping");
    case(create, rival, Error(409, &["/table/channel", "Table channel"]));
    let new = json_channel("New", "/new", "zato.ping");
    case(
        create,
        with(&new, &json!({"url_path": "new"})),
        Error(400, &["URL path:[new] must start with a slash /"]),
    );
    case(
        create,
        with(&new, &json!({"service": "no.such"})),
        Error(404, &["Service [no.such] does not exist on this cluster"]),
    );
    case(create, with(&new, &json!({"security_id": NO_ID})), Error(404, &["987654"]));
    case(create, with(&new, &json!({"security_id": "many"})), Error(400, &["security_id", "many"]));
    case(create, with(&new, &json!({"is_internal": "neither"})), Error(400, &["is_internal", "neither"]));

    let edit = "zato.http-soap.edit";
    let edited =
        with(&json_channel("Table channel", "/table/channel", "zato.ping"), &json!({"id": fixture.channel}));
    case(edit, edited.clone(), Item(json!({"id": fixture.channel, "name": "Table channel"})));
    case(edit, with(&edited, &json!({"id": NO_ID, "name": "X", "url_path": "/x"})), Error(404, &["987654"]));
    case(
        edit,
        with(&edited, &json!({"url_path": "x"})),
        Error(400, &["URL path:[x] must start with a slash /"]),
    );

    let ping = "zato.http-soap.ping";
    case(ping, json!({"id": fixture.connection.to_string()}), Item(json!({})));
    case(ping, json!({"id": NO_ID}), Error(404, &["987654"]));
    case(ping, json!({"id": true}), Error(400, &["id"]));

    case("zato.http-soap.delete", json!({"id": fixture.connection}), Nothing);
    case("zato.http-soap.delete", json!({"id": fixture.connection}), Error(404, &["No row was found"]));
    case("zato.http-soap.delete", json!({"id": ""}), Error(400, &["id"]));
}

fn services(fixture: &Fixture, case: &mut impl FnMut(&'static str, Value, Expect)) {
    let id = fixture.service;
    let item = json!({"id": id, "name": "zato.ping2", "is_internal": true, "may_be_deleted": false});
    let by_name = "zato.service.get-by-name";
    let shown = with(&item, &json!({"is_active": true, "slow_threshold": 99999}));
    case(by_name, json!({"cluster_id": 1, "name": "zato.ping2"}), Item(shown));
    case(by_name, json!({"cluster_id": 1, "name": "no.such"}), Error(404, &["no.such"]));
    case(by_name, json!({"cluster_id": NO_ID, "name": "zato.ping2"}), Error(404, &["zato.ping2"]));
    case(by_name, json!({"cluster_id": "first", "name": "zato.ping2"}), Error(400, &["cluster_id", "first"]));

    case("zato.service.get-list", json!({"cluster_id": 1, "name_filter": "*"}), EmptyList);
    case("zato.service.get-list", json!({"cluster_id": "x"}), Error(400, &["cluster_id", "x"]));

    let edit = "zato.service.edit";
    case(edit, json!({"id": id, "is_active": true, "slow_threshold": "99999"}), Item(item));
    case(edit, json!({"id": NO_ID, "is_active": true, "slow_threshold": 1}), Error(404, &["987654"]));
    case(
        edit,
        json!({"id": id, "is_active": true, "slow_threshold": "slow"}),
        Error(400, &["slow_threshold", "slow"]),
    );

    let channels = "zato.service.get-channel-list";
    case(
        channels,
        json!({"id": id, "channel_type": "plain_http"}),
        ListWith(json!({"name": "zato.ping2.json"})),
    );
    case(channels, json!({"id": id, "channel_type": "soap"}), ListWith(json!({"name": "zato.ping2"})));
    case(channels, json!({"id": id, "channel_type": "zmq"}), EmptyList);
    case(channels, json!({"id": id, "channel_type": "pigeon"}), Error(400, &["channel_type", "pigeon"]));
    case(channels, json!({"id": NO_ID, "channel_type": "soap"}), Error(404, &["987654"]));

    // {"zato_ping_response":{"pong":"zato"}}
    let response = "eyJ6YXRvX3BpbmdfcmVzcG9uc2UiOnsicG9uZyI6InphdG8ifX0=";
    case(
        "zato.service.invoke",
        json!({"name": "zato.ping", "data_format": "json"}),
        Item(json!({"response": response})),
    );
    case("zato.service.invoke", json!({"name": "no.such"}), Error(404, &["no.such"]));
    case(
        "zato.service.invoke",
        json!({"name": "zato.ping", "async": "perhaps"}),
        Error(400, &["async", "perhaps"]),
    );
}
