//! What lists say of channels and connections that are kept up in the background.
//!
//! Owns the texts for what is not there: switched off, or run by another server. It must not know how a status comes about.

use zato_connections::Status;
use zato_odb::Read as _;
use zato_odb::model::{ChannelAmqp, ChannelZmq, Cluster, OutgoingAmqp, Server};

use super::Connectors;
use crate::Admin;

/// The status of an AMQP channel.
pub(crate) async fn amqp_channel(admin: &Admin, channel: &ChannelAmqp) -> Option<String> {
    let connectors = &admin.background().ok()?.connectors;
    let status = connectors.amqp().status(channel.id);
    Some(channel_status(admin, connectors, channel.cluster_id, channel.is_active, status).await)
}

/// The status of a ZeroMQ channel.
pub(crate) async fn zmq_channel(admin: &Admin, channel: &ChannelZmq) -> Option<String> {
    let connectors = &admin.background().ok()?.connectors;
    let status = connectors.zmq().status(channel.id);
    Some(channel_status(admin, connectors, channel.cluster_id, channel.is_active, status).await)
}

/// The status of an outgoing AMQP connection.
pub(crate) fn amqp_outgoing(admin: &Admin, connection: &OutgoingAmqp) -> Option<String> {
    let environment = admin.background().ok()?.connectors.environment();
    let found = environment.outgoing().amqp_table().by_id(connection.id);
    found.ok().map(|connection| connection.status().to_string())
}

async fn channel_status(
    admin: &Admin,
    connectors: &Connectors,
    cluster_id: i64,
    is_active: bool,
    status: Option<Status>,
) -> String {
    match status {
        _ if !is_active => Status::Inactive.to_string(),
        Some(status) => status.to_string(),
        None if connectors.leads() && cluster_id == admin.settings().cluster_id => {
            "not in effect, see the server's log".to_owned()
        }
        None => match leader(admin, cluster_id).await {
            Some(name) => format!("runs on server [{name}]"),
            None => "no server runs it".to_owned(),
        },
    }
}

/// The name of the server that leads a cluster. A list is worth having also if that can't be told.
async fn leader(admin: &Admin, cluster_id: i64) -> Option<String> {
    let cluster = admin.odb().find::<Cluster>(cluster_id).await.ok()??;
    let server = admin.odb().find::<Server>(cluster.cw_srv_id?).await.ok()??;
    Some(server.name)
}
