//! HTTP and SOAP channels and outgoing connections.
//!
//! Owns the one type behind both. It must not know how calls are routed or sent.

use sea_orm::{ColumnTrait, Condition, DbBackend};

use super::stored_as_text;
use crate::declare::stored_object;
use crate::stored::Selects;

stored_as_text! {
    /// Whether calls come in or go out.
    Connection {
        /// Calls come in.
        Channel => "channel",
        /// Calls go out.
        Outgoing => "outgoing",
    }
}

stored_as_text! {
    /// What is spoken over HTTP.
    Transport {
        /// Bodies of any format.
        PlainHttp => "plain_http",
        /// SOAP envelopes.
        Soap => "soap",
    }
}

stored_as_text! {
    /// Which URL parameter wins if path and query string both have it.
    UrlParamsPriority {
        /// The query string wins.
        QueryStringOverPath => "qs-over-path",
        /// The path wins.
        PathOverQueryString => "path-over-qs",
    }
}

stored_as_text! {
    /// Whether URL parameters or the message win if both have an element.
    MessageParamsPriority {
        /// URL parameters win.
        ChannelParamsOverMessage => "channel-params-over-msg",
        /// The message wins.
        MessageOverChannelParams => "msg-over-channel-params",
    }
}

stored_as_text! {
    /// How what is sent to a SOAP peer is written.
    SerializationType {
        /// The caller gives the text of the body.
        String => "string",
        /// The caller gives values, written as a WSDL document says.
        Suds => "suds",
    }
}

stored_as_text! {
    /// In which language patterns of values to hide in audit entries are written.
    AuditReplacePattern {
        /// JSON Pointer.
        JsonPointer => "json-pointer",
        /// XPath.
        XPath => "xpath",
    }
}

stored_object! {
    /// An HTTP or SOAP channel or outgoing connection.
    ///
    /// Unique in a cluster are (name, connection, transport) and (URL path, host, connection, SOAP action).
    pub struct HttpSoap in http_soap {
        /// At most 200 characters.
        name: String as Text<200>,
        /// Whether calls are accepted or sent.
        is_active: bool,
        /// Whether it is part of the server rather than somebody's own.
        is_internal: bool,
        /// Whether calls come in or go out.
        connection: Connection as Text<20>,
        /// What is spoken over HTTP.
        transport: Transport as Text<20>,
        /// The peer of an outgoing connection, empty for channels, so that the uniqueness of addresses holds for
        /// them as well; at most 200 characters.
        host: String as Text<200>,
        /// At most 200 characters.
        url_path: String as Text<200>,
        /// The HTTP method, `None` for any; at most 200 characters.
        method: Option<String> as Option<Text<200>>,
        /// Empty if there is none, at most 200 characters.
        soap_action: String as Text<200>,
        /// `1.1` or `1.2`, at most 20 characters.
        soap_version: Option<String> as Option<Text<20>>,
        /// `json`, `xml` or another format by name, at most 20 characters.
        data_format: Option<String> as Option<Text<20>>,
        /// The method of a ping, at most 60 characters.
        ping_method: Option<String> as Option<Text<60>>,
        /// How many connections are kept open.
        pool_size: Option<i32>,
        /// Whether URL parameters become part of the request.
        merge_url_params_req: bool,
        /// Whether path or query string wins.
        url_params_pri: UrlParamsPriority as Text<200>,
        /// Whether URL parameters or the message win.
        params_pri: MessageParamsPriority as Text<200>,
        /// Whether calls are kept for audit.
        audit_enabled: bool,
        /// For how many minutes audit entries are kept.
        audit_back_log: i32,
        /// How many bytes of a payload an audit entry keeps, 0 for all.
        audit_max_payload: i32,
        /// The language of the patterns of what audit entries hide.
        audit_repl_patt_type: AuditReplacePattern as Text<200>,
        /// How what is sent to a SOAP peer is written.
        serialization_type: SerializationType as Text<200>,
        /// Seconds after which a call that goes out is given up.
        timeout: i32,
        /// The certificate authority that a peer is verified with.
        sec_tls_ca_cert_id: Option<i64>,
        /// Whether callers need a role that permits the call.
        has_rbac: bool,
        /// How many calls a channel lets through in a time, such as `100/s`; at most 40 characters.
        rate_limit: Option<String> as Option<Text<40>>,
        /// How many calls a channel lets through at a time.
        max_in_flight: Option<i32>,
        /// The origins whose web pages may call a channel, at most 2000 characters.
        cors_origins: Option<String> as Option<Text<2000>>,
        /// The service that a channel invokes.
        service_id: Option<i64>,
        /// The security definition that calls are checked against or sent with.
        security_id: Option<i64>,
    }
    unique name (name, connection, transport, cluster_id) => Name;
    unique address (url_path, host, connection, soap_action, cluster_id) => Address;
    named name => Name within same_kind;
    filter HttpSoapFilter;
}

