//! Objects are stored and read back whole, found, listed, changed and deleted.

use std::fmt::Debug;

use time::macros::datetime;
use zato_odb::model::{
    AuditReplacePattern, Cluster, Connection, Everything, HttpSoap, HttpSoapFilter, MessageParamsPriority,
    SecurityDefinition, SecurityFilter, SecurityKind, SecurityType, SerializationType, Server, Service,
    TlsCaCert, Transport, UrlParamsPriority,
};
use zato_odb::{Object, Odb, OdbError, Read, Secret};

use crate::fixture::{
    Fixture, basic_auth, channel, delete, insert, names, on_both, server, service, update, ws_security,
};

on_both! {
    every_field_is_kept,
    unknown_ids_are_not_found,
    finders_find_what_they_say,
    lists_are_sorted_by_bytes_and_stay_in_their_cluster,
    filters_narrow_lists_down,
    texts_that_do_not_fit_are_refused,
    references_must_exist,
    deleting_takes_dependants_along,
}

/// Stores an object, replaces it by another state, and deletes it.
async fn check_life<T: Object + Clone + PartialEq + Debug>(
    odb: &Odb,
    first: &T,
    second: &T,
    with_id: fn(&mut T, i64),
) {
    let stored = insert(odb, first).await.unwrap();
    let mut expected = first.clone();
    with_id(&mut expected, stored.id());
    assert_eq!(stored, expected);
    assert_eq!(odb.find::<T>(stored.id()).await.unwrap(), Some(expected));

    let mut expected = second.clone();
    with_id(&mut expected, stored.id());
    update(odb, &expected).await.unwrap();
    assert_eq!(odb.find::<T>(stored.id()).await.unwrap(), Some(expected));

    delete::<T>(odb, stored.id()).await.unwrap();
    assert_eq!(odb.find::<T>(stored.id()).await.unwrap(), None);
}

