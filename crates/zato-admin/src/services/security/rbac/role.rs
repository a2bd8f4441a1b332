//! `zato.security.rbac.role`: roles.
//!
//! Owns that they make up a tree with one root. It must not know what a role may do.

use zato_catalogue::security::rbac::role;
use zato_odb::model::{RbacClientRoleFilter, RbacRole, RbacRoleFilter, RbacRolePermissionFilter};
use zato_odb::{OdbError, Read, Transaction};
use zato_service::Error;

use super::client_role::ClientRoles;
use super::role_permission::RolePermissions;
use crate::Admin;
use crate::bootstrap::ROOT_ROLE;
use crate::change::{ConfigurationChange, Dependants, Family};
use crate::error::OrError;
use crate::family::services;

pub(super) struct Roles;

fn root_stays() -> Error {
    Error::bad_request("Root role cannot be changed")
}

impl Family for Roles {
    type Object = RbacRole;

    const NOUN: &'static str = "RBAC role";

    const TAKEN: &'static str = "An RBAC role";

    fn check_values(role: &RbacRole) -> Result<(), Error> {
        if role.name.eq_ignore_ascii_case(ROOT_ROLE) {
            return Err(root_stays());
        }
        Ok(())
    }

    /// Without the root there could be no other role any more.
    fn check_removal(role: &RbacRole) -> Result<(), Error> {
        if role.parent_id.is_none() { Err(root_stays()) } else { Ok(()) }
    }

    /// A role that inherits from itself, even by way of others, would have no way to the root.
    async fn check(change: &ConfigurationChange<'_>, role: &RbacRole) -> Result<(), Error> {
        let is_new = role.id == 0;
        if !is_new && change.referred::<Self>(role.cluster_id, role.id).await?.parent_id.is_none() {
            return Err(root_stays());
        }
        let mut ancestor = role.parent_id;
        while let Some(id) = ancestor {
            if id == role.id {
                return Err(Error::bad_request("A role cannot be its own parent"));
            }
            ancestor = change.referred::<Self>(role.cluster_id, id).await?.parent_id;
        }
        Ok(())
    }

    async fn dependants(tx: &Transaction, role: &RbacRole, found: &mut Dependants) -> Result<(), OdbError> {
        let (cluster_id, id) = (role.cluster_id, Some(role.id));
        found.add::<Self>(tx.list(cluster_id, &RbacRoleFilter { parent_id: id }).await?);
        found.add::<ClientRoles>(tx.list(cluster_id, &RbacClientRoleFilter { role_id: id }).await?);
        let filter = RbacRolePermissionFilter { role_id: id, ..RbacRolePermissionFilter::default() };
        found.add::<RolePermissions>(tx.list(cluster_id, &filter).await?);
        Ok(())
    }
}

services! {
    Roles in role: create, edit, delete, get_list;
    {
        object RbacRole {}
        sent { parent_id }
        found(change, role) { parent_id: Some(parent(change, role.cluster_id, parent_id).await?) }
        reply(admin, role) { parent_id: role.parent_id, parent_name: parent_name(admin, role).await? }
        shown(role) { parent_id: role.parent_id }
        names(role) { parent_name: RbacRole = role.parent_id }
    }
}

/// The role that another one inherits from: the root, unless a request says which.
async fn parent(change: &ConfigurationChange<'_>, cluster_id: i64, id: Option<i64>) -> Result<i64, Error> {
    if let Some(id) = id {
        return Ok(change.referred::<Roles>(cluster_id, id).await?.id);
    }
    let root = change.tx().find_by_name::<RbacRole>(cluster_id, ROOT_ROLE).await.or_error()?;
    root.map(|root| root.id).ok_or_else(|| Error::bad_request("parent_id is required: there is no root role"))
}

async fn parent_name(admin: &Admin, role: &RbacRole) -> Result<Option<String>, Error> {
    let Some(id) = role.parent_id else { return Ok(None) };
    Ok(admin.odb().find::<RbacRole>(id).await.or_error()?.map(|parent| parent.name))
}
