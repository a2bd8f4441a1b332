//! `zato.security.rbac.client-role`: who has which role.
//!
//! Owns the name that such an assignment has, and which clients there are. It must not know how callers prove who they are.

use zato_catalogue::security::rbac::client_role;
use zato_odb::Read;
use zato_odb::model::{RbacClientRole, RbacRole, SecurityDefinition, SecurityFilter};
use zato_service::{Context, Error};

use super::role::Roles;
use crate::change::{ConfigurationChange, Family};
use crate::error::OrError;
use crate::family::services;
use crate::services::security::is_internal;
use crate::value::not_empty;
use crate::{Admin, Handle};

pub(super) struct ClientRoles;

impl Family for ClientRoles {
    type Object = RbacClientRole;

    const NOUN: &'static str = "RBAC client role";

    const TAKEN: &'static str = "An RBAC client role";

    fn check_values(object: &RbacClientRole) -> Result<(), Error> {
        not_empty("client_def", &object.client_def)
    }
}

services! {
    ClientRoles in client_role: delete, get_list;
    {
        object RbacClientRole { client_def, role_id }
        shown(object) { client_name: Some(object.client_def.clone()) }
        names(object) { role_name: RbacRole = object.role_id }
    }
}

impl Handle for client_role::create::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<client_role::create::Response, Error> {
        let mut change = ConfigurationChange::begin(admin, cx).await?;
        let role = change.referred::<Roles>(self.cluster_id, self.role_id).await?;
        let object = RbacClientRole {
            id: 0,
            cluster_id: self.cluster_id,
            name: format!("{}:::{}", self.client_def, role.name),
            client_def: self.client_def,
            role_id: role.id,
        };
        let object = change.create::<ClientRoles>(object).await?;
        change.commit().await?;
        Ok(client_role::create::Response {
            id: object.id,
            name: object.name,
            client_name: Some(object.client_def),
            role_name: Some(role.name),
        })
    }
}

/// An assignment can only be made or deleted.
impl Handle for client_role::edit::Request {
    async fn handle(self, _: &mut Context, _: &Admin) -> Result<(), Error> {
        Ok(())
    }
}

impl Handle for client_role::get_client_def_list::Request {
    async fn handle(
        self,
        _: &mut Context,
        admin: &Admin,
    ) -> Result<Vec<client_role::get_client_def_list::Item>, Error> {
        let filter = SecurityFilter::default();
        let definitions =
            admin.odb().list::<SecurityDefinition>(self.cluster_id, &filter).await.or_error()?;
        let clients = definitions.iter().filter(|definition| !is_internal(&definition.name));
        let item = |definition: &SecurityDefinition| {
            let client_name = format!("{}:::{}", definition.kind.security_type(), definition.name);
            client_role::get_client_def_list::Item {
                client_def: format!("sec_def:::{client_name}"),
                client_name,
            }
        };
        Ok(clients.map(item).collect())
    }
}
