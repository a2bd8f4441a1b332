//! Two states of an object of every declared table, in which each field differs, and what they refer to.

use std::fmt::Debug;

use time::macros::datetime;
use zato_odb::model::{
    AuditJsonPointer, AuditXPath, ChannelAmqp, ChannelSocket, ChannelWmq, ChannelZmq, DefinitionAmqp,
    DefinitionWmq, DeployedService, DeploymentPackage, DeploymentState, DeploymentStatus, HttpSoapAudit, Job,
    JobType, JsonPointer, Namespace, OutgoingAmqp, OutgoingFtp, OutgoingSocket, OutgoingSql, OutgoingWmq,
    OutgoingZmq, RbacClientRole, RbacPermission, RbacRole, RbacRolePermission, TlsCaCert, XPath,
};
use zato_odb::{Object, Odb, Secret, Unique};

use crate::fixture::{channel, insert, server, service};

/// What must not be readable in the files of a database.
pub(crate) const CLEAR: &str = "a password that must not be found";

/// The ids of two objects of each kind that others refer to.
pub(crate) struct Parents {
    pub(crate) cluster_id: i64,
    pub(crate) services: [i64; 2],
    pub(crate) servers: [i64; 2],
    pub(crate) amqp: [i64; 2],
    pub(crate) wmq: [i64; 2],
    pub(crate) packages: [i64; 2],
    pub(crate) roles: [i64; 2],
    pub(crate) permissions: [i64; 2],
    pub(crate) channels: [i64; 2],
    pub(crate) pointers: [i64; 2],
    pub(crate) xpaths: [i64; 2],
}

impl Parents {
    pub(crate) async fn insert(odb: &Odb, cluster_id: i64) -> Self {
        let mut parents = Self {
            cluster_id,
            services: [0; 2],
            servers: [0; 2],
            amqp: [0; 2],
            wmq: [0; 2],
            packages: [0; 2],
            roles: [0; 2],
            permissions: [0; 2],
            channels: [0; 2],
            pointers: [0; 2],
            xpaths: [0; 2],
        };
        for (n, name) in ["parent 1", "parent 2"].into_iter().enumerate() {
            parents.services[n] = insert(odb, &service(cluster_id, name)).await.unwrap().id;
            parents.servers[n] = insert(odb, &server(cluster_id, name)).await.unwrap().id;
            parents.channels[n] =
                insert(odb, &channel(cluster_id, name, &format!("/{name}"))).await.unwrap().id;
            parents.amqp[n] = named(odb, &parents, name, |it: &mut DefinitionAmqp| &mut it.name).await;
            parents.wmq[n] = named(odb, &parents, name, |it: &mut DefinitionWmq| &mut it.name).await;
            parents.roles[n] =
                insert(odb, &RbacRole { id: 0, cluster_id, name: name.to_owned(), parent_id: None })
                    .await
                    .unwrap()
                    .id;
            parents.permissions[n] = named(odb, &parents, name, |it: &mut RbacPermission| &mut it.name).await;
            parents.pointers[n] = named(odb, &parents, name, |it: &mut JsonPointer| &mut it.name).await;
            parents.xpaths[n] = named(odb, &parents, name, |it: &mut XPath| &mut it.name).await;
        }
        for n in 0..2 {
            let [package, _] = DeploymentPackage::samples(&parents);
            parents.packages[n] = insert(odb, &package).await.unwrap().id;
        }
        parents
    }
}

async fn named<T: Sample>(odb: &Odb, parents: &Parents, name: &str, of: fn(&mut T) -> &mut String) -> i64 {
    let [mut object, _] = T::samples(parents);
    name.clone_into(of(&mut object));
    insert(odb, &object).await.unwrap().id()
}

/// An object of a declared table.
pub(crate) trait Sample: Object + Clone + PartialEq + Debug {
    /// What two equal objects have in common although they must not.
    const IN_COMMON: Option<Unique>;

    /// Two states of an object, in which each field differs.
    fn samples(parents: &Parents) -> [Self; 2];

    /// Its id and its cluster.
    fn place(&mut self) -> [&mut i64; 2];
}

/// `Type (what equal objects have in common) { field: first => second, .. }`
macro_rules! samples {
    ($($object:ident ($unique:expr, $p:ident) { $($field:ident: $first:expr => $second:expr,)* })+) => {
        $(impl Sample for $object {
            const IN_COMMON: Option<Unique> = $unique;

            fn samples($p: &Parents) -> [Self; 2] {
                [
                    Self { id: 0, cluster_id: $p.cluster_id, $($field: $first,)* },
                    Self { id: 0, cluster_id: $p.cluster_id, $($field: $second,)* },
                ]
            }

            fn place(&mut self) -> [&mut i64; 2] {
                [&mut self.id, &mut self.cluster_id]
            }
        })+

        /// Runs `$check::<T>($($argument),*)` for the type of every declared table, in an order in which each may refer
        /// to those before it.
        macro_rules! for_every_table {
            ($check:ident, $argument:expr) => { $($check::<zato_odb::model::$object>($argument).await;)+ };
        }
        pub(crate) use for_every_table;
    };
}

