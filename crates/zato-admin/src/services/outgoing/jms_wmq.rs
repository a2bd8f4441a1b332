//! `zato.outgoing.jms-wmq`: outgoing WebSphere MQ connections.
//!
//! Owns what such a connection can be. They are kept for the day on which there is a client of WebSphere MQ: until then
//! an active one is stored with a warning.

use zato_catalogue::outgoing::jms_wmq;
use zato_odb::model::{DefinitionWmq, OutgoingWmq};
use zato_service::Error;

use crate::change::{ConfigurationChange, Family};
use crate::family::services;
use crate::services::definition::jms_wmq::{WmqDefinitions, status, warning};
use crate::value;

pub(crate) struct WmqConnections;

impl Family for WmqConnections {
    type Object = OutgoingWmq;

    const NOUN: &'static str = "outgoing JMS WebSphere MQ connection";

    const TAKEN: &'static str = "An outgoing JMS WebSphere MQ connection";

    fn check_values(connection: &OutgoingWmq) -> Result<(), Error> {
        value::priority(connection.priority)?;
        value::delivery_mode(connection.delivery_mode)?;
        value::expiration(connection.expiration.as_ref())
    }

    async fn check(change: &ConfigurationChange<'_>, connection: &OutgoingWmq) -> Result<(), Error> {
        change.referred::<WmqDefinitions>(connection.cluster_id, connection.def_id).await.map(drop)
    }

    fn warning(connection: &OutgoingWmq) -> Option<String> {
        warning(Self::NOUN, &connection.name, connection.is_active)
    }
}

services! {
    WmqConnections in jms_wmq: create, edit, delete, get_list;
    {
        object OutgoingWmq { is_active, def_id, delivery_mode, priority, expiration }
        shown(connection, _admin) { status: status(connection.is_active) }
        names(connection) { def_name: DefinitionWmq = connection.def_id }
    }
}
