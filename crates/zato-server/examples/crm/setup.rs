//! Creates the outgoing connections and channels of the example, over the public API like any other tool would.

use std::error::Error;
use std::net::SocketAddr;

use serde_json::{Value, json};
use zato_cid::{Form, SystemGenerator};
use zato_outgoing::{Config, Connection, Environment, Secret, Security};
use zato_server::RunningServer;

type Failure = Box<dyn Error + Send + Sync>;

/// Creates what is not there yet, so that the example can be started again with its data.
pub(crate) async fn configure(server: &RunningServer, peer: SocketAddr) -> Result<(), Failure> {
    let api = Api::new(server)?;
    let peer = format!("http://{peer}");
    for (name, transport, path) in [
        ("CRM Customer Profile", "plain_http", "/profile"),
        ("CRM Customer Cases", "plain_http", "/cases"),
        ("CRM Connection", "plain_http", "/search"),
        ("Set Account Balance", "soap", "/balance"),
    ] {
        let mut connection = json!({
            "name": name, "connection": "outgoing", "transport": transport, "host": peer, "url_path": path,
        });
        if transport == "soap" {
            connection["soap_version"] = "1.1".into();
            connection["soap_action"] = "urn:set-balance".into();
        }
        api.put(connection).await?;
    }
    for (path, service) in [
        ("/crm/customer", "crm.customer.get"),
        ("/crm/find", "crm.customer.find"),
        ("/crm/balance", "crm.account.set-balance"),
    ] {
        api.put(json!({
            "name": service, "connection": "channel", "transport": "plain_http", "url_path": path,
            "service": service, "data_format": "json",
        }))
        .await?;
    }
    Ok(())
}

/// The public API of the server, reached the way services reach other systems.
struct Api {
    connection: Connection,
    cids: SystemGenerator,
    cluster_id: i64,
}

impl Api {
    fn new(server: &RunningServer) -> Result<Self, Failure> {
        let credentials: Value = serde_json::from_slice(&std::fs::read(server.files().credentials())?)?;
        let password = credentials["pubapi"]["password"].as_str().unwrap_or_default();
        let host = format!("http://{}", server.address());
        let mut config = Config::new(0, "public API", host, "/zato/json/{service}");
        config.security =
            Some(Security::BasicAuth { username: "pubapi".to_owned(), password: Secret::from(password) });
        Ok(Self {
            connection: Connection::new(config, &Environment::new("crm")?)?,
            cids: SystemGenerator::new(Form::default()),
            cluster_id: credentials["cluster_id"].as_i64().unwrap_or_default(),
        })
    }

    /// Creates a channel or an outgoing connection, or brings the one of that name up to date.
    async fn put(&self, mut object: Value) -> Result<(), Failure> {
        object["cluster_id"] = self.cluster_id.into();
        object["is_active"] = true.into();
        object["is_internal"] = false.into();
        let listed = self.call("zato.http-soap.get-list", &object).await?;
        let existing = listed["zato_http_soap_get_list_response"]
            .as_array()
            .and_then(|list| list.iter().find(|listed| listed["name"] == object["name"]));
        let action = match existing {
            Some(existing) => {
                object["id"] = existing["id"].clone();
                "zato.http-soap.edit"
            }
            None => "zato.http-soap.create",
        };
        self.call(action, &object).await?;
        Ok(())
    }

    async fn call(&self, service: &str, request: &Value) -> Result<Value, Failure> {
        let response = self
            .connection
            .conn()
            .post(self.cids.generate(), request.to_string())
            .params([("service", service)])
            .await?;
        let reply: Value = response.json()?;
        if reply["zato_env"]["result"] == "ZATO_OK" {
            Ok(reply)
        } else {
            Err(format!("{service} failed: {}", reply["zato_env"]["details"]).into())
        }
    }
}
