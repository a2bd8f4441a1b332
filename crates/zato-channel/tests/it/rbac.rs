//! Whose roles allow what.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use zato_channel::{ChannelConfig, ClientRole, Permission, RbacConfig, Role, RolePermission};

use crate::support::{House, basic_auth, json, post, with};

const ANN: &str = "sec_def:::basic_auth:::definition 1";

/// The one role may read and create; it is the caller's if the caller has one.
fn roles(client: &str) -> RbacConfig {
    let allowed = |permission_id| RolePermission { role_id: 1, service_id: 10, permission_id };
    RbacConfig {
        roles: vec![Role { id: 1, parent_id: None }],
        permissions: [(1, "Read"), (2, "Create")]
            .map(|(id, name)| Permission { id, name: name.to_owned() })
            .to_vec(),
        client_roles: vec![ClientRole { client: client.to_owned(), role_id: 1 }],
        role_permissions: vec![allowed(1), allowed(2)],
    }
}

#[test]
fn roles_decide_after_credentials() {
    let house = House::new();
    let greeter = house.greeter();
    greeter.configure(10, true, Duration::from_secs(1));
    let channel =
        ChannelConfig { security: Some(basic_auth(1, "u", "p")), has_rbac: true, ..json(1, "/", &greeter) };
    house.put(channel.clone());
    let send = |method: &str, authorization: &str| {
        let body = Full::from(r#"{"name":"Ann"}"#);
        let request: Request<Full<Bytes>> =
            Request::builder().method(method).uri("/").header("host", "localhost").body(body).unwrap();
        house.call(with(request, "authorization", authorization))
    };
    let status = |method: &str| send(method, "Basic dTpw").status.as_u16();
    // Nothing is allowed that isn't.
    assert_eq!(status("GET"), 403);
    assert_eq!(send("GET", "Basic dTpX").status.as_u16(), 401);
    let reply = send("POST", "Basic dTpw");
    assert_eq!(reply.details(), "You are not allowed to access this URL");

    house.channels.replace_rbac(&roles(ANN));
    assert_eq!(["GET", "HEAD", "POST"].map(status), [200; 3]);
    assert_eq!(["PUT", "PATCH", "DELETE", "OPTIONS", "REPORT"].map(status), [403; 5]);
    house.channels.replace_rbac(&roles("sec_def:::basic_auth:::other"));
    assert_eq!(status("GET"), 403);
    house.channels.replace_rbac(&roles(ANN));

    // The client has the definition's name and type, so roles are lost with a new name.
    assert_eq!(status("GET"), 200);
    greeter.configure(11, true, Duration::from_secs(1));
    assert_eq!(status("GET"), 403);
    house.put(ChannelConfig { has_rbac: false, ..channel.clone() });
    assert_eq!(status("GET"), 200);
    // Whoever is nobody has no roles.
    house.put(ChannelConfig { security: None, ..channel });
    assert_eq!(house.call(post("/", r#"{"name":"Ann"}"#)).status.as_u16(), 200);
    let denials = house.dispatcher.statistics().denials();
    let forbidden = denials.iter().find(|denials| denials.reason == "role").unwrap();
    assert_eq!((&*forbidden.definition, forbidden.count), ("definition 1", 9));
}