async fn every_field_is_kept(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let at = datetime!(2026-02-28 23:59:59.123456 UTC);

    let full = Cluster {
        id: 0,
        name: "Łódź".to_owned(),
        description: Some("a description".to_owned()),
        odb_type: "postgresql".to_owned(),
        odb_host: Some("db.example.com".to_owned()),
        odb_port: Some(5432),
        odb_user: Some("zato".to_owned()),
        odb_db_name: Some("odb".to_owned()),
        odb_schema: Some("public".to_owned()),
        broker_host: "broker".to_owned(),
        broker_port: 6379,
        lb_host: "lb".to_owned(),
        lb_port: 11223,
        lb_agent_port: 20151,
        cw_srv_id: Some(7),
        cw_srv_keep_alive_dt: Some(at),
    };
    check_life(&odb, &Cluster::new("plain"), &full, |cluster, id| cluster.id = id).await;

    let full = Server {
        id: 0,
        cluster_id,
        name: "server1".to_owned(),
        host: Some("esb1/esb1.example.com".to_owned()),
        bind_host: Some("0.0.0.0".to_owned()),
        bind_port: Some(17010),
        last_join_status: Some("accepted".to_owned()),
        last_join_mod_date: Some(at),
        last_join_mod_by: Some("somebody".to_owned()),
        up_status: Some("running".to_owned()),
        up_mod_date: Some(at),
        token: "0123456789abcdef0123456789abcdef".to_owned(),
    };
    check_life(&odb, &full, &server(cluster_id, "server2"), |server, id| server.id = id).await;

    let full = Service {
        id: 0,
        cluster_id,
        name: "crm.get-customer".to_owned(),
        is_active: false,
        impl_name: "crm::GetCustomer".to_owned(),
        is_internal: true,
        wsdl: Some(vec![0, 255, b'<']),
        wsdl_name: Some("crm.wsdl".to_owned()),
        slow_threshold: 250,
    };
    check_life(&odb, &full, &service(cluster_id, "plain"), |service, id| service.id = id).await;

    let mut basic = basic_auth(cluster_id, "basic");
    basic.is_active = false;
    basic.rate_limit = Some("100/s".to_owned());
    basic.max_in_flight = Some(50);
    basic.password = Some(Secret::new(""));
    let mut wss = ws_security(cluster_id, "wss");
    wss.username = None;
    wss.password = Some(Secret::new("pa\0ss wörd"));
    wss.kind = SecurityKind::WsSecurity {
        password_type: "clear_text".to_owned(),
        reject_empty_nonce_creat: false,
        reject_stale_tokens: Some(true),
        reject_expiry_limit: 60,
        nonce_freshness_time: Some(30),
    };
    check_life(&odb, &basic, &wss, |definition, id| definition.id = id).await;
    check_life(&odb, &wss, &basic, |definition, id| definition.id = id).await;

    for kind in [
        SecurityKind::ApiKey,
        SecurityKind::Aws,
        SecurityKind::Jwt {
            algorithm: "ES256".to_owned(),
            public_key: Some("-----BEGIN PUBLIC KEY-----".to_owned()),
            issuer: Some("https://idp.example.com".to_owned()),
            audience: Some("esb".to_owned()),
            leeway: Some(30),
        },
        SecurityKind::Jwt {
            algorithm: "HS512".to_owned(),
            public_key: None,
            issuer: None,
            audience: None,
            leeway: None,
        },
        SecurityKind::Ntlm,
        SecurityKind::OAuth {
            proto_version: "1.0".to_owned(),
            sig_method: "HMAC-SHA1".to_owned(),
            max_nonce_log: 25_000,
        },
        SecurityKind::OpenStack,
        SecurityKind::TechnicalAccount { salt: "0123456789abcdef0123456789abcdef".to_owned() },
        SecurityKind::TlsChannel { value: Secret::new("CN=crm") },
        SecurityKind::TlsKeyCert {
            info: "RSA; 2048 bits; CN=crm".to_owned(),
            value: Secret::new("-----BEGIN PRIVATE KEY-----"),
        },
        SecurityKind::XPath { username_expr: "//u".to_owned(), password_expr: Some("//p".to_owned()) },
        SecurityKind::XPath { username_expr: "//u".to_owned(), password_expr: None },
    ] {
        let mut other = basic.clone();
        other.kind = kind;
        check_life(&odb, &other, &wss, |definition, id| definition.id = id).await;
        check_life(&odb, &basic, &other, |definition, id| definition.id = id).await;
    }

    let authority = TlsCaCert {
        id: 0,
        cluster_id,
        name: "authority".to_owned(),
        value: String::new(),
        info: String::new(),
        is_active: true,
    };
    let authority = insert(&odb, &authority).await.unwrap();
    let security = insert(&odb, &basic).await.unwrap();
    let target = insert(&odb, &service(cluster_id, "target")).await.unwrap();
    let full = HttpSoap {
        id: 0,
        cluster_id,
        name: "CRM".to_owned(),
        is_active: false,
        is_internal: true,
        connection: Connection::Outgoing,
        transport: Transport::Soap,
        host: "https://crm.example.com".to_owned(),
        url_path: "/crm/{id}".to_owned(),
        method: Some("POST".to_owned()),
        soap_action: "urn:get".to_owned(),
        soap_version: Some("1.2".to_owned()),
        data_format: Some("xml".to_owned()),
        ping_method: Some("GET".to_owned()),
        pool_size: Some(5),
        merge_url_params_req: false,
        url_params_pri: UrlParamsPriority::PathOverQueryString,
        params_pri: MessageParamsPriority::MessageOverChannelParams,
        audit_enabled: true,
        audit_back_log: 60,
        audit_max_payload: 1024,
        audit_repl_patt_type: AuditReplacePattern::XPath,
        serialization_type: SerializationType::Suds,
        timeout: 30,
        sec_tls_ca_cert_id: Some(authority.id),
        has_rbac: true,
        rate_limit: Some("100/s".to_owned()),
        max_in_flight: Some(7),
        cors_origins: Some("*".to_owned()),
        service_id: Some(target.id),
        security_id: Some(security.id),
    };
    check_life(&odb, &full, &channel(cluster_id, "plain", "/plain"), |object, id| object.id = id).await;
}

