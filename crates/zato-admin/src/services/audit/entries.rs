//! What is in the audit log of a channel.
//!
//! Owns how entries are shown, in batches and one by one, and that what others add to one is masked as well. It must not
//! know how calls become entries.

use serde::Deserialize;
use serde_json::Value;
use zato_catalogue::RawCall;
use zato_catalogue::http_soap::{
    get_audit_batch_info, get_audit_item, get_audit_item_list, set_audit_response_data,
};
use zato_odb::model::{HttpSoapAudit, HttpSoapAuditFilter};
use zato_odb::{AuditSummary, Page, PageRequest, Read};
use zato_service::{Context, Description, Error, RawInput, Service};
use zato_sio::Utc;

use crate::audit::Rules;
use crate::error::{OrError, no_row, not_allowed};
use crate::field::Field;
use crate::handle::{Implemented, describe};
use crate::services::http_soap::HttpSoapObjects;
use crate::{Admin, Handle, family};

/// The largest batch. Whoever asks for a larger one gets this.
const MAXIMUM_BATCH: u64 = 1000;

/// A batch of a channel's entries, as it is asked for.
struct Batch {
    conn_id: i64,
    number: u64,
    size: u64,
    filter: HttpSoapAuditFilter,
}

/// Both services that look at batches take the same elements, in types of their own.
macro_rules! batch {
    ($request:ident) => {
        Batch {
            conn_id: $request.conn_id,
            number: positive("current_batch", $request.current_batch_or_default())?,
            size: positive("batch_size", $request.batch_size_or_default())?.min(MAXIMUM_BATCH),
            filter: HttpSoapAuditFilter {
                conn_id: Some($request.conn_id),
                cid: None,
                since: $request.start.map(Utc::get),
                until: $request.stop.map(Utc::get),
                containing: $request.query.filter(|text| !text.is_empty()),
            },
        }
    };
}

fn positive(element: &str, number: i64) -> Result<u64, Error> {
    let positive = u64::try_from(number).ok().filter(|number| *number > 0);
    positive.ok_or_else(|| not_allowed(element, number, "1 or more"))
}

impl Batch {
    async fn read(&self, admin: &Admin) -> Result<Page<AuditSummary>, Error> {
        let channel = family::find::<HttpSoapObjects>(admin, self.conn_id).await?;
        let offset = (self.number - 1).saturating_mul(self.size).min(i64::MAX.unsigned_abs());
        admin.odb().audit_page(channel.cluster_id, &self.filter, offset, self.size).await.or_error()
    }
}

impl Handle for get_audit_item_list::Request {
    async fn handle(self, _: &mut Context, admin: &Admin) -> Result<Vec<get_audit_item_list::Item>, Error> {
        let found = batch!(self).read(admin).await?;
        let item = |entry: AuditSummary| get_audit_item_list::Item {
            id: entry.id,
            cid: entry.cid,
            req_time_utc: entry.req_time.shown(),
            remote_addr: entry.remote_addr,
            resp_time_utc: entry.resp_time.and_then(Utc::new),
            user_token: entry.user_token,
            invoke_ok: entry.invoke_ok.unwrap_or_default(),
            auth_ok: entry.auth_ok.unwrap_or_default(),
        };
        Ok(found.items.into_iter().map(item).collect())
    }
}

impl Handle for get_audit_batch_info::Request {
    async fn handle(self, _: &mut Context, admin: &Admin) -> Result<get_audit_batch_info::Response, Error> {
        let batch = batch!(self);
        let Batch { number, size, .. } = batch;
        // Only the total is of interest.
        let total = Batch { size: 0, ..batch }.read(admin).await?.total;
        let batches = total.div_ceil(size);
        let (has_previous, has_next) = (number > 1 && batches > 0, number < batches);
        let shown = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Ok(get_audit_batch_info::Response {
            total_results: shown(total),
            num_batches: shown(batches),
            has_previous,
            has_next,
            next_batch_number: if has_next { shown(number + 1) } else { 0 },
            // Whoever is beyond the last batch goes back to that one.
            previous_batch_number: if has_previous { shown((number - 1).min(batches)) } else { 0 },
        })
    }
}

