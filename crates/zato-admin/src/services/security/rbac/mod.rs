//! `zato.security.rbac`: roles, permissions, and who has which.
//!
//! Owns which kinds of objects there are; each is a family in a module of its own. None knows how calls are checked.

mod client_role;
mod permission;
mod role;
mod role_permission;

pub(super) use client_role::ClientRoles;
pub(crate) use role_permission::RolePermissions;
