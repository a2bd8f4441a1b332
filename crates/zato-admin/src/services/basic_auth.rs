//! `zato.security.basic-auth`: HTTP Basic Auth definitions.
//!
//! Owns what such a definition is made of. It must not know which channels and connections use one, nor how callers
//! are checked against it.

use zato_catalogue::security::basic_auth::{change_password, create, delete, edit, get_list};
use zato_odb::model::{
    HttpSoap, HttpSoapFilter, SecurityDefinition, SecurityFilter, SecurityKind, SecurityType,
};
use zato_odb::{OdbError, Read, Secret, Transaction};
use zato_service::{Context, Error};

use crate::change::{ConfigurationChange, Deletable, Family, HasPassword};
use crate::error::OrError;
use crate::{Admin, Handle, apply, password};

pub(crate) struct BasicAuth;

impl Family for BasicAuth {
    type Object = SecurityDefinition;

    const NOUN: &'static str = "HTTP Basic Auth definition";

    fn includes(object: &SecurityDefinition) -> bool {
        matches!(object.kind, SecurityKind::BasicAuth { .. })
    }

    /// Names are unique over the definitions of all types.
    async fn namesake(
        tx: &Transaction,
        object: &SecurityDefinition,
    ) -> Result<Option<SecurityDefinition>, OdbError> {
        tx.find_by_name(object.cluster_id, &object.name).await
    }

    async fn check(_: &ConfigurationChange<'_>, object: &SecurityDefinition) -> Result<(), Error> {
        let username = object.username.as_deref().unwrap_or_default();
        if username.contains(':') {
            return Err(Error::bad_request(format!(
                "username [{username}] must not contain a colon: in HTTP Basic Auth the password begins after it"
            )));
        }
        apply::channel_security(object).map(drop)
    }
}

impl Deletable for BasicAuth {
    async fn dependants(tx: &Transaction, object: &SecurityDefinition) -> Result<Vec<HttpSoap>, OdbError> {
        let filter = HttpSoapFilter { security_id: Some(object.id), ..HttpSoapFilter::default() };
        tx.list(object.cluster_id, &filter).await
    }
}

impl HasPassword for BasicAuth {
    const PASSWORD_REQUIRED: bool = false;

    fn set_password(object: &mut SecurityDefinition, password: Secret) {
        object.password = Some(password);
    }
}

impl Handle for create::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<create::Response, Error> {
        let kind = SecurityKind::BasicAuth { realm: self.realm };
        let mut definition = SecurityDefinition::new(self.cluster_id, self.name, self.username, kind);
        definition.is_active = self.is_active;
        // Nobody is told this one: the definition lets no one in until change-password was called.
        definition.password = Some(password::random()?);
        let mut change = ConfigurationChange::begin(admin, cx).await?;
        let SecurityDefinition { id, name, .. } = change.create::<BasicAuth>(definition).await?;
        change.commit().await?;
        Ok(create::Response { id, name })
    }
}

impl Handle for edit::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<edit::Response, Error> {
        let mut change = ConfigurationChange::begin(admin, cx).await?;
        let stored = change.find::<BasicAuth>(self.id).await?;
        let moves = self.cluster_id != stored.cluster_id;
        if moves && !BasicAuth::dependants(change.tx(), &stored).await.or_error()?.is_empty() {
            return Err(Error::conflict(format!(
                "{} [{}] can't move to another cluster: channels or outgoing connections of its own one use it",
                BasicAuth::NOUN,
                stored.name
            )));
        }
        let edited = SecurityDefinition {
            cluster_id: self.cluster_id,
            name: self.name,
            is_active: self.is_active,
            username: Some(self.username),
            kind: SecurityKind::BasicAuth { realm: self.realm },
            ..stored.clone()
        };
        change.replace::<BasicAuth>(&stored, &edited).await?;
        change.commit().await?;
        Ok(edit::Response { id: edited.id, name: edited.name })
    }
}

impl Handle for change_password::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<(), Error> {
        let mut change = ConfigurationChange::begin(admin, cx).await?;
        change.change_password::<BasicAuth>(self.id, self.password1, &self.password2).await?;
        change.commit().await
    }
}

impl Handle for delete::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<(), Error> {
        let mut change = ConfigurationChange::begin(admin, cx).await?;
        change.delete::<BasicAuth>(self.id).await?;
        change.commit().await
    }
}

impl Handle for get_list::Request {
    async fn handle(self, _: &mut Context, admin: &Admin) -> Result<Vec<get_list::Item>, Error> {
        let filter = SecurityFilter { types: Some(vec![SecurityType::BasicAuth]) };
        let definitions =
            admin.odb().list::<SecurityDefinition>(self.cluster_id, &filter).await.or_error()?;
        let item = |definition: SecurityDefinition| match definition.kind {
            SecurityKind::BasicAuth { realm } => Some(get_list::Item {
                id: definition.id,
                name: definition.name,
                is_active: definition.is_active,
                username: definition.username.unwrap_or_default(),
                realm,
            }),
            _ => None,
        };
        Ok(definitions.into_iter().filter_map(item).collect())
    }
}
