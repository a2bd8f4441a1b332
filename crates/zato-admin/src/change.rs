//! How configuration is changed: one transaction with its events, then the wait until this server has applied them.
//!
//! Owns everything that the create, edit, delete and change-password services of all families have in common. What a
//! family has of its own stands in its [`Family`]. This module must not know any family.

use tokio::sync::MutexGuard;
use zato_odb::model::{Cluster, HttpSoap};
use zato_odb::{Action, Change, EventId, Object, OdbError, Read, Secret, Transaction};
use zato_service::{Context, Error, Registry};

use crate::Admin;
use crate::error::{OrError, no_row};
use crate::services::http_soap::HttpSoapObjects;

/// One family of stored objects, such as HTTP Basic Auth definitions: what it states of itself.
pub(crate) trait Family: Send + 'static {
    /// The stored type. Several families may share one.
    type Object: Object;

    /// What messages call one object of the family.
    const NOUN: &'static str;

    /// Whether a stored object is one of this family.
    fn includes(object: &Self::Object) -> bool;

    /// The object that has the name which `object` is to have; it may be `object` itself, stored already.
    fn namesake(
        tx: &Transaction,
        object: &Self::Object,
    ) -> impl Future<Output = Result<Option<Self::Object>, OdbError>> + Send;

    /// Says that the name is taken.
    fn taken(object: &Self::Object) -> String {
        format!("{} [{}] already exists on this cluster", Self::NOUN, object.name())
    }

    /// Checks everything else that decides whether `object` can be stored and put in effect: what it refers to, what
    /// else has to be unique, and whether its values make sense together.
    fn check(
        change: &ConfigurationChange<'_>,
        object: &Self::Object,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

/// A family whose objects can be deleted.
pub(crate) trait Deletable: Family {
    /// The channels and outgoing connections that can't be without `object` and are deleted with it.
    fn dependants(
        tx: &Transaction,
        object: &Self::Object,
    ) -> impl Future<Output = Result<Vec<HttpSoap>, OdbError>> + Send;
}

/// A family whose objects have a password.
pub(crate) trait HasPassword: Family {
    /// Whether an empty password is refused.
    const PASSWORD_REQUIRED: bool;

    /// Gives the object its new password.
    fn set_password(object: &mut Self::Object, password: Secret);
}

/// A change of the configuration under way. Dropping it undoes everything.
pub(crate) struct ConfigurationChange<'a> {
    admin: &'a Admin,
    cx: &'a Context,
    tx: Transaction,
    /// Given up when the transaction has ended.
    turn: MutexGuard<'a, ()>,
    /// The last event of this server's own cluster, which is the one it follows.
    last_own_event: Option<EventId>,
    done: Vec<Done>,
}

/// What is logged about a part of a change once it is committed.
struct Done {
    action: Action,
    noun: &'static str,
    id: i64,
    name: String,
}

impl<'a> ConfigurationChange<'a> {
    /// Begins a change on behalf of a call. Others wait until it ends.
    ///
    /// From then on, what this server has in effect is what the database holds: changes that were committed before are
    /// applied first, so that checks against the tables in memory see them.
    pub(crate) async fn begin(admin: &'a Admin, cx: &'a Context) -> Result<Self, Error> {
        let turn = admin.turn().await;
        let tx = admin.odb().begin().await.or_error()?;
        let last = admin.odb().last_event(admin.settings().cluster_id).await.or_error()?;
        if last > EventId::START {
            admin.follower().applied(last).await?;
        }
        Ok(Self { admin, cx, tx, turn, last_own_event: None, done: Vec::new() })
    }

    pub(crate) fn admin(&self) -> &Admin {
        self.admin
    }

    pub(crate) fn registry(&self) -> &Registry {
        self.cx.registry()
    }

    /// Where checks read: it sees this change's own work.
    pub(crate) fn tx(&self) -> &Transaction {
        &self.tx
    }

    /// Stores a new object and returns it with the id it was given.
    pub(crate) async fn create<F: Family>(&mut self, object: F::Object) -> Result<F::Object, Error> {
        self.check::<F>(&object, None).await?;
        let stored = self.tx.insert(&object).await;
        let stored = unless_duplicate::<F, _>(stored, &object)?;
        self.record::<F>(Action::Created, &stored).await?;
        Ok(stored)
    }

    /// Replaces a stored object by another one of the same id.
    pub(crate) async fn replace<F: Family>(&mut self, old: &F::Object, new: &F::Object) -> Result<(), Error> {
        let id = old.id();
        self.check::<F>(new, Some(id)).await?;
        unless_duplicate::<F, _>(self.tx.update(new).await, new)?;
        if new.cluster_id() == old.cluster_id() {
            return self.record::<F>(Action::Edited, new).await;
        }
        // The servers of one cluster don't read the events of another one: each learns its own half.
        self.record::<F>(Action::Deleted, old).await?;
        self.record::<F>(Action::Created, new).await
    }

