//! Which callers may call which services: role-based access control.
//!
//! Owns roles, what they may do, and who has them, in a form that is ready for calls. It must not know how callers prove
//! who they are, nor where roles are stored. What nothing allows is forbidden.

use std::collections::{HashMap, HashSet};

use http::Method;

/// All roles and permissions of a server. Ids are those of configuration; entries that refer to others that aren't there
/// allow nothing.
#[derive(Clone, Debug, Default)]
pub struct RbacConfig {
    /// The roles.
    pub roles: Vec<Role>,
    /// The permissions.
    pub permissions: Vec<Permission>,
    /// Which callers have which roles.
    pub client_roles: Vec<ClientRole>,
    /// Which roles have which permissions on which services.
    pub role_permissions: Vec<RolePermission>,
}

/// A role. It may do what its parent may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role {
    /// Tells the role from all others.
    pub id: i64,
    /// The role that it inherits from; the root of all roles has none.
    pub parent_id: Option<i64>,
}

/// A permission: `Create`, `Read`, `Update` or `Delete`. Those of other names belong to no HTTP method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Tells the permission from all others.
    pub id: i64,
    /// Its name.
    pub name: String,
}

/// A caller has a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRole {
    /// The caller as `sec_def:::<type>:::<name>`, with the type and the name of a security definition.
    pub client: String,
    /// The id of the role.
    pub role_id: i64,
}

/// A role has a permission on a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RolePermission {
    /// The id of the role.
    pub role_id: i64,
    /// The id of the service.
    pub service_id: i64,
    /// The id of the permission.
    pub permission_id: i64,
}

/// What a caller does to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Action {
    Create,
    Read,
    Update,
    Delete,
}

impl Action {
    fn of(method: &Method) -> Option<Self> {
        match *method {
            Method::GET | Method::HEAD => Some(Self::Read),
            Method::POST => Some(Self::Create),
            Method::PUT | Method::PATCH => Some(Self::Update),
            Method::DELETE => Some(Self::Delete),
            _ => None,
        }
    }

    fn named(name: &str) -> Option<Self> {
        match name {
            "Create" => Some(Self::Create),
            "Read" => Some(Self::Read),
            "Update" => Some(Self::Update),
            "Delete" => Some(Self::Delete),
            _ => None,
        }
    }
}

/// Roles, compiled: whether a caller may call is one look-up for each role that the caller has or inherits from.
#[derive(Debug, Default)]
pub(crate) struct Rbac {
    /// The roles of each caller, with all that they inherit from.
    roles: HashMap<Box<str>, Box<[i64]>>,
    allowed: HashSet<(i64, i64, Action)>,
}

impl Rbac {
    pub(crate) fn new(config: &RbacConfig) -> Self {
        let parents: HashMap<i64, Option<i64>> =
            config.roles.iter().map(|role| (role.id, role.parent_id)).collect();
        let mut of_clients: HashMap<&str, Vec<i64>> = HashMap::new();
        for ClientRole { client, role_id } in &config.client_roles {
            let roles = of_clients.entry(client).or_default();
            let mut role = Some(*role_id);
            // Roles that inherit from each other in a circle end it where they meet again.
            while let Some(id) = role.filter(|id| parents.contains_key(id) && !roles.contains(id)) {
                roles.push(id);
                role = parents.get(&id).copied().flatten();
            }
        }
        let actions: HashMap<i64, Action> = config
            .permissions
            .iter()
            .filter_map(|permission| Some((permission.id, Action::named(&permission.name)?)))
            .collect();
        let allowed = config.role_permissions.iter().filter_map(|allowed| {
            Some((allowed.role_id, allowed.service_id, *actions.get(&allowed.permission_id)?))
        });
        let roles = of_clients.into_iter().map(|(client, roles)| (client.into(), roles.into()));
        Self { allowed: allowed.collect(), roles: roles.collect() }
    }

    /// Whether a caller may call a service with this method.
    pub(crate) fn allows(&self, client: &str, service_id: i64, method: &Method) -> bool {
        let (Some(roles), Some(action)) = (self.roles.get(client), Action::of(method)) else { return false };
        roles.iter().any(|role| self.allowed.contains(&(*role, service_id, action)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: &str = "sec_def:::basic_auth:::Ann";

    fn config(client_roles: &[(&str, i64)]) -> RbacConfig {
        let role = |id, parent_id| Role { id, parent_id };
        let names = ["Create", "Read", "Update", "Delete", "read"];
        RbacConfig {
            // 5 and 6 inherit from each other.
            roles: vec![
                role(1, None),
                role(2, Some(1)),
                role(3, Some(2)),
                role(4, Some(1)),
                role(5, Some(6)),
                role(6, Some(5)),
            ],
            permissions: (1..)
                .zip(names)
                .map(|(id, name)| Permission { id, name: name.to_owned() })
                .collect(),
            client_roles: client_roles
                .iter()
                .map(|(client, role_id)| ClientRole { client: (*client).to_owned(), role_id: *role_id })
                .collect(),
            role_permissions: [
                (1, 10, 2),
                (2, 10, 1),
                (3, 11, 3),
                (4, 10, 4),
                (6, 12, 2),
                (4, 13, 5),
                (4, 13, 99),
                (99, 10, 2),
            ]
            .map(|(role_id, service_id, permission_id)| RolePermission { role_id, service_id, permission_id })
            .to_vec(),
        }
    }

    #[track_caller]
    fn check(roles: &[(&str, i64)], service_id: i64, allowed: &[&str]) {
        let rbac = Rbac::new(&config(roles));
        let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "REPORT"];
        let is_allowed = |method: &&str| rbac.allows(ANN, service_id, &method.parse().unwrap());
        assert_eq!(methods.into_iter().filter(is_allowed).collect::<Vec<_>>(), allowed);
    }

    #[test]
    fn what_nothing_allows_is_forbidden() {
        check(&[], 10, &[]);
        check(&[("sec_def:::basic_auth:::Bob", 1)], 10, &[]);
        check(&[("sec_def:::apikey:::Ann", 1)], 10, &[]);
        check(&[(ANN, 1)], 99, &[]);
        check(&[(ANN, 99)], 10, &[]);
        check(&[(ANN, 4)], 13, &[]);
    }

    #[test]
    fn roles_inherit_from_their_parents() {
        check(&[(ANN, 1)], 10, &["GET", "HEAD"]);
        check(&[(ANN, 2)], 10, &["GET", "HEAD", "POST"]);
        check(&[(ANN, 3)], 10, &["GET", "HEAD", "POST"]);
        check(&[(ANN, 3)], 11, &["PUT", "PATCH"]);
        check(&[(ANN, 2)], 11, &[]);
        check(&[(ANN, 3), (ANN, 4)], 10, &["GET", "HEAD", "POST", "DELETE"]);
        check(&[(ANN, 5)], 12, &["GET", "HEAD"]);
    }
}
