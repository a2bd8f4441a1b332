//! `zato.security`: the security definitions.
//!
//! Owns what the definitions of all types have in common, and the list of all. Each type is a family in a module of its
//! own. It must not show a password.

mod apikey;
mod aws;
mod basic_auth;
mod jwt;
mod ntlm;
mod oauth;
mod openstack;
mod rbac;
mod tech_account;
pub(crate) mod tls;
mod wss;
mod xpath;

use zato_catalogue::security::get_list;
use zato_odb::model::{
    HttpSoapFilter, RbacClientRole, RbacClientRoleFilter, SecurityDefinition, SecurityFilter, SecurityKind,
    SecurityType,
};
use zato_odb::{OdbError, Read, Secret, Transaction};
use zato_service::{Context, Error, Items};

use rbac::ClientRoles;
pub(crate) use rbac::RolePermissions;

use super::http_soap::HttpSoapObjects;
use crate::change::{ConfigurationChange, Dependants, Family, HasPassword};
use crate::handle::Answer;
use crate::list::{Selected, in_batches};
use crate::{Admin, apply, is_internal_name};

/// The definitions of all types, for objects that refer to one of any type.
pub(crate) struct AllDefinitions;

impl Family for AllDefinitions {
    type Object = SecurityDefinition;

    const NOUN: &'static str = "security definition";
}

/// The security definitions of one type: what the type states of itself.
///
/// Names are unique over all types. A definition is deleted together with the channels and outgoing connections that use
/// it: without it, a channel would let everyone in.
trait Definitions: Send + 'static {
    /// The type.
    const TYPE: SecurityType;

    /// What messages call a definition of the type.
    const NOUN: &'static str;

    /// What the message about a name that is taken begins with.
    const TAKEN: &'static str = Self::NOUN;

    /// Whether an empty password is refused.
    const PASSWORD_REQUIRED: bool = false;

    /// Checks what the type demands by itself, before anything else is looked at.
    fn check_values(_: &SecurityDefinition) -> Result<(), Error> {
        Ok(())
    }

    /// Checks what the type demands beyond what can guard channels, after the name.
    fn check(_: &SecurityDefinition) -> Result<(), Error> {
        Ok(())
    }

    /// Keeps a new password.
    fn set_password(definition: &mut SecurityDefinition, password: Secret) -> Result<(), Error> {
        definition.password = Some(password);
        Ok(())
    }
}

impl<D: Definitions> Family for D {
    type Object = SecurityDefinition;

    const NOUN: &'static str = D::NOUN;

    const TAKEN: &'static str = D::TAKEN;

    fn includes(object: &SecurityDefinition) -> bool {
        object.kind.security_type() == D::TYPE
    }

    fn filter() -> SecurityFilter {
        SecurityFilter { types: Some(vec![D::TYPE]), ..SecurityFilter::default() }
    }

    fn check_values(object: &SecurityDefinition) -> Result<(), Error> {
        D::check_values(object)
    }

    async fn check(_: &ConfigurationChange<'_>, object: &SecurityDefinition) -> Result<(), Error> {
        D::check(object)?;
        apply::check_guard(object)
    }

    async fn dependants(
        tx: &Transaction,
        object: &SecurityDefinition,
        found: &mut Dependants,
    ) -> Result<(), OdbError> {
        let filter = HttpSoapFilter { security_id: Some(object.id), ..HttpSoapFilter::default() };
        found.add::<HttpSoapObjects>(tx.list(object.cluster_id, &filter).await?);
        found.add::<ClientRoles>(roles_of(tx, object).await?);
        Ok(())
    }

    async fn left_behind(
        tx: &Transaction,
        old: &SecurityDefinition,
        new: &SecurityDefinition,
        found: &mut Dependants,
    ) -> Result<(), OdbError> {
        if old.name != new.name {
            found.add::<ClientRoles>(roles_of(tx, old).await?);
        }
        Ok(())
    }
}

/// The roles that a definition was given, under its present name.
async fn roles_of(tx: &Transaction, object: &SecurityDefinition) -> Result<Vec<RbacClientRole>, OdbError> {
    let client_def = client_def(object);
    let mut roles = tx.list::<RbacClientRole>(object.cluster_id, &RbacClientRoleFilter::default()).await?;
    roles.retain(|role| role.client_def == client_def);
    Ok(roles)
}

/// What stands for a definition where roles are given.
fn client_def(definition: &SecurityDefinition) -> String {
    format!("sec_def:::{}:::{}", definition.kind.security_type(), definition.name)
}

impl<D: Definitions> HasPassword for D {
    const PASSWORD_REQUIRED: bool = D::PASSWORD_REQUIRED;

    fn set_password(object: &mut SecurityDefinition, password: Secret) -> Result<(), Error> {
        D::set_password(object, password)
    }
}

/// Definitions of the server itself whose names don't tell.
const INTERNAL: [&str; 2] = ["admin.invoke", "pubapi"];

/// The order of types is the one they are declared in; within a type it is that of names.
impl Answer for get_list::Request {
    type Reply = Items<get_list::Item>;

    async fn answer(self, _: &mut Context, admin: &Admin) -> Result<Self::Reply, Error> {
        let wanted = self.sec_type.filter(|types| !types.is_empty());
        // A type that is not known has no definitions.
        let is_wanted = |kind: &SecurityType| {
            wanted.as_ref().is_none_or(|types| types.iter().any(|name| *name == kind.as_str()))
        };
        let types = SecurityType::ALL.iter().copied().filter(is_wanted);
        let filters =
            types.map(|kind| SecurityFilter { types: Some(vec![kind]), ..SecurityFilter::default() });
        let selected = Selected { cluster_id: self.cluster_id, filters: filters.collect(), words: None };
        let are_internal_shown = self.needs_internal != Some(false);
        let show = move |_, definitions: Vec<SecurityDefinition>| async move {
            let shown = definitions
                .into_iter()
                .filter(|definition| are_internal_shown || !is_internal(&definition.name));
            Ok(shown.map(item).collect())
        };
        in_batches(admin, selected, show).await
    }
}

/// Whether a definition is one of the server itself.
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
        SecurityKind::OAuth { proto_version, sig_method, max_nonce_log } => {
            item.proto_version = Some(proto_version);
            item.sig_method = Some(sig_method);
            item.max_nonce_log = Some(max_nonce_log.into());
        }
        SecurityKind::Jwt { algorithm, .. } => item.sig_method = Some(algorithm),
        _ => {}
    }
    item
}
