//! `zato.security.rbac.client-role`: who has which role.
//!
//! Owns the name that such an assignment is shown with, and which clients there are. It must not know how callers prove who they are.

use zato_catalogue::security::rbac::client_role;
use zato_odb::Read;
use zato_odb::model::{RbacClientRole, RbacClientRoleFilter, RbacRole, SecurityDefinition, SecurityFilter};
use zato_service::{Context, Error};

use super::role::Roles;
use crate::change::{ConfigurationChange, Family};
use crate::error::OrError;
use crate::family::{names, services};
use crate::handle::Answer;
use crate::list::{List, Listed, list, part};
use crate::services::security::{client_def, is_internal};
use crate::value::not_empty;
use crate::{Admin, Handle};

pub(crate) struct ClientRoles;

impl Family for ClientRoles {
    type Object = RbacClientRole;

    const NOUN: &'static str = "RBAC client role";

    const TAKEN: &'static str = "An RBAC client role";

    fn check_values(object: &RbacClientRole) -> Result<(), Error> {
        not_empty("client_def", &object.client_def)
    }
}

services! {
    ClientRoles in client_role: delete;
    {}
}

impl Listed for ClientRoles {
    type Item = client_role::get_list::Item;

    async fn items(admin: &Admin, objects: Vec<RbacClientRole>) -> Result<Vec<Self::Item>, Error> {
        let ids = objects.iter().map(|object| object.role_id).collect();
        let roles = names::<RbacRole>(admin, ids).await?;
        let item = |object: RbacClientRole| {
            let role = roles.get(&object.role_id).cloned().unwrap_or_default();
            client_role::get_list::Item {
                id: object.id,
                name: name(&object.client_def, &role),
                client_name: Some(object.client_def.clone()),
                client_def: object.client_def,
                role_id: object.role_id,
                role_name: Some(role),
            }
        };
        Ok(objects.into_iter().map(item).collect())
    }
}

impl Answer for client_role::get_list::Request {
    type Reply = List<client_role::get_list::Item>;

    async fn answer(self, _: &mut Context, admin: &Admin) -> Result<Self::Reply, Error> {
        let part = part!(self)?;
        list::<ClientRoles>(admin, self.cluster_id, RbacClientRoleFilter::default(), part).await
    }
}

fn name(client_def: &str, role: &str) -> String {
    format!("{client_def}:::{role}")
}

impl Handle for client_role::create::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<client_role::create::Response, Error> {
        let mut change = ConfigurationChange::begin(admin, cx).await?;
        let role = change.referred::<Roles>(self.cluster_id, self.role_id).await?;
        let filter = RbacClientRoleFilter { role_id: Some(role.id) };
        let known = change.tx().list::<RbacClientRole>(self.cluster_id, &filter).await.or_error()?;
        if known.iter().any(|known| known.client_def == self.client_def) {
            let name = name(&self.client_def, &role.name);
            return Err(Error::conflict(format!(
                "{} [{name}] already exists on this cluster",
                ClientRoles::TAKEN
            )));
        }
        let object = RbacClientRole {
            id: 0,
            cluster_id: self.cluster_id,
            // The role's name may change, and what is stored has to tell assignments apart.
            name: name(&self.client_def, &role.id.to_string()),
            client_def: self.client_def,
            role_id: role.id,
        };
        let object = change.create::<ClientRoles>(object).await?;
        change.commit().await?;
        Ok(client_role::create::Response {
            id: object.id,
            name: name(&object.client_def, &role.name),
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
        let item = |definition: &SecurityDefinition| client_role::get_client_def_list::Item {
            client_def: client_def(definition),
            client_name: format!("{}:::{}", definition.kind.security_type(), definition.name),
        };
        Ok(clients.map(item).collect())
    }
}
