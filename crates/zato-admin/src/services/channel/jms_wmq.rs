//! `zato.channel.jms-wmq`: WebSphere MQ channels.
//!
//! Owns what such a channel can be. They are kept for the day on which there is a client of WebSphere MQ: until then an
//! active one is stored with a warning.

use zato_catalogue::channel::jms_wmq;
use zato_odb::model::{ChannelWmq, DefinitionWmq, Service};
use zato_service::Error;

use crate::change::{ConfigurationChange, Family};
use crate::family::services;
use crate::services::definition::jms_wmq::{WmqDefinitions, status, warning};
use crate::value;

pub(crate) struct WmqChannels;

impl Family for WmqChannels {
    type Object = ChannelWmq;

    const NOUN: &'static str = "JMS WebSphere MQ channel";

    const TAKEN: &'static str = "A JMS WebSphere MQ channel";

    fn check_values(channel: &ChannelWmq) -> Result<(), Error> {
        value::not_empty("queue", &channel.queue)?;
        value::data_format(channel.data_format.as_ref())
    }

    async fn check(change: &ConfigurationChange<'_>, channel: &ChannelWmq) -> Result<(), Error> {
        change.referred::<WmqDefinitions>(channel.cluster_id, channel.def_id).await.map(drop)
    }

    fn warning(channel: &ChannelWmq) -> Option<String> {
        warning(Self::NOUN, &channel.name, channel.is_active)
    }
}

services! {
    WmqChannels in jms_wmq: create, edit, delete, get_list;
    {
        object ChannelWmq { is_active, def_id, queue, data_format }
        sent { service }
        found(change, channel) { service_id: change.service(channel.cluster_id, &service).await?.id }
        shown(channel, _admin) { status: status(channel.is_active) }
        names(channel) { def_name: DefinitionWmq = channel.def_id, service_name: Service = channel.service_id }
    }
}
