//! `zato.definition.amqp`: AMQP definitions.
//!
//! Owns what such a definition can be. It must not know how a broker is connected to.

use zato_catalogue::definition::amqp;
use zato_odb::model::{ChannelAmqp, ChannelAmqpFilter, DefinitionAmqp, OutgoingAmqp, OutgoingAmqpFilter};
use zato_odb::{OdbError, Read, Secret, Transaction};
use zato_service::Error;

use crate::change::{Dependants, Family, HasPassword};
use crate::family::services;
use crate::password;
use crate::services::channel::amqp::AmqpChannels;
use crate::services::outgoing::amqp::AmqpConnections;
use crate::value::{PORTS, not_empty, within};

pub(crate) struct AmqpDefinitions;

impl Family for AmqpDefinitions {
    type Object = DefinitionAmqp;

    const NOUN: &'static str = "AMQP definition";

    fn check_values(definition: &DefinitionAmqp) -> Result<(), Error> {
        not_empty("host", &definition.host)?;
        within("port", definition.port, &PORTS)?;
        not_empty("vhost", &definition.vhost)?;
        // AMQP 0-9-1 knows no frames of less than 4096 bytes; 0 leaves the size to the broker.
        if definition.frame_max != 0 {
            within("frame_max", definition.frame_max, &(4096..=i32::MAX))?;
        }
        // A heartbeat is sent to the broker as a number of 16 bits.
        within("heartbeat", definition.heartbeat, &(0..=65_535))
    }

    async fn dependants(
        tx: &Transaction,
        definition: &DefinitionAmqp,
        found: &mut Dependants,
    ) -> Result<(), OdbError> {
        let filter = ChannelAmqpFilter { def_id: Some(definition.id), ..ChannelAmqpFilter::default() };
        found.add::<AmqpChannels>(tx.list::<ChannelAmqp>(definition.cluster_id, &filter).await?);
        let filter = OutgoingAmqpFilter { def_id: Some(definition.id) };
        found.add::<AmqpConnections>(tx.list::<OutgoingAmqp>(definition.cluster_id, &filter).await?);
        Ok(())
    }
}

impl HasPassword for AmqpDefinitions {
    const PASSWORD_REQUIRED: bool = true;

    fn set_password(definition: &mut DefinitionAmqp, password: Secret) -> Result<(), Error> {
        definition.password = password;
        Ok(())
    }
}

services! {
    AmqpDefinitions in amqp: create, edit, change_password, delete, get_by_id, get_list;
    {
        object DefinitionAmqp { host, port, vhost, username, frame_max, heartbeat }
        initially { password: password::random()? }
    }
}