async fn unknown_ids_are_not_found(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let mut absent = service(cluster_id, "absent");
    absent.id = 4711;
    assert!(matches!(update(&odb, &absent).await, Err(OdbError::NotFound { id: 4711, .. })));
    assert!(matches!(delete::<Service>(&odb, 4711).await, Err(OdbError::NotFound { id: 4711, .. })));
    assert_eq!(odb.find::<HttpSoap>(4711).await.unwrap(), None);
    for name in ["absent", "", "a\0b"] {
        assert_eq!(odb.find_by_name::<Service>(cluster_id, name).await.unwrap(), None);
        assert_eq!(odb.find_http_soap_at(&channel(cluster_id, "c", name)).await.unwrap(), None);
    }
    assert_eq!(names::<Service>(&odb, 4711, &Everything).await, [""; 0]);
}

async fn finders_find_what_they_say(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let other = insert(&odb, &Cluster::new("other")).await.unwrap();
    insert(&odb, &service(other.id, "s")).await.unwrap();
    let wanted = insert(&odb, &service(cluster_id, "s")).await.unwrap();
    assert_eq!(odb.find_by_name::<Service>(cluster_id, "s").await.unwrap(), Some(wanted));
    assert_eq!(odb.find_by_name::<Service>(cluster_id, "S").await.unwrap(), None);

    assert_eq!(odb.find_cluster("other").await.unwrap(), Some(other.clone()));
    let clusters = odb.clusters().await.unwrap();
    assert_eq!(clusters.iter().map(|cluster| cluster.name.as_str()).collect::<Vec<_>>(), ["main", "other"]);

    let first = insert(&odb, &server(cluster_id, "first")).await.unwrap();
    assert_eq!(odb.find_server_by_token("token of first").await.unwrap(), Some(first));
    assert_eq!(odb.find_server_by_token("token of second").await.unwrap(), None);

    let incoming = insert(&odb, &channel(cluster_id, "c", "/path")).await.unwrap();
    let mut outgoing = channel(cluster_id, "c", "/path");
    outgoing.connection = Connection::Outgoing;
    let outgoing = insert(&odb, &outgoing).await.unwrap();
    let namesake = async |connection, transport| {
        let object = HttpSoap::new(cluster_id, connection, transport, "c", "/elsewhere");
        odb.find_namesake(&object).await.unwrap()
    };
    assert_eq!(namesake(Connection::Channel, Transport::PlainHttp).await.as_ref(), Some(&incoming));
    assert_eq!(namesake(Connection::Outgoing, Transport::PlainHttp).await.as_ref(), Some(&outgoing));
    assert_eq!(namesake(Connection::Channel, Transport::Soap).await, None);
    let names = odb.names::<HttpSoap>([incoming.id, outgoing.id, 4711].into()).await.unwrap();
    assert_eq!(names, [(incoming.id, "c".to_owned()), (outgoing.id, "c".to_owned())].into());

    let same_address = channel(cluster_id, "another name", "/path");
    assert_eq!(odb.find_http_soap_at(&same_address).await.unwrap(), Some(incoming));
    assert_eq!(odb.find_http_soap_at(&channel(cluster_id, "c", "/other")).await.unwrap(), None);
}

async fn lists_are_sorted_by_bytes_and_stay_in_their_cluster(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let other = insert(&odb, &Cluster::new("other")).await.unwrap();
    for name in ["b", "Ä", "a", "B", "_", "a-b", "ab", "a.c"] {
        insert(&odb, &service(cluster_id, name)).await.unwrap();
    }
    insert(&odb, &service(other.id, "elsewhere")).await.unwrap();
    let sorted = ["B", "_", "a", "a-b", "a.c", "ab", "b", "Ä"];
    assert_eq!(names::<Service>(&odb, cluster_id, &Everything).await, sorted);
}

