//! Outgoing connections other than HTTP.
//!
//! Owns what AMQP, WebSphere MQ, ZeroMQ, FTP and SQL connections are made of. It must not know how they connect.

use super::{Everything, stored_as_text};
use crate::Secret;
use crate::declare::stored_object;
use crate::read::NamedPerCluster;

stored_as_text! {
    /// How an outgoing ZeroMQ connection sends.
    OutgoingSocket {
        /// Each message goes to one of those who pull.
        Push => "PUSH",
        /// Each message goes to everybody who subscribed to it.
        Pub => "PUB",
    }
}

stored_object! {
    /// An outgoing AMQP connection, and the properties of messages that do not say otherwise.
    pub struct OutgoingAmqp in out_amqp {
        /// Unique in the cluster, at most 200 characters.
        name: String as Text<200>,
        /// Whether it can be used.
        is_active: bool,
        /// 1 for messages that a restart of the broker may lose, 2 for persistent ones.
        delivery_mode: i32,
        /// From 0 to 9.
        priority: i32,
        /// At most 200 characters.
        content_type: Option<String> as Option<Text<200>>,
        /// At most 200 characters.
        content_encoding: Option<String> as Option<Text<200>>,
        /// After how many milliseconds a message is dropped, as text; at most 20 characters.
        expiration: Option<String> as Option<Text<20>>,
        /// At most 200 characters.
        user_id: Option<String> as Option<Text<200>>,
        /// At most 200 characters.
        app_id: Option<String> as Option<Text<200>>,
        /// The AMQP definition it connects with.
        def_id: i64,
    }
    unique name (cluster_id, name) => Name;
    named name => Name;
    filter OutgoingAmqpFilter { def_id => DefId, }
}

impl NamedPerCluster for OutgoingAmqp {}

stored_object! {
    /// An outgoing WebSphere MQ connection, and the properties of messages that do not say otherwise.
    pub struct OutgoingWmq in out_wmq {
        /// Unique in the cluster, at most 200 characters.
        name: String as Text<200>,
        /// Whether it can be used.
        is_active: bool,
        /// 1 for messages that a restart of the queue manager may lose, 2 for persistent ones.
        delivery_mode: i32,
        /// From 0 to 9.
        priority: i32,
        /// After how many milliseconds a message is dropped, as text; at most 20 characters.
        expiration: Option<String> as Option<Text<20>>,
        /// The WebSphere MQ definition it connects with.
        def_id: i64,
    }
    unique name (cluster_id, name) => Name;
    named name => Name;
    filter OutgoingWmqFilter { def_id => DefId, }
}

impl NamedPerCluster for OutgoingWmq {}

stored_object! {
    /// An outgoing ZeroMQ connection.
    pub struct OutgoingZmq in out_zmq {
        /// Unique in the cluster, at most 200 characters.
        name: String as Text<200>,
        /// Whether it can be used.
        is_active: bool,
        /// What the socket connects to, at most 200 characters.
        address: String as Text<200>,
        /// How it sends.
        socket_type: OutgoingSocket as Text<20>,
    }
    unique name (cluster_id, name) => Name;
    named name => Name;
    filter Everything;
}

impl NamedPerCluster for OutgoingZmq {}

stored_object! {
    /// An outgoing FTP connection.
    pub struct OutgoingFtp in out_ftp {
        /// Unique in the cluster, at most 200 characters.
        name: String as Text<200>,
        /// Whether it can be used.
        is_active: bool,
        /// At most 200 characters.
        host: String as Text<200>,
        /// At most 200 characters.
        user: Option<String> as Option<Text<200>>,
        /// Encrypted at rest. Absent until it is set for the first time.
        password: Option<Secret> as Option<Sealed>,
        /// The account, which few servers ask for; at most 200 characters.
        acct: Option<String> as Option<Text<200>>,
        /// Seconds, absent for the default.
        timeout: Option<i32>,
        /// The TCP port.
        port: i32,
        /// Whether directory listings are kept.
        dircache: bool,
        /// Whether connections are upgraded to TLS.
        use_ftps: bool,
    }
    unique name (cluster_id, name) => Name;
    named name => Name;
    filter Everything;
}

impl NamedPerCluster for OutgoingFtp {}

stored_object! {
    /// A pool of connections to an SQL database.
    pub struct OutgoingSql in sql_pool {
        /// Unique in the cluster, at most 200 characters.
        name: String as Text<200>,
        /// Whether it can be used.
        is_active: bool,
        /// At most 200 characters.
        username: String as Text<200>,
        /// Encrypted at rest.
        password: Secret as Sealed,
        /// At most 200 characters.
        db_name: String as Text<200>,
        /// The kind of database, such as `postgresql`; at most 200 characters.
        engine: String as Text<200>,
        /// Options of the driver, a `key=value` a line; at most 20 000 characters.
        extra: Option<String> as Option<Text<20000>>,
        /// At most 200 characters.
        host: String as Text<200>,
        /// The TCP port.
        port: i32,
        /// How many connections are kept open, 0 for none.
        pool_size: i32,
    }
    unique name (cluster_id, name) => Name;
    named name => Name;
    filter Everything;
}

impl NamedPerCluster for OutgoingSql {}
