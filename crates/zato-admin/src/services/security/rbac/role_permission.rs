//! `zato.security.rbac.role-permission`: what roles may do to services.
//!
//! Owns the name that is made for such a permission, which is not stored. It must not know how calls are checked.

use zato_catalogue::security::rbac::role_permission::{self, create, edit, get_list};
use zato_odb::model::{RbacPermission, RbacRole, RbacRolePermission, RbacRolePermissionFilter, Service};
use zato_service::{Context, Error};

use super::permission::Permissions;
use super::role::Roles;
use crate::change::{ConfigurationChange, Family};
use crate::family::{names, services};
use crate::handle::Answer;
use crate::list::{List, Listed, list, part};
use crate::services::service::Services;
use crate::{Admin, Handle};

pub(crate) struct RolePermissions;

impl Family for RolePermissions {
    type Object = RbacRolePermission;

    const NOUN: &'static str = "RBAC role permission";

    const NAMED: bool = false;
}

services! {
    RolePermissions in role_permission: delete;
    {}
}

impl Handle for create::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<create::Response, Error> {
        let mut change = ConfigurationChange::begin(admin, cx).await?;
        let role = change.referred::<Roles>(self.cluster_id, self.role_id).await?;
        let service = change.referred::<Services>(self.cluster_id, self.service_id).await?;
        let permission = change.referred::<Permissions>(self.cluster_id, self.perm_id).await?;
        let object = RbacRolePermission {
            id: 0,
            cluster_id: self.cluster_id,
            role_id: role.id,
            perm_id: permission.id,
            service_id: service.id,
        };
        let object = change.create::<RolePermissions>(object).await?;
        change.commit().await?;
        Ok(create::Response {
            id: object.id,
            name: name(&role.name, &service.name, &permission.name),
            role_name: Some(role.name),
            service_name: Some(service.name),
            perm_name: Some(permission.name),
        })
    }
}

/// A permission of a role can only be given or taken away.
impl Handle for edit::Request {
    async fn handle(self, _: &mut Context, _: &Admin) -> Result<(), Error> {
        Ok(())
    }
}

impl Listed for RolePermissions {
    type Item = get_list::Item;

    async fn items(admin: &Admin, objects: Vec<RbacRolePermission>) -> Result<Vec<get_list::Item>, Error> {
        let ids = |id: fn(&RbacRolePermission) -> i64| objects.iter().map(id).collect();
        let roles = names::<RbacRole>(admin, ids(|object| object.role_id)).await?;
        let services = names::<Service>(admin, ids(|object| object.service_id)).await?;
        let permissions = names::<RbacPermission>(admin, ids(|object| object.perm_id)).await?;
        let item = |object: &RbacRolePermission| {
            let role = roles.get(&object.role_id).cloned().unwrap_or_default();
            let service = services.get(&object.service_id).cloned().unwrap_or_default();
            let permission = permissions.get(&object.perm_id).cloned().unwrap_or_default();
            get_list::Item {
                id: object.id,
                name: name(&role, &service, &permission),
                perm_id: object.perm_id,
                role_id: object.role_id,
                service_id: object.service_id,
                perm_name: Some(permission),
                role_name: Some(role),
                service_name: Some(service),
            }
        };
        Ok(objects.iter().map(item).collect())
    }
}

impl Answer for get_list::Request {
    type Reply = List<get_list::Item>;

    async fn answer(self, _: &mut Context, admin: &Admin) -> Result<Self::Reply, Error> {
        let part = part!(self)?;
        list::<RolePermissions>(admin, self.cluster_id, RbacRolePermissionFilter::default(), part).await
    }
}

fn name(role: &str, service: &str, permission: &str) -> String {
    format!("{role}:::{service}::{permission}")
}
