//! The audit of HTTP and SOAP channels and outgoing connections.
//!
//! Owns audit entries and what they hide. It must not know when an entry is made.

use time::OffsetDateTime;

use crate::declare::stored_object;

stored_object! {
    /// One audited call. Entries are listed in the order in which they were made.
    pub struct HttpSoapAudit in http_soap_audit {
        /// The name of the channel or outgoing connection at the time, at most 200 characters.
        name: String as Text<200>,
        /// The correlation id, at most 200 characters.
        cid: String as Text<200>,
        /// At most 200 characters.
        transport: String as Text<200>,
        /// At most 200 characters.
        connection: String as Text<200>,
        /// When the request came in or went out.
        req_time: OffsetDateTime as UtcTime,
        /// When there was a response.
        resp_time: Option<OffsetDateTime> as Option<UtcTime>,
        /// Who called, at most 200 characters.
        user_token: Option<String> as Option<Text<200>>,
        /// Whether the service succeeded.
        invoke_ok: Option<bool>,
        /// Whether the caller was let through.
        auth_ok: Option<bool>,
        /// At most 200 characters.
        remote_addr: String as Text<200>,
        /// Headers of the request.
        req_headers: Option<Vec<u8>>,
        /// Body of the request.
        req_payload: Option<Vec<u8>>,
        /// Headers of the response.
        resp_headers: Option<Vec<u8>>,
        /// Body of the response.
        resp_payload: Option<Vec<u8>>,
        /// The channel or outgoing connection.
        conn_id: i64,
    }
    filter HttpSoapAuditFilter { conn_id => ConnId, }
}

stored_object! {
    /// That the audit of a channel or outgoing connection hides what a JSON Pointer points to.
    pub struct AuditJsonPointer in http_soap_au_rpl_p_jp {
        /// The channel or outgoing connection.
        conn_id: i64,
        /// The JSON Pointer.
        pattern_id: i64,
    }
    unique pattern (conn_id, pattern_id) => Combination;
    filter AuditJsonPointerFilter { conn_id => ConnId, pattern_id => PatternId, }
}

stored_object! {
    /// That the audit of a channel or outgoing connection hides what an XPath expression selects.
    pub struct AuditXPath in http_soap_au_rpl_p_xp {
        /// The channel or outgoing connection.
        conn_id: i64,
        /// The XPath expression.
        pattern_id: i64,
    }
    unique pattern (conn_id, pattern_id) => Combination;
    filter AuditXPathFilter { conn_id => ConnId, pattern_id => PatternId, }
}
