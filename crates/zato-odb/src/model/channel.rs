//! Channels of message queues.
//!
//! Owns what AMQP, WebSphere MQ and ZeroMQ channels are made of. It must not know how messages are received.

use super::stored_as_text;
use crate::declare::stored_object;
use crate::read::NamedPerCluster;

stored_as_text! {
    /// How a ZeroMQ channel receives.
    ChannelSocket {
        /// Messages are shared among all who pull.
        Pull => "PULL",
        /// Messages that begin with a key that was subscribed to.
        Sub => "SUB",
    }
}

stored_object! {
    /// An AMQP channel: messages of a queue invoke a service.
    pub struct ChannelAmqp in channel_amqp {
        /// Unique in the cluster, at most 200 characters.
        name: String as Text<200>,
        /// Whether messages are received.
        is_active: bool,
        /// The queue to consume, at most 200 characters.
        queue: String as Text<200>,
        /// What consumer tags start with, at most 200 characters.
        consumer_tag_prefix: String as Text<200>,
        /// `json` or `xml` if messages are parsed, at most 20 characters.
        data_format: Option<String> as Option<Text<20>>,
        /// The service that is invoked.
        service_id: i64,
        /// The AMQP definition it connects with.
        def_id: i64,
    }
    unique name (cluster_id, name) => Name;
    named name => Name;
    filter ChannelAmqpFilter { service_id => ServiceId, def_id => DefId, }
}

impl NamedPerCluster for ChannelAmqp {}

stored_object! {
    /// A WebSphere MQ channel: messages of a queue invoke a service.
    pub struct ChannelWmq in channel_wmq {
        /// Unique in the cluster, at most 200 characters.
        name: String as Text<200>,
        /// Whether messages are to be received.
        is_active: bool,
        /// The queue to receive from, at most 200 characters.
        queue: String as Text<200>,
        /// `json` or `xml` if messages are parsed, at most 20 characters.
        data_format: Option<String> as Option<Text<20>>,
        /// The service that is invoked.
        service_id: i64,
        /// The WebSphere MQ definition it connects with.
        def_id: i64,
    }
    unique name (cluster_id, name) => Name;
    named name => Name;
    filter ChannelWmqFilter { service_id => ServiceId, def_id => DefId, }
}

impl NamedPerCluster for ChannelWmq {}

stored_object! {
    /// A ZeroMQ channel: messages of a socket invoke a service.
    pub struct ChannelZmq in channel_zmq {
        /// Unique in the cluster, at most 200 characters.
        name: String as Text<200>,
        /// Whether messages are received.
        is_active: bool,
        /// What the socket connects to, at most 200 characters.
        address: String as Text<200>,
        /// How it receives.
        socket_type: ChannelSocket as Text<20>,
        /// What messages of a subscription begin with, absent for all messages; at most 200 characters.
        sub_key: Option<String> as Option<Text<200>>,
        /// `json` or `xml` if messages are parsed, at most 20 characters.
        data_format: Option<String> as Option<Text<20>>,
        /// The service that is invoked.
        service_id: i64,
    }
    unique name (cluster_id, name) => Name;
    named name => Name;
    filter ChannelZmqFilter { service_id => ServiceId, }
}

impl NamedPerCluster for ChannelZmq {}