impl Handle for get_audit_item::Request {
    async fn handle(self, _: &mut Context, admin: &Admin) -> Result<get_audit_item::Response, Error> {
        let entry = admin.odb().find::<HttpSoapAudit>(self.id).await.or_error()?;
        let entry = entry.ok_or_else(|| no_row("audit log entry", "id", self.id))?;
        let text = |bytes: Option<Vec<u8>>| bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok(get_audit_item::Response {
            id: entry.id,
            cid: entry.cid,
            req_time_utc: entry.req_time.shown(),
            remote_addr: entry.remote_addr,
            resp_time_utc: entry.resp_time.and_then(Utc::new),
            user_token: entry.user_token,
            invoke_ok: entry.invoke_ok.unwrap_or_default(),
            auth_ok: entry.auth_ok.unwrap_or_default(),
            req_headers: text(entry.req_headers),
            req_payload: text(entry.req_payload),
            resp_headers: text(entry.resp_headers),
            resp_payload: text(entry.resp_payload),
        })
    }
}

/// `zato.http-soap.set-audit-response-data`: for services that answer by other ways than their channel's response.
pub(crate) struct SetAuditResponseData(Admin);

/// What the service is given. What is left out stays as it is.
#[derive(Debug, Deserialize)]
struct ResponseData {
    cid: String,
    invoke_ok: Option<bool>,
    auth_ok: Option<bool>,
    resp_time: Option<Utc>,
    resp_headers: Option<Value>,
    resp_payload: Option<Value>,
}

impl Service for SetAuditResponseData {
    type Input = RawInput;
    type Output = ();

    fn description(&self) -> Description {
        describe(set_audit_response_data::Raw::SERVICE)
    }

    async fn handle(&self, _: &mut Context, request: RawInput) -> Result<(), Error> {
        let data: ResponseData = zato_sio::from_json(&request.body)?;
        let odb = self.0.odb();
        let filter = HttpSoapAuditFilter { cid: Some(data.cid.clone()), ..HttpSoapAuditFilter::default() };
        let cluster_id = self.0.settings().cluster_id;
        let mut tx = odb.begin().await.or_error()?;
        let first = PageRequest { offset: 0, limit: 1, name_contains: None };
        let found = tx.page::<HttpSoapAudit>(cluster_id, &filter, &first).await.or_error()?;
        let Some(mut entry) = found.items.into_iter().next() else {
            return Err(no_row("audit log entry", "cid", data.cid));
        };
        let rules = Rules::load(odb, entry.conn_id).await.or_error()?;
        let rules = rules.ok_or_else(|| no_row("channel", "id", entry.conn_id))?;
        entry.invoke_ok = data.invoke_ok.or(entry.invoke_ok);
        entry.auth_ok = data.auth_ok.or(entry.auth_ok);
        entry.resp_time = data.resp_time.map(Utc::get).or(entry.resp_time);
        if let Some(payload) = data.resp_payload.map(text) {
            entry.resp_payload = Some(rules.hidden.kept(payload.as_bytes(), rules.max_payload));
        }
        if let Some(headers) = data.resp_headers {
            entry.resp_headers = Some(rules.hidden.kept(text(headers).as_bytes(), 0));
        }
        tx.update(&entry).await.or_error()?;
        tx.commit().await.or_error()?;
        Ok(())
    }
}

/// A text, or anything else as JSON.
fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

impl Implemented for set_audit_response_data::Raw {
    type Service = SetAuditResponseData;

    fn service(admin: &Admin) -> SetAuditResponseData {
        SetAuditResponseData(admin.clone())
    }
}
