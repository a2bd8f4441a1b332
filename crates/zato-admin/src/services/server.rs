//! `zato.server`: the servers of a cluster, and which of them leads it.
//!
//! Owns what is shown of a server and the commands to the leader. It must not know how a leader is found: `leader` does.

use zato_catalogue::RawCall;
use zato_catalogue::server::{
    cluster_wide_singleton_keep_alive, delete, edit, ensure_cluster_wide_singleton, get_by_id,
};
use zato_odb::model::Server;
use zato_service::{Context, Description, Error, RawInput, Service};
use zato_sio::Utc;

use crate::change::{ConfigurationChange, Family};
use crate::error::{OrError, not_allowed};
use crate::handle::{Implemented, describe};
use crate::{Admin, Handle, Leader, family};

/// Everything that belongs to one server is deleted with it by the database; nobody follows events of that.
struct Servers;

impl Family for Servers {
    type Object = Server;

    const NOUN: &'static str = "server";
    const TAKEN: &'static str = "A server of that name";
}

/// What is shown of a server, in the response type of a service.
macro_rules! described {
    ($service:ident, $server:expr) => {{
        let server = $server;
        $service::Response {
            id: server.id,
            cluster_id: server.cluster_id,
            name: server.name,
            host: server.host.unwrap_or_default(),
            bind_host: server.bind_host,
            bind_port: server.bind_port.map(i64::from),
            last_join_status: server.last_join_status,
            last_join_mod_date: server.last_join_mod_date.and_then(Utc::new),
            last_join_mod_by: server.last_join_mod_by,
            up_status: server.up_status,
            up_mod_date: server.up_mod_date.and_then(Utc::new),
        }
    }};
}

impl Handle for get_by_id::Request {
    async fn handle(self, _: &mut Context, admin: &Admin) -> Result<get_by_id::Response, Error> {
        let server = family::find::<Servers>(admin, self.id).await?;
        Ok(described!(get_by_id, server))
    }
}

impl Handle for edit::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<edit::Response, Error> {
        let mut change = ConfigurationChange::begin(admin, cx).await?;
        let stored = change.find::<Servers>(self.id).await?;
        let server = Server { name: self.name, ..stored.clone() };
        change.replace::<Servers>(&stored, &server).await?;
        change.commit().await?;
        Ok(described!(edit, server))
    }
}

impl Handle for delete::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<(), Error> {
        let mut change = ConfigurationChange::begin(admin, cx).await?;
        let Server { id, name, .. } = change.find::<Servers>(self.id).await?;
        if id == admin.settings().server_id {
            return Err(Error::conflict(format!("A server cannot delete itself, id:[{id}], name:[{name}]")));
        }
        change.delete::<Servers>(id).await?;
        change.commit().await
    }
}

impl Handle for ensure_cluster_wide_singleton::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<(), Error> {
        match admin.background()?.leadership.ensure().await.or_error()? {
            Leader::This => tracing::info!(cid = %cx.cid(), "this server leads the cluster"),
            Leader::Other(server_id) => {
                tracing::info!(cid = %cx.cid(), server_id, "another server leads the cluster");
            }
            Leader::Nobody => tracing::info!(cid = %cx.cid(), "no server leads the cluster"),
        }
        Ok(())
    }
}

/// `zato.server.cluster-wide-singleton-keep-alive`. A server renews its own lease only: renewing that of another one
/// would keep the cluster without a leader if that one is gone.
pub(crate) struct KeepAlive(Admin);

impl Service for KeepAlive {
    type Input = RawInput;
    type Output = ();

    fn description(&self) -> Description {
        describe(cluster_wide_singleton_keep_alive::Raw::SERVICE)
    }

    async fn handle(&self, _: &mut Context, request: RawInput) -> Result<(), Error> {
        let text = String::from_utf8_lossy(&request.body);
        let Some((server_id, cluster_id)) = parse_ids(text.trim().trim_matches('"')) else {
            return Err(not_allowed("payload", text, "of the form server_id:1;cluster_id:1"));
        };
        let own_cluster_id = self.0.settings().cluster_id;
        if cluster_id != own_cluster_id {
            return Err(Error::not_found(format!(
                "This server belongs to cluster [{own_cluster_id}], not to [{cluster_id}]"
            )));
        }
        let leadership = &self.0.background()?.leadership;
        if server_id == leadership.server_id() && leadership.keep_alive().await.or_error()? {
            return Ok(());
        }
        Err(Error::conflict(format!(
            "This server, id:[{}], can't say that the leader of the cluster is server [{server_id}] and alive",
            leadership.server_id()
        )))
    }
}

impl Implemented for cluster_wide_singleton_keep_alive::Raw {
    type Service = KeepAlive;

    fn service(admin: &Admin) -> KeepAlive {
        KeepAlive(admin.clone())
    }
}

/// The ids in `server_id:1;cluster_id:2`.
fn parse_ids(text: &str) -> Option<(i64, i64)> {
    let (server, cluster) = text.split_once(';')?;
    let server = server.trim().strip_prefix("server_id:")?.trim().parse().ok()?;
    let cluster = cluster.trim().strip_prefix("cluster_id:")?.trim().parse().ok()?;
    Some((server, cluster))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_stand_in_their_documented_form() {
        assert_eq!(parse_ids("server_id:1;cluster_id:2"), Some((1, 2)));
        assert_eq!(parse_ids(" server_id: 1; cluster_id: 2 "), Some((1, 2)));
        for other in ["", "server_id:1", "cluster_id:1;server_id:2", "server_id:x;cluster_id:2"] {
            assert_eq!(parse_ids(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn ids_are_read_back(server: i64, cluster: i64, text: String) {
            prop_assert_eq!(parse_ids(&format!("server_id:{server};cluster_id:{cluster}")), Some((server, cluster)));
            parse_ids(&text);
        }
    }
}