impl HttpSoap {
    /// An active connection with the defaults of the data model. Its SOAP action and host are empty.
    #[must_use]
    pub fn new(
        cluster_id: i64,
        connection: Connection,
        transport: Transport,
        name: impl Into<String>,
        url_path: impl Into<String>,
    ) -> Self {
        Self {
            id: 0,
            cluster_id,
            name: name.into(),
            is_active: true,
            is_internal: false,
            connection,
            transport,
            host: String::new(),
            url_path: url_path.into(),
            method: None,
            soap_action: String::new(),
            soap_version: None,
            data_format: None,
            ping_method: Some("HEAD".to_owned()),
            pool_size: Some(20),
            merge_url_params_req: true,
            url_params_pri: UrlParamsPriority::QueryStringOverPath,
            params_pri: MessageParamsPriority::ChannelParamsOverMessage,
            audit_enabled: false,
            audit_back_log: 1440,
            audit_max_payload: 0,
            audit_repl_patt_type: AuditReplacePattern::JsonPointer,
            serialization_type: SerializationType::String,
            timeout: 10,
            sec_tls_ca_cert_id: None,
            has_rbac: false,
            rate_limit: None,
            max_in_flight: None,
            cors_origins: None,
            service_id: None,
            security_id: None,
        }
    }

    /// Those that go the same way over the same transport.
    fn same_kind(&self) -> Condition {
        use http_soap::Column;
        Condition::all()
            .add(Column::Connection.eq(self.connection.as_str()))
            .add(Column::Transport.eq(self.transport.as_str()))
    }
}

/// Which channels and outgoing connections to list. Every field that is given must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpSoapFilter {
    /// Only channels, or only outgoing connections.
    pub connection: Option<Connection>,
    /// Only plain HTTP, or only SOAP.
    pub transport: Option<Transport>,
    /// Only those that invoke this service.
    pub service_id: Option<i64>,
    /// Only those that use this security definition.
    pub security_id: Option<i64>,
    /// Only those whose peers are verified with this certificate authority.
    pub sec_tls_ca_cert_id: Option<i64>,
    /// Whether those are left out whose names start with `zato`, as the names of the server's own do.
    pub without_internal_names: bool,
}

impl Selects for HttpSoapFilter {
    fn condition(&self, _: DbBackend) -> Condition {
        use http_soap::Column;
        Condition::all()
            .add_option(self.connection.map(|connection| Column::Connection.eq(connection.as_str())))
            .add_option(self.transport.map(|transport| Column::Transport.eq(transport.as_str())))
            .add_option(self.service_id.map(|id| Column::ServiceId.eq(id)))
            .add_option(self.security_id.map(|id| Column::SecurityId.eq(id)))
            .add_option(self.sec_tls_ca_cert_id.map(|id| Column::SecTlsCaCertId.eq(id)))
            // Names are in the order of their bytes: those with the prefix are from it up to the first without it.
            .add_option(
                self.without_internal_names
                    .then(|| Condition::any().add(Column::Name.lt("zato")).add(Column::Name.gte("zatp"))),
            )
    }
}
