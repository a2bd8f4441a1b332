//! `zato.security.rbac.permission`: permissions.
//!
//! Owns that one is nothing but a name. It must not know which of them belong to methods of HTTP.

use zato_catalogue::security::rbac::permission;
use zato_odb::model::{RbacPermission, RbacRolePermissionFilter};
use zato_odb::{OdbError, Read, Transaction};

use super::role_permission::RolePermissions;
use crate::change::{Dependants, Family};
use crate::family::services;

pub(super) struct Permissions;

impl Family for Permissions {
    type Object = RbacPermission;

    const NOUN: &'static str = "RBAC permission";

    const TAKEN: &'static str = "An RBAC permission";

    async fn dependants(
        tx: &Transaction,
        permission: &RbacPermission,
        found: &mut Dependants,
    ) -> Result<(), OdbError> {
        let filter =
            RbacRolePermissionFilter { perm_id: Some(permission.id), ..RbacRolePermissionFilter::default() };
        found.add::<RolePermissions>(tx.list(permission.cluster_id, &filter).await?);
        Ok(())
    }
}

services! {
    Permissions in permission: create, edit, delete, get_list;
    {
        object RbacPermission {}
    }
}
