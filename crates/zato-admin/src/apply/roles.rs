//! The effect of roles and permissions: who may call which channels.
//!
//! Owns their way to the channels. They are few and depend on one another, so that each change loads all of them.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use zato_channel::{Channels, ClientRole, Permission, RbacConfig, Role, RolePermission};
use zato_odb::ObjectKind;
use zato_odb::model::{
    Everything, RbacClientRole, RbacClientRoleFilter, RbacPermission, RbacRole, RbacRoleFilter,
    RbacRolePermission, RbacRolePermissionFilter,
};
use zato_service::Error;

use super::{Cluster, Effect};

/// Says to channels who has which role.
pub(super) struct Roles {
    channels: Channels,
}

impl Roles {
    pub(super) fn new(channels: Channels) -> Self {
        Self { channels }
    }

    async fn load(&self, stored: &Cluster) -> Result<(), Error> {
        let roles = stored.list::<RbacRole>(&RbacRoleFilter::default()).await?;
        let permissions = stored.list::<RbacPermission>(&Everything).await?;
        let client_roles = stored.list::<RbacClientRole>(&RbacClientRoleFilter::default()).await?;
        let role_permissions =
            stored.list::<RbacRolePermission>(&RbacRolePermissionFilter::default()).await?;
        self.channels.replace_rbac(&RbacConfig {
            roles: roles.iter().map(|role| Role { id: role.id, parent_id: role.parent_id }).collect(),
            permissions: permissions
                .into_iter()
                .map(|permission| Permission { id: permission.id, name: permission.name })
                .collect(),
            client_roles: client_roles
                .into_iter()
                .map(|object| ClientRole { client: object.client_def, role_id: object.role_id })
                .collect(),
            role_permissions: role_permissions
                .iter()
                .map(|object| RolePermission {
                    role_id: object.role_id,
                    service_id: object.service_id,
                    permission_id: object.perm_id,
                })
                .collect(),
        });
        Ok(())
    }
}

impl Effect for Roles {
    fn kinds(&self) -> &'static [ObjectKind] {
        &[
            ObjectKind::RbacRole,
            ObjectKind::RbacPermission,
            ObjectKind::RbacClientRole,
            ObjectKind::RbacRolePermission,
        ]
    }

    fn load_all<'a>(&'a self, stored: &'a Cluster) -> BoxFuture<'a, Result<(), Error>> {
        self.load(stored).boxed()
    }

    fn apply<'a>(&'a self, stored: &'a Cluster, _: ObjectKind, _: i64) -> BoxFuture<'a, Result<(), Error>> {
        self.load(stored).boxed()
    }
}
