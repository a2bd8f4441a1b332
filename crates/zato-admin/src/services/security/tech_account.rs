//! `zato.security.tech-account`: technical accounts.
//!
//! Owns that of their passwords only a salted digest is stored. It must not know which channels use one, nor how callers
//! prove to know a password.

use zato_catalogue::security::tech_account;
use zato_channel::{Password, SaltedDigest};
use zato_odb::Secret;
use zato_odb::model::{SecurityDefinition, SecurityKind, SecurityType};
use zato_service::{Context, Error};

use super::Definitions;
use crate::change::ConfigurationChange;
use crate::family::services;
use crate::{Admin, Handle, password};

struct TechnicalAccounts;

impl Definitions for TechnicalAccounts {
    const TYPE: SecurityType = SecurityType::TechnicalAccount;
    const NOUN: &'static str = "Technical account";
    const PASSWORD_REQUIRED: bool = true;

    /// Each password has a salt of its own.
    fn set_password(account: &mut SecurityDefinition, password: Secret) -> Result<(), Error> {
        let salt = password::random()?.expose().to_owned();
        let digest = SaltedDigest::of(&Password::from(password.expose()), salt.as_str());
        account.password = Some(Secret::new(digest.to_hex().as_str()));
        account.kind = SecurityKind::TechnicalAccount { salt };
        Ok(())
    }
}

services! {
    TechnicalAccounts in tech_account: create, edit, change_password, get_by_id, get_list;
    {
        object SecurityDefinition { is_active, rate_limit, max_in_flight }
        // Without a password nobody is let in, and there is nothing to salt.
        initially { username: None, password: None, kind: SecurityKind::TechnicalAccount { salt: String::new() } }
    }
}

impl Handle for tech_account::delete::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<(), Error> {
        let mut change = ConfigurationChange::begin(admin, cx).await?;
        let account = change.find::<TechnicalAccounts>(self.id).await?;
        if self.current_tech_account_name.as_ref() == Some(&account.name) {
            return Err(Error::conflict(format!(
                "Can't delete account [{}], at least one client console uses it",
                account.name
            )));
        }
        change.delete::<TechnicalAccounts>(self.id).await?;
        change.commit().await
    }
}
