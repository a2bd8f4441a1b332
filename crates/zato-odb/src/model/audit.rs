//! The audit of HTTP and SOAP channels and outgoing connections.
//!
//! Owns audit entries and what they hide. It must not know when an entry is made.

use sea_orm::{ColumnTrait, Condition, DbBackend};
use time::OffsetDateTime;

use crate::column::to_stored_time;
use crate::declare::stored_object;
use crate::fold::{bytes_contain, contains};
use crate::read::is_text;
use crate::stored::Selects;

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
    filter HttpSoapAuditFilter;
}

/// Which audited calls to list. Every field that is given must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpSoapAuditFilter {
    /// Only those of this channel.
    pub conn_id: Option<i64>,
    /// Only those with this correlation id.
    pub cid: Option<String>,
    /// Only those whose request came in at this time or later.
    pub since: Option<OffsetDateTime>,
    /// Only those whose request came in at this time or earlier.
    pub until: Option<OffsetDateTime>,
    /// Only those with this text in their correlation id, caller, address, headers or payloads, in upper or lower case.
    pub containing: Option<String>,
}

impl Selects for HttpSoapAuditFilter {
    fn condition(&self, backend: DbBackend) -> Condition {
        use http_soap_audit::Column;
        Condition::all()
            .add_option(self.conn_id.map(|id| Column::ConnId.eq(id)))
            .add_option(self.cid.as_deref().map(|cid| is_text(Column::Cid, cid)))
            .add_option(self.since.map(|time| Column::ReqTime.gte(to_stored_time(time))))
            .add_option(self.until.map(|time| Column::ReqTime.lte(to_stored_time(time))))
            .add_option(self.containing.as_deref().map(|text| containing(backend, text)))
    }
}

/// That one of an entry's texts, or of its bytes, contains a text.
fn containing(backend: DbBackend, text: &str) -> Condition {
    use http_soap_audit::Column;
    let texts = [Column::Cid, Column::UserToken, Column::RemoteAddr];
    let bytes = [Column::ReqHeaders, Column::ReqPayload, Column::RespHeaders, Column::RespPayload];
    let mut any = Condition::any();
    // PostgreSQL refuses to look for this character in texts, where it never stands.
    if !text.contains('\0') {
        any = texts.into_iter().fold(any, |any, column| any.add(contains(backend, column.into_expr(), text)));
    }
    bytes.into_iter().fold(any, |any, column| any.add(bytes_contain(backend, column.into_expr(), text)))
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
