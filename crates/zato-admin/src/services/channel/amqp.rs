//! `zato.channel.amqp`: AMQP channels.
//!
//! Owns what such a channel can be. It must not know how messages are received.

use zato_catalogue::channel::amqp;
use zato_odb::model::{ChannelAmqp, DefinitionAmqp, Service};
use zato_service::Error;

use crate::change::{ConfigurationChange, Family};
use crate::connectors::status;
use crate::family::services;
use crate::services::definition::amqp::AmqpDefinitions;
use crate::value;

pub(crate) struct AmqpChannels;

impl Family for AmqpChannels {
    type Object = ChannelAmqp;

    const NOUN: &'static str = "AMQP channel";

    const TAKEN: &'static str = "An AMQP channel";

    fn check_values(channel: &ChannelAmqp) -> Result<(), Error> {
        value::not_empty("queue", &channel.queue)?;
        value::data_format(channel.data_format.as_ref())
    }

    async fn check(change: &ConfigurationChange<'_>, channel: &ChannelAmqp) -> Result<(), Error> {
        change.referred::<AmqpDefinitions>(channel.cluster_id, channel.def_id).await.map(drop)
    }
}

services! {
    AmqpChannels in amqp: create, edit, delete, get_list;
    {
        object ChannelAmqp { is_active, def_id, queue, consumer_tag_prefix, data_format }
        sent { service }
        found(change, channel) { service_id: change.service(channel.cluster_id, &service).await?.id }
        shown(channel, admin) { status: status::amqp_channel(admin, channel).await }
        names(channel) { def_name: DefinitionAmqp = channel.def_id, service_name: Service = channel.service_id }
    }
}
