//! Clusters, their servers and their services.
//!
//! Owns these three types. It must not know how a server joins a cluster or how a service is run.

use time::OffsetDateTime;

use super::Everything;
use crate::declare::stored_object;
use crate::read::NamedPerCluster;

stored_object! {
    /// A cluster: everything else belongs to exactly one.
    pub struct Cluster in cluster of itself {
        /// Unique, at most 200 characters.
        name: String as Text<200>,
        /// At most 1000 characters.
        description: Option<String> as Option<Text<1000>>,
        /// The kind of database the cluster was created on, at most 30 characters.
        odb_type: String as Text<30>,
        /// Host of the database, absent for embedded ones, at most 200 characters.
        odb_host: Option<String> as Option<Text<200>>,
        /// Port of the database.
        odb_port: Option<i32>,
        /// User of the database, at most 200 characters.
        odb_user: Option<String> as Option<Text<200>>,
        /// Name of the database, at most 200 characters.
        odb_db_name: Option<String> as Option<Text<200>>,
        /// Schema in the database, at most 200 characters.
        odb_schema: Option<String> as Option<Text<200>>,
        /// Host of the message broker, at most 200 characters.
        broker_host: String as Text<200>,
        /// Port of the message broker.
        broker_port: i32,
        /// Host of the load balancer, at most 200 characters.
        lb_host: String as Text<200>,
        /// Port of the load balancer.
        lb_port: i32,
        /// Port of the load balancer's agent.
        lb_agent_port: i32,
        /// The server that runs what must run once in a cluster.
        cw_srv_id: Option<i64>,
        /// When that server last said so.
        cw_srv_keep_alive_dt: Option<OffsetDateTime> as Option<UtcTime>,
    }
    unique name (name) => Name;
    named name => Name;
    filter Everything;
}

impl Cluster {
    /// A cluster on an embedded database, without broker and load balancer.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            id: 0,
            name: name.into(),
            description: None,
            odb_type: "sqlite".to_owned(),
            odb_host: None,
            odb_port: None,
            odb_user: None,
            odb_db_name: None,
            odb_schema: None,
            broker_host: String::new(),
            broker_port: 0,
            lb_host: String::new(),
            lb_port: 0,
            lb_agent_port: 0,
            cw_srv_id: None,
            cw_srv_keep_alive_dt: None,
        }
    }
}

stored_object! {
    /// A server of a cluster.
    pub struct Server in server {
        /// Unique in the cluster, at most 200 characters.
        name: String as Text<200>,
        /// The machine it runs on, known once it has been started; at most 400 characters.
        host: Option<String> as Option<Text<400>>,
        /// The address it listens on, at most 400 characters.
        bind_host: Option<String> as Option<Text<400>>,
        /// The port it listens on.
        bind_port: Option<i32>,
        /// `accepted` once the server may join, at most 40 characters.
        last_join_status: Option<String> as Option<Text<40>>,
        /// When the join status was set.
        last_join_mod_date: Option<OffsetDateTime> as Option<UtcTime>,
        /// Who set the join status, at most 200 characters.
        last_join_mod_by: Option<String> as Option<Text<200>>,
        /// `running` or `clean-down`, absent before the first start; at most 40 characters.
        up_status: Option<String> as Option<Text<40>>,
        /// When `up_status` was set.
        up_mod_date: Option<OffsetDateTime> as Option<UtcTime>,
        /// By which the server finds its own row, at most 32 characters.
        token: String as Text<32>,
    }
    unique name (name, cluster_id) => Name;
    unique token (token) => Token;
    named name => Name;
    filter Everything;
}

impl NamedPerCluster for Server {}

impl Server {
    /// A server that may join the cluster and has not been started yet.
    #[must_use]
    pub fn new(cluster_id: i64, name: impl Into<String>, token: impl Into<String>) -> Self {
        Self {
            id: 0,
            cluster_id,
            name: name.into(),
            host: None,
            bind_host: None,
            bind_port: None,
            last_join_status: Some("accepted".to_owned()),
            last_join_mod_date: None,
            last_join_mod_by: None,
            up_status: None,
            up_mod_date: None,
            token: token.into(),
        }
    }
}

stored_object! {
    /// A service.
    pub struct Service in service {
        /// Unique in the cluster, at most 300 characters.
        name: String as Text<300>,
        /// Whether calls are let through to it.
        is_active: bool,
        /// What implements it, at most 2000 characters.
        impl_name: String as Text<2000>,
        /// Whether it is part of the server rather than somebody's own.
        is_internal: bool,
        /// A WSDL document uploaded for it, at most 5 000 000 bytes.
        wsdl: Option<Vec<u8>>,
        /// File name of that document, at most 200 characters.
        wsdl_name: Option<String> as Option<Text<200>>,
        /// Milliseconds from which on a response counts as slow.
        slow_threshold: i32,
    }
    unique name (name, cluster_id) => Name;
    named name => Name;
    filter Everything;
}

impl NamedPerCluster for Service {}

impl Service {
    /// An active service of somebody's own, with the slow threshold of the data model.
    #[must_use]
    pub fn new(cluster_id: i64, name: impl Into<String>, impl_name: impl Into<String>) -> Self {
        Self {
            id: 0,
            cluster_id,
            name: name.into(),
            is_active: true,
            impl_name: impl_name.into(),
            is_internal: false,
            wsdl: None,
            wsdl_name: None,
            slow_threshold: 99_999,
        }
    }
}
