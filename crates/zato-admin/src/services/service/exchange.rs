//! Samples of what services were asked and answered, and their slow replies.
//!
//! Owns how these are shown. It must not know how they are recorded: `zato-stats` does.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zato_catalogue::service::slow_response;
use zato_catalogue::service::{configure_request_response, get_request_response};
use zato_odb::Read;
use zato_odb::model::Service;
use zato_service::{Context, Error};
use zato_sio::Utc;

use super::Services;
use crate::change::{ConfigurationChange, Family};
use crate::error::{OrError, no_row, not_allowed};
use crate::{Admin, Handle};

fn encoded(text: Option<String>) -> Option<String> {
    text.map(|text| BASE64_STANDARD.encode(text))
}

fn time(text: Option<String>) -> Option<Utc> {
    Utc::parse(&text?)
}

impl Handle for get_request_response::Request {
    async fn handle(self, _: &mut Context, admin: &Admin) -> Result<get_request_response::Response, Error> {
        let service = admin.odb().find_by_name::<Service>(self.cluster_id, &self.name).await.or_error()?;
        let service = service.ok_or_else(|| no_row(Services::NOUN, "name", &self.name))?;
        let sample = admin.background()?.stats.sample(&service.name).await?;
        Ok(get_request_response::Response {
            service_id: service.id,
            sample_req_resp_freq: i64::try_from(sample.frequency).unwrap_or(i64::MAX),
            sample_cid: sample.cid,
            sample_req_ts: time(sample.request_time),
            sample_resp_ts: time(sample.response_time),
            sample_req: encoded(sample.request),
            sample_resp: encoded(sample.response),
        })
    }
}

/// A service need not be there yet. One that is learns of it on all servers, as of any change.
impl Handle for configure_request_response::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<(), Error> {
        let frequency = u64::try_from(self.sample_req_resp_freq)
            .map_err(|_| not_allowed("sample_req_resp_freq", self.sample_req_resp_freq, "0 or more"))?;
        admin.background()?.stats.sample_every(&self.name, frequency).await?;
        let mut change = ConfigurationChange::begin(admin, cx).await?;
        let stored = change.tx().find_by_name::<Service>(self.cluster_id, &self.name).await.or_error()?;
        if let Some(service) = stored {
            change.replace::<Services>(&service, &service).await?;
        }
        change.commit().await
    }
}

impl Handle for slow_response::get_list::Request {
    async fn handle(
        self,
        _: &mut Context,
        admin: &Admin,
    ) -> Result<Vec<slow_response::get_list::Item>, Error> {
        let calls = admin.background()?.stats.slow_calls(&self.name).await?;
        let item = |call: zato_stats::SlowCall| {
            Some(slow_response::get_list::Item {
                cid: call.cid,
                req_ts: Utc::parse(&call.request_time)?,
                resp_ts: Utc::parse(&call.response_time)?,
                proc_time: call.milliseconds,
            })
        };
        Ok(calls.into_iter().filter_map(item).collect())
    }
}

impl Handle for slow_response::get::Request {
    async fn handle(self, _: &mut Context, admin: &Admin) -> Result<slow_response::get::Response, Error> {
        let calls = admin.background()?.stats.slow_calls(&self.name).await?;
        let found = calls.into_iter().find(|call| call.cid == self.cid);
        let shown = |call: zato_stats::SlowCall| slow_response::get::Response {
            cid: Some(call.cid),
            req_ts: Utc::parse(&call.request_time),
            resp_ts: Utc::parse(&call.response_time),
            proc_time: Some(call.milliseconds),
            req: Some(call.request),
            resp: Some(call.response),
        };
        Ok(found.map(shown).unwrap_or_default())
    }
}