fn text(value: &str) -> String {
    value.to_owned()
}

fn some(value: &str) -> Option<String> {
    Some(value.to_owned())
}

samples! {
    DefinitionAmqp (Some(Unique::Name), p) {
        name: text("Łódź") => text("plain"),
        host: text("mq.example.com") => text("localhost"),
        port: 5671 => 5672,
        vhost: text("/crm") => text("/"),
        username: text("crm") => text("guest"),
        password: Secret::new(CLEAR) => Secret::new(""),
        frame_max: 131_072 => 0,
        heartbeat: 60 => 0,
    }
    DefinitionWmq (Some(Unique::Name), p) {
        name: text("wmq") => text("plain"),
        host: text("mq.example.com") => text("localhost"),
        port: 1414 => 1415,
        queue_manager: text("QM.1") => text("QM.2"),
        channel: text("DEV.1") => text("DEV.2"),
        cache_open_send_queues: true => false,
        cache_open_receive_queues: false => true,
        use_shared_connections: true => false,
        dynamic_queue_template: text("SYSTEM.DEFAULT.MODEL.QUEUE") => text("OTHER"),
        ssl: true => false,
        ssl_cipher_spec: some("SSL_RSA_WITH_AES_128_CBC_SHA") => None,
        ssl_key_repository: some("/keys") => None,
        needs_mcd: false => true,
        max_chars_printed: 100 => 0,
    }
    ChannelAmqp (Some(Unique::Name), p) {
        name: text("channel") => text("plain"),
        is_active: true => false,
        queue: text("q1") => text("q2"),
        consumer_tag_prefix: text("zato") => text(""),
        data_format: some("json") => None,
        service_id: p.services[0] => p.services[1],
        def_id: p.amqp[0] => p.amqp[1],
    }
    ChannelWmq (Some(Unique::Name), p) {
        name: text("channel") => text("plain"),
        is_active: true => false,
        queue: text("q1") => text("q2"),
        data_format: some("xml") => None,
        service_id: p.services[0] => p.services[1],
        def_id: p.wmq[0] => p.wmq[1],
    }
    ChannelZmq (Some(Unique::Name), p) {
        name: text("channel") => text("plain"),
        is_active: true => false,
        address: text("tcp://localhost:7000") => text("tcp://localhost:7001"),
        socket_type: ChannelSocket::Sub => ChannelSocket::Pull,
        sub_key: some("crm") => None,
        data_format: some("json") => None,
        service_id: p.services[0] => p.services[1],
    }
    OutgoingAmqp (Some(Unique::Name), p) {
        name: text("outgoing") => text("plain"),
        is_active: true => false,
        delivery_mode: 2 => 1,
        priority: 9 => 0,
        content_type: some("application/json") => None,
        content_encoding: some("utf-8") => None,
        expiration: some("30000") => None,
        user_id: some("crm") => None,
        app_id: some("app") => None,
        def_id: p.amqp[0] => p.amqp[1],
    }
    OutgoingWmq (Some(Unique::Name), p) {
        name: text("outgoing") => text("plain"),
        is_active: true => false,
        delivery_mode: 2 => 1,
        priority: 9 => 0,
        expiration: some("30000") => None,
        def_id: p.wmq[0] => p.wmq[1],
    }
    OutgoingZmq (Some(Unique::Name), p) {
        name: text("outgoing") => text("plain"),
        is_active: true => false,
        address: text("tcp://localhost:7000") => text("tcp://localhost:7001"),
        socket_type: OutgoingSocket::Pub => OutgoingSocket::Push,
    }
    OutgoingFtp (Some(Unique::Name), p) {
        name: text("outgoing") => text("plain"),
        is_active: true => false,
        host: text("ftp.example.com") => text("localhost"),
        user: some("crm") => None,
        password: Some(Secret::new(CLEAR)) => None,
        acct: some("account") => None,
        timeout: Some(10) => None,
        port: 21 => 990,
        dircache: true => false,
        use_ftps: false => true,
    }
    OutgoingSql (Some(Unique::Name), p) {
        name: text("outgoing") => text("plain"),
        is_active: true => false,
        username: text("crm") => text(""),
        password: Secret::new(CLEAR) => Secret::new("another"),
        db_name: text("crm") => text("hr"),
        engine: text("postgresql") => text("sqlite"),
        extra: some("sslmode=require\npool_timeout=5") => None,
        host: text("db.example.com") => text("localhost"),
        port: 5432 => 3306,
        pool_size: 10 => 0,
    }
    Job (Some(Unique::Name), p) {
        name: text("job") => text("plain"),
        is_active: true => false,
        job_type: JobType::IntervalBased => JobType::CronStyle,
        start_date: datetime!(2026-02-28 23:59:59.123456 UTC) => datetime!(1999-12-31 0:00 UTC),
        extra: some("key=value") => None,
        service_id: p.services[0] => p.services[1],
        weeks: Some(1) => None,
        days: Some(2) => None,
        hours: Some(3) => None,
        minutes: Some(4) => None,
        seconds: Some(5) => None,
        repeats: Some(6) => None,
        cron_definition: None => some("0 * * * *"),
    }
    DeployedService (Some(Unique::Combination), p) {
        deployment_time: datetime!(2026-02-28 23:59:59.123456 UTC) => datetime!(1999-12-31 0:00 UTC),
        details: text("{}") => text("{\"pid\":1}"),
        source: Some(vec![0, 255]) => None,
        source_path: some("/crm.rs") => None,
        source_hash: some("abc") => None,
        source_hash_method: some("SHA-256") => None,
        server_id: p.servers[0] => p.servers[1],
        service_id: p.services[0] => p.services[1],
    }
    DeploymentPackage (None, p) {
        deployment_time: datetime!(2026-02-28 23:59:59.123456 UTC) => datetime!(1999-12-31 0:00 UTC),
        details: text("{}") => text("{\"pid\":1}"),
        payload_name: text("crm.py") => text("hr.py"),
        payload: vec![0, 255] => Vec::new(),
        server_id: p.servers[0] => p.servers[1],
    }
    DeploymentStatus (Some(Unique::Combination), p) {
        package_id: p.packages[0] => p.packages[1],
        server_id: p.servers[0] => p.servers[1],
        status: DeploymentState::AwaitingDeployment => DeploymentState::Deployed,
        status_change_time: datetime!(2026-02-28 23:59:59.123456 UTC) => datetime!(1999-12-31 0:00 UTC),
    }
    TlsCaCert (Some(Unique::Name), p) {
        name: text("authority") => text("plain"),
        value: text("-----BEGIN CERTIFICATE-----") => text(""),
        info: text("C=DE; CN=My CA") => text(""),
        is_active: true => false,
    }
    RbacRole (Some(Unique::Name), p) {
        name: text("role") => text("plain"),
        parent_id: Some(p.roles[0]) => None,
    }
    RbacPermission (Some(Unique::Name), p) {
        name: text("Read") => text("Create"),
    }
    RbacClientRole (Some(Unique::Combination), p) {
        name: text("sec_def:::basic_auth:::CRM:::parent 1") => text("sec_def:::wss:::HR:::parent 2"),
        client_def: text("sec_def:::basic_auth:::CRM") => text("sec_def:::wss:::HR"),
        role_id: p.roles[0] => p.roles[1],
    }
    RbacRolePermission (Some(Unique::Combination), p) {
        role_id: p.roles[0] => p.roles[1],
        perm_id: p.permissions[0] => p.permissions[1],
        service_id: p.services[0] => p.services[1],
    }
    Namespace (Some(Unique::Name), p) {
        name: text("crm") => text("hr"),
        value: text("urn:crm") => text("urn:hr"),
    }
    XPath (Some(Unique::Name), p) {
        name: text("customer") => text("person"),
        value: text("//crm:customer") => text("//person"),
    }
    JsonPointer (Some(Unique::Name), p) {
        name: text("customer") => text("person"),
        value: text("/customer") => text("/person"),
    }
    HttpSoapAudit (None, p) {
        name: text("CRM") => text("HR"),
        cid: text("K1") => text("K2"),
        transport: text("plain_http") => text("soap"),
        connection: text("channel") => text("outgoing"),
        req_time: datetime!(2026-02-28 23:59:59.123456 UTC) => datetime!(1999-12-31 0:00 UTC),
        resp_time: Some(datetime!(2026-03-01 0:00 UTC)) => None,
        user_token: some("crm") => None,
        invoke_ok: Some(true) => None,
        auth_ok: Some(false) => None,
        remote_addr: text("127.0.0.1") => text("::1"),
        req_headers: Some(b"a: b".to_vec()) => None,
        req_payload: Some(vec![0, 255]) => None,
        resp_headers: Some(b"c: d".to_vec()) => None,
        resp_payload: Some(Vec::new()) => None,
        conn_id: p.channels[0] => p.channels[1],
    }
    AuditJsonPointer (Some(Unique::Combination), p) {
        conn_id: p.channels[0] => p.channels[1],
        pattern_id: p.pointers[0] => p.pointers[1],
    }
    AuditXPath (Some(Unique::Combination), p) {
        conn_id: p.channels[0] => p.channels[1],
        pattern_id: p.xpaths[0] => p.xpaths[1],
    }
}
