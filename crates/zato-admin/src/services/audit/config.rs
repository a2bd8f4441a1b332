//! Whether a channel is audited, and how much is kept.
//!
//! Owns what the settings may be. It must not know what an entry is made of.

use zato_catalogue::http_soap::{get_audit_config, set_audit_config, set_audit_state};
use zato_odb::model::HttpSoap;
use zato_service::{Context, Error};

use super::for_channels;
use crate::change::ConfigurationChange;
use crate::field::Field;
use crate::services::http_soap::HttpSoapObjects;
use crate::value::{COUNTS, within};
use crate::{Admin, Handle, family};

impl Handle for get_audit_config::Request {
    async fn handle(self, _: &mut Context, admin: &Admin) -> Result<get_audit_config::Response, Error> {
        let object = family::find::<HttpSoapObjects>(admin, self.id).await?;
        Ok(get_audit_config::Response {
            audit_enabled: object.audit_enabled,
            audit_back_log: object.audit_back_log.into(),
            audit_max_payload: object.audit_max_payload.into(),
            audit_repl_patt_type: object.audit_repl_patt_type.as_str().to_owned(),
        })
    }
}

impl Handle for set_audit_config::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<(), Error> {
        let max_payload: i32 = Field::stored("audit_max_payload", self.audit_max_payload)?;
        within("audit_max_payload", max_payload, &COUNTS)?;
        let back_log: Option<i32> = Field::stored("audit_back_log", self.audit_back_log)?;
        if let Some(minutes) = back_log {
            within("audit_back_log", minutes, &(1..=i32::MAX))?;
        }
        edit(cx, admin, self.id, |object| {
            object.audit_max_payload = max_payload;
            object.audit_back_log = back_log.unwrap_or(object.audit_back_log);
            for_channels(object)
        })
        .await
    }
}

impl Handle for set_audit_state::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<(), Error> {
        edit(cx, admin, self.id, |object| {
            object.audit_enabled = self.audit_enabled;
            for_channels(object)
        })
        .await
    }
}

/// Changes a channel, unless the change fails.
async fn edit(
    cx: &Context,
    admin: &Admin,
    id: i64,
    change_it: impl FnOnce(&mut HttpSoap) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut change = ConfigurationChange::begin(admin, cx).await?;
    let stored = change.find::<HttpSoapObjects>(id).await?;
    let mut object = stored.clone();
    change_it(&mut object)?;
    change.replace::<HttpSoapObjects>(&stored, &object).await?;
    change.commit().await
}