    /// Deletes an object, and what depends on it first.
    pub(crate) async fn delete<F: Deletable>(&mut self, id: i64) -> Result<(), Error> {
        let object = self.find::<F>(id).await?;
        for dependant in F::dependants(&self.tx, &object).await.or_error()? {
            self.delete_stored::<HttpSoapObjects>(&dependant).await?;
        }
        self.delete_stored::<F>(&object).await
    }

    /// Gives an object a new password, which the caller has to repeat.
    pub(crate) async fn change_password<F: HasPassword>(
        &mut self,
        id: i64,
        password: String,
        repeated: &str,
    ) -> Result<(), Error> {
        let password = Secret::new(password);
        if F::PASSWORD_REQUIRED && password.expose().is_empty() {
            return Err(Error::bad_request("Password must not be empty"));
        }
        if F::PASSWORD_REQUIRED && repeated.is_empty() {
            return Err(Error::bad_request("Password must be repeated"));
        }
        if password.expose() != repeated {
            return Err(Error::bad_request("Passwords need to be the same"));
        }
        let mut object = self.find::<F>(id).await?;
        F::set_password(&mut object, password);
        self.check::<F>(&object, Some(id)).await?;
        self.tx.update(&object).await.or_error()?;
        self.record::<F>(Action::PasswordChanged, &object).await
    }

    /// The stored object with an id, if it is one of the family.
    pub(crate) async fn find<F: Family>(&self, id: i64) -> Result<F::Object, Error> {
        let found = self.tx.find::<F::Object>(id).await.or_error()?;
        found.filter(F::includes).ok_or_else(|| no_row(F::NOUN, "id", id))
    }

    /// Commits, and returns once this server has applied the change.
    pub(crate) async fn commit(self) -> Result<(), Error> {
        self.tx.commit().await.or_error()?;
        drop(self.turn);
        let caller = caller(self.cx);
        for Done { action, noun, id, name } in &self.done {
            tracing::info!(cid = %self.cx.cid(), caller, %action, object = noun, id, name, "configuration changed");
        }
        match self.last_own_event {
            Some(event) => self.admin.follower().applied(event).await,
            None => Ok(()),
        }
    }

    /// Checks that an object's cluster exists and that nothing else there has its name. Part of every create and edit;
    /// a family that has to look at more before its object is complete calls it first, so that callers learn of a
    /// taken name before anything else.
    pub(crate) async fn check_name<F: Family>(
        &self,
        object: &F::Object,
        own_id: Option<i64>,
    ) -> Result<(), Error> {
        if object.name().trim().is_empty() {
            return Err(Error::bad_request("name must not be empty"));
        }
        let cluster = self.tx.find::<Cluster>(object.cluster_id()).await.or_error()?;
        if cluster.is_none() {
            return Err(no_row("cluster", "id", object.cluster_id()));
        }
        let namesake = F::namesake(&self.tx, object).await.or_error()?;
        if namesake.is_some_and(|other| Some(other.id()) != own_id) {
            return Err(Error::conflict(F::taken(object)));
        }
        Ok(())
    }

    async fn check<F: Family>(&self, object: &F::Object, own_id: Option<i64>) -> Result<(), Error> {
        self.check_name::<F>(object, own_id).await?;
        F::check(self, object).await
    }

    async fn delete_stored<F: Family>(&mut self, object: &F::Object) -> Result<(), Error> {
        self.tx.delete::<F::Object>(object.id()).await.or_error()?;
        self.record::<F>(Action::Deleted, object).await
    }

    async fn record<F: Family>(&mut self, action: Action, object: &F::Object) -> Result<(), Error> {
        let cid = self.cx.cid();
        let change = Change {
            cluster_id: object.cluster_id(),
            object: F::Object::KIND,
            object_id: object.id(),
            action,
            name: object.name(),
            cid: cid.as_str(),
            actor: caller(self.cx),
        };
        let event = self.tx.record(change).await.or_error()?;
        if object.cluster_id() == self.admin.settings().cluster_id {
            self.last_own_event = Some(event);
        }
        self.done.push(Done { action, noun: F::NOUN, id: object.id(), name: object.name().to_owned() });
        Ok(())
    }
}

/// Names what must be unique besides the name, which was checked before.
#[track_caller]
fn unless_duplicate<F: Family, T>(stored: Result<T, OdbError>, object: &F::Object) -> Result<T, Error> {
    match stored {
        Err(OdbError::Duplicate { what, .. }) => Err(Error::conflict(format!(
            "{} [{}]: another one on this cluster has the same {what} already",
            F::NOUN,
            object.name()
        ))),
        other => other.or_error(),
    }
}

/// Who asked for a change: the name of the security definition that the caller proved to know.
fn caller(cx: &Context) -> &str {
    cx.origin().caller.as_deref().unwrap_or("anonymous")
}
