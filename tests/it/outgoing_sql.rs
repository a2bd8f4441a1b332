//! Outgoing SQL connections to a server that asks for a password.

use serde_json::json;

use crate::support::api::with;
use crate::support::postgres::{Database, PASSWORD};
use crate::support::{Format, Server};

#[test]
fn a_changed_password_counts_from_the_next_call_on() {
    let database = Database::create();
    let server = Server::start();
    for format in Format::BOTH {
        let api = server.api_in(format);
        let definition = json!({
            "cluster_id": 1, "name": format!("CRM {format:?}"), "is_active": true, "engine": "postgresql+pg8000",
            "host": "127.0.0.1", "port": database.address().port(), "db_name": database.name(), "username": "zato",
            "pool_size": 2,
        });
        let id = api.id_of("zato.outgoing.sql.create", &definition);
        let ping = || api.call("zato.outgoing.sql.ping", &json!({"id": id}));
        let status = if format == Format::Json { 502 } else { 500 };
        let wrong = |password: &str| json!({"id": id, "password1": password, "password2": password});

        // The first password is a random one.
        let details =
            ping().error(status, &["Could not ping the outgoing SQL connection", "refused to log it in"]);
        assert!(details.contains("password authentication failed"), "{details}");
        api.call("zato.outgoing.sql.change-password", &wrong(PASSWORD)).ok();
        ping().ok();
        api.call("zato.outgoing.sql.change-password", &wrong("no-such-password-11aa")).ok();
        let details = ping().error(status, &["Could not ping"]);
        assert!(!details.contains("no-such-password") && !details.contains(PASSWORD), "{details}");

        // An edit keeps the password.
        api.call("zato.outgoing.sql.change-password", &wrong(PASSWORD)).ok();
        api.call("zato.outgoing.sql.edit", &with(&definition, &json!({"id": id, "pool_size": 0}))).ok();
        ping().ok();
    }
}
