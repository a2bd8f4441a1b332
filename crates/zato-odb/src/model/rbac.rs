//! Roles, permissions, and who has which.
//!
//! Owns what they are made of. It must not know how a call is checked against them.

use super::Everything;
use crate::declare::stored_object;
use crate::read::NamedPerCluster;

stored_object! {
    /// A role, which has the permissions of its ancestors as well.
    pub struct RbacRole in rbac_role {
        /// Unique in the cluster, at most 200 characters.
        name: String as Text<200>,
        /// The role it inherits from. Deleting that one deletes this one.
        parent_id: Option<i64>,
    }
    unique name (cluster_id, name) => Name;
    named name => Name;
    filter RbacRoleFilter { parent_id => ParentId, }
}

impl NamedPerCluster for RbacRole {}

stored_object! {
    /// A permission, such as to read.
    pub struct RbacPermission in rbac_perm {
        /// Unique in the cluster, at most 200 characters.
        name: String as Text<200>,
    }
    unique name (cluster_id, name) => Name;
    named name => Name;
    filter Everything;
}

impl NamedPerCluster for RbacPermission {}

stored_object! {
    /// That a client has a role. Client and role are unique together.
    pub struct RbacClientRole in rbac_client_role {
        /// Client and role in one text, at most 403 characters.
        name: String as Text<403>,
        /// Who has the role, such as `sec_def:::basic_auth:::CRM`; at most 200 characters.
        client_def: String as Text<200>,
        /// The role.
        role_id: i64,
    }
    unique client (cluster_id, client_def, role_id) => Combination;
    named name => Name;
    filter RbacClientRoleFilter { role_id => RoleId, }
}

stored_object! {
    /// That a role has a permission on a service. The three are unique together.
    pub struct RbacRolePermission in rbac_role_perm {
        /// The role.
        role_id: i64,
        /// The permission.
        perm_id: i64,
        /// The service.
        service_id: i64,
    }
    unique role (cluster_id, role_id, perm_id, service_id) => Combination;
    filter RbacRolePermissionFilter { role_id => RoleId, perm_id => PermId, service_id => ServiceId, }
}
