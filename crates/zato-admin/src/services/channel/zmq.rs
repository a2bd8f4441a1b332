//! `zato.channel.zmq`: ZeroMQ channels.
//!
//! Owns what such a channel can be. It must not know how messages are received.

use zato_catalogue::channel::zmq;
use zato_odb::model::{ChannelZmq, Service};
use zato_service::Error;

use crate::change::Family;
use crate::connectors::status;
use crate::family::services;
use crate::value;

pub(crate) struct ZmqChannels;

impl Family for ZmqChannels {
    type Object = ChannelZmq;

    const NOUN: &'static str = "ZeroMQ channel";

    const TAKEN: &'static str = "A ZeroMQ channel";

    fn check_values(channel: &ChannelZmq) -> Result<(), Error> {
        value::zmq_address(&channel.address)?;
        value::data_format(channel.data_format.as_ref())
    }
}

services! {
    ZmqChannels in zmq: create, edit, delete, get_list;
    {
        object ChannelZmq { is_active, address, socket_type, sub_key, data_format }
        sent { service }
        found(change, channel) { service_id: change.service(channel.cluster_id, &service).await?.id }
        shown(channel, admin) { status: status::zmq_channel(admin, channel).await }
        names(channel) { service_name: Service = channel.service_id }
    }
}
