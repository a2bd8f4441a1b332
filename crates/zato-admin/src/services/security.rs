//! `zato.security.get-list`: the security definitions of all types.
//!
//! Owns what of each type is shown. It must not show a password, nor change anything.

use zato_catalogue::security::get_list;
use zato_odb::Read;
use zato_odb::model::{SecurityDefinition, SecurityFilter, SecurityKind, SecurityType};
use zato_service::{Context, Error};

use crate::error::OrError;
use crate::{Admin, Handle, is_internal_name};

/// Definitions of the server itself whose names don't tell.
const INTERNAL: [&str; 2] = ["admin.invoke", "pubapi"];

impl Handle for get_list::Request {
    async fn handle(self, _: &mut Context, admin: &Admin) -> Result<Vec<get_list::Item>, Error> {
        let types = self.sec_type.filter(|types| !types.is_empty());
        // A type that is not known has no definitions.
        let types =
            types.map(|types| types.iter().filter_map(|name| SecurityType::from_text(name)).collect());
        let filter = SecurityFilter { types };
        let mut definitions =
            admin.odb().list::<SecurityDefinition>(self.cluster_id, &filter).await.or_error()?;
        if self.needs_internal == Some(false) {
            definitions.retain(|definition| !is_internal(&definition.name));
        }
        // The order within a type stays the one by name.
        definitions.sort_by_key(|definition| definition.kind.security_type().as_str());
        Ok(definitions.into_iter().map(item).collect())
    }
}

fn is_internal(name: &str) -> bool {
    is_internal_name(name) || INTERNAL.contains(&name)
}

/// Texts that a type does not have are empty, numbers are null.
fn item(definition: SecurityDefinition) -> get_list::Item {
    let mut item = get_list::Item {
        id: definition.id,
        name: definition.name,
        is_active: definition.is_active,
        sec_type: definition.kind.security_type().as_str().to_owned(),
        username: Some(definition.username.unwrap_or_default()),
        realm: Some(String::new()),
        password_type: Some(String::new()),
        proto_version: Some(String::new()),
        sig_method: Some(String::new()),
        ..get_list::Item::default()
    };
    match definition.kind {
        SecurityKind::BasicAuth { realm } => item.realm = Some(realm),
        SecurityKind::WsSecurity {
            password_type,
            reject_empty_nonce_creat,
            reject_stale_tokens,
            reject_expiry_limit,
            nonce_freshness_time,
        } => {
            item.password_type = Some(password_type);
            item.reject_empty_nonce_creat = reject_empty_nonce_creat;
            item.reject_stale_tokens = reject_stale_tokens.unwrap_or_default();
            item.reject_expiry_limit = Some(reject_expiry_limit.into());
            item.nonce_freshness_time = nonce_freshness_time.map(Into::into);
        }
        _ => {}
    }
    item
}
