//! How configuration is changed: one transaction with its events, then the wait until this server has applied them.
//!
//! Owns everything that the create, edit, delete and change-password services of all families have in common. What a
//! family has of its own stands in its [`Family`]. This module must not know any family.

use futures_util::future::BoxFuture;
use tokio::sync::MutexGuard;
use zato_odb::model::{Cluster, Service};
use zato_odb::{Action, Change, EventId, Object, OdbError, Read, Secret, Transaction};
use zato_service::{Context, Error, Registry};

use crate::Admin;
use crate::error::{OrError, no_row};

/// One family of stored objects, such as HTTP Basic Auth definitions: what it states of itself.
pub(crate) trait Family: Send + 'static {
    /// The stored type. Several families may share one.
    type Object: Object;

    /// What messages call one object of the family.
    const NOUN: &'static str;

    /// Whether its objects have names.
    const NAMED: bool = true;

    /// What the message about a name that is taken begins with: `... [name] already exists on this cluster`.
    const TAKEN: &'static str = Self::NOUN;

    /// Whether a stored object is one of this family.
    fn includes(_: &Self::Object) -> bool {
        true
    }

    /// Which stored objects are those of this family.
    fn filter() -> <Self::Object as Object>::Filter {
        Default::default()
    }

    /// Checks the values of `object` by themselves. It comes before anything else is looked at.
    fn check_values(_: &Self::Object) -> Result<(), Error> {
        Ok(())
    }

    /// Checks whether `object` may be deleted by itself.
    fn check_removal(_: &Self::Object) -> Result<(), Error> {
        Ok(())
    }

    /// Checks everything but name and values that decides whether `object` can be stored and put in effect: what it
    /// refers to and what else has to be unique.
    fn check(
        _: &ConfigurationChange<'_>,
        _: &Self::Object,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        std::future::ready(Ok(()))
    }

    /// What whoever created or edited `object` is told although that succeeded.
    fn warning(_: &Self::Object) -> Option<String> {
        None
    }

    /// Adds to `found` the objects of other families that refer to `old` by what it was and `new` is not any more. They are deleted with
    /// the edit: they would be those of whatever comes to be what `old` was.
    fn left_behind(
        _: &Transaction,
        _old: &Self::Object,
        _new: &Self::Object,
        _found: &mut Dependants,
    ) -> impl Future<Output = Result<(), OdbError>> + Send {
        std::future::ready(Ok(()))
    }

    /// Adds to `found` the objects of other families, or its own, that can't be as they are without `object`.
    fn dependants(
        _: &Transaction,
        _: &Self::Object,
        _found: &mut Dependants,
    ) -> impl Future<Output = Result<(), OdbError>> + Send {
        std::future::ready(Ok(()))
    }
}

/// Stored objects that can't be as they are without another one. They are changed or deleted before it, each with an event of its own.
#[derive(Default)]
pub(crate) struct Dependants(Vec<Box<dyn Dependant>>);

impl Dependants {
    /// Adds objects of the family `F`, which are deleted.
    pub(crate) fn add<F: Family>(&mut self, objects: Vec<F::Object>) {
        self.0.extend(objects.into_iter().map(|object| Box::new(Stored::<F>(object)) as Box<dyn Dependant>));
    }

    /// Adds objects of the family `F` that merely refer to what is deleted, as they are without that.
    pub(crate) fn keep<F: Family>(&mut self, objects: Vec<F::Object>) {
        self.0.extend(objects.into_iter().map(|object| Box::new(Kept::<F>(object)) as Box<dyn Dependant>));
    }
}

/// An object whose family is known to itself only.
trait Dependant: Send {
    fn give_way<'a>(
        self: Box<Self>,
        change: &'a mut ConfigurationChange<'_>,
    ) -> BoxFuture<'a, Result<(), Error>>;
}

struct Stored<F: Family>(F::Object);

impl<F: Family> Dependant for Stored<F> {
    fn give_way<'a>(
        self: Box<Self>,
        change: &'a mut ConfigurationChange<'_>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { change.delete_stored::<F>(&self.0).await })
    }
}

struct Kept<F: Family>(F::Object);

impl<F: Family> Dependant for Kept<F> {
    fn give_way<'a>(
        self: Box<Self>,
        change: &'a mut ConfigurationChange<'_>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            change.tx.update(&self.0).await.or_error()?;
            change.record::<F>(Action::Edited, &self.0).await
        })
    }
}

/// A family whose objects have a password.
pub(crate) trait HasPassword: Family {
    /// Whether an empty password is refused.
    const PASSWORD_REQUIRED: bool;

