//! Definitions of connections to message brokers, which channels and outgoing connections share.
//!
//! Owns what they are made of. It must not know how a broker is connected to.

use super::Everything;
use crate::Secret;
use crate::declare::stored_object;
use crate::read::NamedPerCluster;

stored_object! {
    /// How an AMQP broker is connected to.
    pub struct DefinitionAmqp in conn_def_amqp {
        /// Unique in the cluster, at most 200 characters.
        name: String as Text<200>,
        /// At most 200 characters.
        host: String as Text<200>,
        /// The TCP port.
        port: i32,
        /// The virtual host, at most 200 characters.
        vhost: String as Text<200>,
        /// At most 200 characters.
        username: String as Text<200>,
        /// Encrypted at rest.
        password: Secret as Sealed,
        /// The greatest frame in bytes, 0 for what the broker proposes.
        frame_max: i32,
        /// Seconds between signs of life, 0 for none.
        heartbeat: i32,
    }
    unique name (cluster_id, name) => Name;
    named name => Name;
    filter Everything;
}

impl NamedPerCluster for DefinitionAmqp {}

stored_object! {
    /// How a WebSphere MQ queue manager is connected to.
    pub struct DefinitionWmq in conn_def_wmq {
        /// Unique in the cluster, at most 200 characters.
        name: String as Text<200>,
        /// At most 200 characters.
        host: String as Text<200>,
        /// The TCP port.
        port: i32,
        /// At most 200 characters.
        queue_manager: String as Text<200>,
        /// The server-connection channel, at most 200 characters.
        channel: String as Text<200>,
        /// Whether queues to send to stay open.
        cache_open_send_queues: bool,
        /// Whether queues to receive from stay open.
        cache_open_receive_queues: bool,
        /// Whether connections are shared among threads.
        use_shared_connections: bool,
        /// The model of dynamic queues, at most 200 characters.
        dynamic_queue_template: String as Text<200>,
        /// Whether the connection is encrypted.
        ssl: bool,
        /// The cipher of encrypted connections, at most 200 characters.
        ssl_cipher_spec: Option<String> as Option<Text<200>>,
        /// Where keys of encrypted connections are, at most 200 characters.
        ssl_key_repository: Option<String> as Option<Text<200>>,
        /// Whether messages need an MCD folder in their header.
        needs_mcd: bool,
        /// How many characters of a message are logged.
        max_chars_printed: i32,
    }
    unique name (cluster_id, name) => Name;
    named name => Name;
    filter Everything;
}

impl NamedPerCluster for DefinitionWmq {}
