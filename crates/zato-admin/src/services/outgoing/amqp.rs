//! `zato.outgoing.amqp`: outgoing AMQP connections.
//!
//! Owns what such a connection can be. It must not know how messages are published.

use zato_catalogue::outgoing::amqp;
use zato_odb::model::{DefinitionAmqp, OutgoingAmqp};
use zato_service::Error;

use crate::change::{ConfigurationChange, Family};
use crate::connectors::status;
use crate::family::services;
use crate::services::definition::amqp::AmqpDefinitions;
use crate::value;

pub(crate) struct AmqpConnections;

impl Family for AmqpConnections {
    type Object = OutgoingAmqp;

    const NOUN: &'static str = "outgoing AMQP connection";

    const TAKEN: &'static str = "An outgoing AMQP connection";

    fn check_values(connection: &OutgoingAmqp) -> Result<(), Error> {
        value::priority(connection.priority)?;
        value::delivery_mode(connection.delivery_mode)?;
        value::expiration(connection.expiration.as_ref())
    }

    async fn check(change: &ConfigurationChange<'_>, connection: &OutgoingAmqp) -> Result<(), Error> {
        change.referred::<AmqpDefinitions>(connection.cluster_id, connection.def_id).await.map(drop)
    }
}

services! {
    AmqpConnections in amqp: create, edit, delete, get_list;
    {
        object OutgoingAmqp {
            is_active, def_id, delivery_mode, priority, content_type, content_encoding, expiration, user_id, app_id,
        }
        shown(connection, admin) { status: status::amqp_outgoing(admin, connection) }
        names(connection) { def_name: DefinitionAmqp = connection.def_id }
    }
}