    /// Gives the object its new password.
    fn set_password(object: &mut Self::Object, password: Secret) -> Result<(), Error>;
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

    /// Where what belongs to a change is written that is no object of a family.
    pub(crate) fn tx_mut(&mut self) -> &mut Transaction {
        &mut self.tx
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
        self.check::<F>(new, Some(old.id())).await?;
        if new.cluster_id() != old.cluster_id() && !self.dependants::<F>(old).await?.0.is_empty() {
            return Err(Error::conflict(format!(
                "{} [{}] can't move to another cluster: other objects of its own one use it",
                F::NOUN,
                old.name()
            )));
        }
        let mut left_behind = Dependants::default();
        F::left_behind(&self.tx, old, new, &mut left_behind).await.or_error()?;
        for object in left_behind.0 {
            object.give_way(self).await?;
        }
        unless_duplicate::<F, _>(self.tx.update(new).await, new)?;
        if new.cluster_id() == old.cluster_id() {
            return self.record::<F>(Action::Edited, new).await;
        }
        // The servers of one cluster don't read the events of another one: each learns its own half.
        self.record::<F>(Action::Deleted, old).await?;
        self.record::<F>(Action::Created, new).await
    }

    /// Deletes an object, and what depends on it first.
    pub(crate) async fn delete<F: Family>(&mut self, id: i64) -> Result<(), Error> {
        let object = self.find::<F>(id).await?;
        F::check_removal(&object)?;
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
        F::set_password(&mut object, password)?;
        self.check::<F>(&object, Some(id)).await?;
        self.tx.update(&object).await.or_error()?;
        self.record::<F>(Action::PasswordChanged, &object).await
    }

    /// The stored object with an id, if it is one of the family.
    pub(crate) async fn find<F: Family>(&self, id: i64) -> Result<F::Object, Error> {
        let found = self.tx.find::<F::Object>(id).await.or_error()?;
        found.filter(F::includes).ok_or_else(|| no_row(F::NOUN, "id", id))
    }

    /// The object of the family that another object of a cluster refers to by id.
    pub(crate) async fn referred<F: Family>(&self, cluster_id: i64, id: i64) -> Result<F::Object, Error> {
        let found = self.find::<F>(id).await?;
        if found.cluster_id() == cluster_id { Ok(found) } else { Err(no_row(F::NOUN, "id", id)) }
    }

    /// The service that an object of a cluster refers to by name.
    pub(crate) async fn service(&self, cluster_id: i64, name: &str) -> Result<Service, Error> {
        let found = self.tx.find_by_name::<Service>(cluster_id, name).await.or_error()?;
        found.ok_or_else(|| Error::not_found(format!("Service [{name}] does not exist on this cluster")))
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
        if F::NAMED && object.name().trim().is_empty() {
            return Err(Error::bad_request("name must not be empty"));
        }
        let cluster = self.tx.find::<Cluster>(object.cluster_id()).await.or_error()?;
        if cluster.is_none() {
            return Err(no_row("cluster", "id", object.cluster_id()));
        }
        let namesake = self.tx.find_namesake(object).await.or_error()?;
        if namesake.is_some_and(|other| Some(other.id()) != own_id) {
            let message = format!("{} [{}] already exists on this cluster", F::TAKEN, object.name());
            return Err(Error::conflict(message));
        }
        Ok(())
    }

    async fn check<F: Family>(&self, object: &F::Object, own_id: Option<i64>) -> Result<(), Error> {
        F::check_values(object)?;
        self.check_name::<F>(object, own_id).await?;
        F::check(self, object).await
    }

    async fn dependants<F: Family>(&self, object: &F::Object) -> Result<Dependants, Error> {
        let mut found = Dependants::default();
        F::dependants(&self.tx, object, &mut found).await.or_error()?;
        Ok(found)
    }

    async fn delete_stored<F: Family>(&mut self, object: &F::Object) -> Result<(), Error> {
        for dependant in self.dependants::<F>(object).await?.0 {
            dependant.give_way(self).await?;
        }
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
        Err(OdbError::Duplicate { what, .. }) => {
            let name = if F::NAMED { format!(" [{}]", object.name()) } else { String::new() };
            Err(Error::conflict(format!(
                "{}{name}: another one on this cluster has the same {what} already",
                F::NOUN
            )))
        }
        other => other.or_error(),
    }
}

/// Who asked for a change: the name of the security definition that the caller proved to know.
fn caller(cx: &Context) -> &str {
    cx.origin().caller.as_deref().unwrap_or("anonymous")
}