async fn filters_narrow_lists_down(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let basic = insert(&odb, &basic_auth(cluster_id, "basic")).await.unwrap();
    insert(&odb, &ws_security(cluster_id, "wss")).await.unwrap();
    let target = insert(&odb, &service(cluster_id, "target")).await.unwrap();

    let types = |types| SecurityFilter { types, ids: None };
    for (filter, expected) in [
        (types(None), vec!["basic", "wss"]),
        (types(Some(vec![SecurityType::WsSecurity])), vec!["wss"]),
        (types(Some(SecurityType::ALL.to_vec())), vec!["basic", "wss"]),
        (types(Some(Vec::new())), vec![]),
    ] {
        assert_eq!(names::<SecurityDefinition>(&odb, cluster_id, &filter).await, expected, "{filter:?}");
    }

    for (connection, transport) in [
        (Connection::Channel, Transport::PlainHttp),
        (Connection::Channel, Transport::Soap),
        (Connection::Outgoing, Transport::Soap),
    ] {
        let mut object = channel(cluster_id, &format!("{connection} {transport}"), &format!("/{transport}"));
        (object.connection, object.transport) = (connection, transport);
        object.service_id = (connection == Connection::Channel).then_some(target.id);
        object.security_id = (transport == Transport::Soap).then_some(basic.id);
        insert(&odb, &object).await.unwrap();
    }
    let all = HttpSoapFilter::default();
    let channels = HttpSoapFilter { connection: Some(Connection::Channel), ..all.clone() };
    let soap_channels = HttpSoapFilter { transport: Some(Transport::Soap), ..channels.clone() };
    let of_service = HttpSoapFilter { service_id: Some(target.id), ..all.clone() };
    let secured = HttpSoapFilter { security_id: Some(basic.id), ..all.clone() };
    for (filter, expected) in [
        (all, vec!["channel plain_http", "channel soap", "outgoing soap"]),
        (channels, vec!["channel plain_http", "channel soap"]),
        (soap_channels, vec!["channel soap"]),
        (of_service, vec!["channel plain_http", "channel soap"]),
        (secured, vec!["channel soap", "outgoing soap"]),
    ] {
        assert_eq!(names::<HttpSoap>(&odb, cluster_id, &filter).await, expected, "{filter:?}");
    }
}

async fn texts_that_do_not_fit_are_refused(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let fitting = insert(&odb, &channel(cluster_id, &"🦀".repeat(200), "/")).await.unwrap();
    let mut too_long = fitting.clone();
    too_long.name.push('x');
    let mut nul = fitting.clone();
    nul.method = Some("PO\0ST".to_owned());
    for result in [insert(&odb, &too_long).await.map(drop), update(&odb, &too_long).await] {
        assert!(matches!(result, Err(OdbError::TooLong { column: "name", limit: 200 })), "{result:?}");
    }
    let result = update(&odb, &nul).await;
    assert!(matches!(result, Err(OdbError::NulCharacter { column: "method" })), "{result:?}");
    assert_eq!(odb.find::<HttpSoap>(fitting.id).await.unwrap(), Some(fitting));
}

async fn references_must_exist(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let result = insert(&odb, &service(4711, "s")).await;
    assert!(matches!(result, Err(OdbError::MissingReference { .. })), "{result:?}");
    let stored = insert(&odb, &channel(cluster_id, "c", "/")).await.unwrap();
    let broken: [fn(&mut HttpSoap); 4] = [
        |object| object.sec_tls_ca_cert_id = Some(4711),
        |object| object.service_id = Some(4711),
        |object| object.security_id = Some(4711),
        |object| object.cluster_id = 4711,
    ];
    for break_it in broken {
        let mut object = stored.clone();
        break_it(&mut object);
        let result = update(&odb, &object).await;
        assert!(matches!(result, Err(OdbError::MissingReference { .. })), "{result:?}");
    }
}

async fn deleting_takes_dependants_along(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let target = insert(&odb, &service(cluster_id, "target")).await.unwrap();
    let basic = insert(&odb, &basic_auth(cluster_id, "basic")).await.unwrap();
    let mut of_service = channel(cluster_id, "of service", "/service");
    of_service.service_id = Some(target.id);
    let mut secured = channel(cluster_id, "secured", "/secured");
    secured.security_id = Some(basic.id);
    for object in [&of_service, &secured, &channel(cluster_id, "free", "/free")] {
        insert(&odb, object).await.unwrap();
    }
    let all = HttpSoapFilter::default();
    delete::<Service>(&odb, target.id).await.unwrap();
    assert_eq!(names::<HttpSoap>(&odb, cluster_id, &all).await, ["free", "secured"]);
    delete::<SecurityDefinition>(&odb, basic.id).await.unwrap();
    assert_eq!(names::<HttpSoap>(&odb, cluster_id, &all).await, ["free"]);
    delete::<Cluster>(&odb, cluster_id).await.unwrap();
    assert_eq!(names::<HttpSoap>(&odb, cluster_id, &all).await, [""; 0]);
}
