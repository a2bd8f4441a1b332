//! Outgoing FTP connections, from the public API to files on a server.

use std::fs;

use serde_json::{Value, json};
use zato_ftp::test_util::{PASSWORD, Server as FtpServer};

use crate::support::api::{json_channel, with};
use crate::support::{Format, Launch, Reply, Server};

/// An order that a service leaves on the FTP server.
fn export(server: &Server, id: i64) -> Reply {
    server.request("POST", "/export").json(&json!({"id": id, "item": "a book"})).send()
}

#[test]
fn services_leave_files_with_the_current_credentials() {
    let ftp = FtpServer::shared();
    let server = Launch::orders_example().start();
    server.keep_secret(PASSWORD);
    server.keep_secret("no-such-password-52cd");
    server.api().create_http(&json_channel("Export", "/export", "orders.export"));
    let refused = export(&server, 1).status(500);
    assert!(refused.text().contains("Exports"), "{}", refused.text());

    for (first, format) in [(10, Format::Json), (20, Format::Soap)] {
        let api = server.api_in(format);
        let definition = json!({
            "cluster_id": 1, "name": "Exports", "is_active": true, "host": "127.0.0.1", "port": ftp.port(),
            "user": "crm", "timeout": 20, "dircache": false,
        });
        let id = api.id_of("zato.outgoing.ftp.create", &definition);
        let change_password = |password: &str| {
            let input = json!({"id": id, "password1": password, "password2": password});
            api.call("zato.outgoing.ftp.change-password", &input).ok();
        };
        let edit = |changes: &Value| {
            let input = with(&with(&definition, changes), &json!({"id": id}));
            api.id_of("zato.outgoing.ftp.edit", &input);
        };

        change_password(PASSWORD);
        export(&server, first).status(200);
        let file = ftp.files().join(format!("order-{first}.json"));
        let stored: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        assert_eq!(stored, json!({"id": first, "item": "a book"}));

        // A change counts from the next call on; an edit keeps the password.
        change_password("no-such-password-52cd");
        let refused = export(&server, first + 1).status(502);
        assert!(refused.text().contains("Exports"), "{}", refused.text());
        change_password(PASSWORD);
        edit(&json!({"is_active": false}));
        let refused = export(&server, first + 2).status(502);
        assert!(refused.text().contains("inactive"), "{}", refused.text());
        edit(&json!({"timeout": 25}));
        export(&server, first + 3).status(200);

        api.call("zato.outgoing.ftp.delete", &json!({"id": id})).ok();
        export(&server, first + 4).status(500);
        let left = [first, first + 1, first + 2, first + 3, first + 4]
            .map(|order| fs::exists(ftp.files().join(format!("order-{order}.json"))).unwrap());
        assert_eq!(left, [true, false, false, true, false]);
    }
}
