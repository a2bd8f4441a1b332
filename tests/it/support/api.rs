//! Calls of the public API in either format, so that one table serves both.

use serde_json::{Value, json};

use super::envelope::{self, Answer};
use super::http::Reply;
use super::server::Server;

/// How a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `/zato/json/<service>`.
    Json,
    /// `/zato/soap` with a SOAPAction.
    Soap,
}

impl Format {
    pub(crate) const BOTH: [Self; 2] = [Self::Json, Self::Soap];
}

/// The public API for one user.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Api<'a> {
    server: &'a Server,
    format: Format,
    username: &'a str,
    password: &'a str,
}

impl<'a> Api<'a> {
    pub(crate) fn new(server: &'a Server, format: Format, username: &'a str, password: &'a str) -> Self {
        Self { server, format, username, password }
    }

    /// The same with another user.
    pub(crate) fn user(self, username: &'a str, password: &'a str) -> Self {
        Self { username, password, ..self }
    }

    /// Calls a service and reads the envelope of its reply.
    #[track_caller]
    pub(crate) fn call(&self, service: &str, input: &Value) -> Answer {
        let reply = self.send(service, input);
        match self.format {
            Format::Json => envelope::read_json(service, &reply),
            Format::Soap => envelope::read_soap(service, &reply),
        }
    }

    /// Calls a service and leaves the reply as it is.
    #[track_caller]
    pub(crate) fn send(&self, service: &str, input: &Value) -> Reply {
        match self.format {
            Format::Json => self.post(service, &input.to_string()),
            Format::Soap => self.post(service, &envelope::soap_request(service, input)),
        }
    }

    /// Posts any text to the channel of a service.
    #[track_caller]
    pub(crate) fn post(&self, service: &str, body: &str) -> Reply {
        let request = match self.format {
            Format::Json => self.server.request("POST", &format!("/zato/json/{service}")),
            Format::Soap => self.server.request("POST", "/zato/soap").header("SOAPAction", service),
        };
        request.auth(self.username, self.password).body(body).send()
    }

    /// Creates an object, or changes one that must stay the same object, and returns its id.
    #[track_caller]
    pub(crate) fn id_of(&self, service: &str, input: &Value) -> i64 {
        let payload = self.call(service, input).ok();
        assert_eq!(payload["name"], input["name"], "create and edit copy the name");
        let id = envelope::text(&payload["id"]).parse().expect("an id is a number");
        if let Some(given) = input["id"].as_i64() {
            assert_eq!(id, given, "edit copies the id");
        }
        id
    }

    /// Creates an HTTP Basic Auth definition whose user name is its name, with this password.
    #[track_caller]
    pub(crate) fn create_user(&self, name: &str, password: &str) -> i64 {
        let id = self.id_of("zato.security.basic-auth.create", &user(name));
        self.change_password(id, password);
        id
    }

    #[track_caller]
    pub(crate) fn change_password(&self, id: i64, password: &str) {
        let input = json!({"id": id, "password1": password, "password2": password});
        self.call("zato.security.basic-auth.change-password", &input).ok();
        if !password.is_empty() {
            self.server.keep_secret(password);
        }
    }

    /// Creates a channel or outgoing connection.
    #[track_caller]
    pub(crate) fn create_http(&self, object: &Value) -> i64 {
        self.id_of("zato.http-soap.create", object)
    }

    /// Replaces the configuration of a channel or outgoing connection.
    #[track_caller]
    pub(crate) fn edit_http(&self, id: i64, object: &Value) {
        self.id_of("zato.http-soap.edit", &with(object, &json!({"id": id})));
    }

    #[track_caller]
    pub(crate) fn delete_http(&self, id: i64) {
        self.call("zato.http-soap.delete", &json!({"id": id})).ok();
    }

    /// A service as `get-by-name` shows it.
    #[track_caller]
    pub(crate) fn service(&self, name: &str) -> Value {
        self.call("zato.service.get-by-name", &json!({"cluster_id": 1, "name": name})).ok()
    }

    /// The names of a list's items.
    #[track_caller]
    pub(crate) fn names(&self, service: &str, input: &Value) -> Vec<String> {
        let items = self.call(service, input).ok();
        let items = items.as_array().unwrap_or_else(|| panic!("no list: {items}"));
        items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    }
}

/// The input that creates an HTTP Basic Auth definition.
pub(crate) fn user(name: &str) -> Value {
    json!({"cluster_id": 1, "name": name, "is_active": true, "username": name, "realm": "Tests"})
}

/// The input that creates a JSON channel.
pub(crate) fn json_channel(name: &str, path: &str, service: &str) -> Value {
    json!({
        "cluster_id": 1, "name": name, "is_active": true, "connection": "channel", "transport": "plain_http",
        "is_internal": false, "url_path": path, "service": service, "data_format": "json",
    })
}

/// The input that creates a SOAP channel.
pub(crate) fn soap_channel(name: &str, path: &str, action: &str, service: &str) -> Value {
    let object =
        json!({"transport": "soap", "soap_action": action, "soap_version": "1.1", "data_format": "xml"});
    with(&json_channel(name, path, service), &object)
}

/// The input that creates an outgoing plain HTTP connection.
pub(crate) fn outgoing(name: &str, host: &str, path: &str) -> Value {
    json!({
        "cluster_id": 1, "name": name, "is_active": true, "connection": "outgoing", "transport": "plain_http",
        "is_internal": false, "host": host, "url_path": path, "timeout": 10,
    })
}

/// An input with some elements added or replaced.
pub(crate) fn with(input: &Value, changes: &Value) -> Value {
    let mut input = input.clone();
    for (name, value) in changes.as_object().expect("changes are an object") {
        input[name] = value.clone();
    }
    input
}
