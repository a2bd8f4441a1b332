//! How a family of stored objects answers its services.
//!
//! Owns the shape that create, edit, change-password, delete, get-by-id and get-list have in all families: the macro that
//! writes them from the names of the fields, and the finders that it uses. It must not know any family.

use std::collections::{BTreeSet, HashMap};

use zato_odb::{NamedPerCluster, Object, Read};
use zato_service::{Context, Error};

use crate::Admin;
use crate::change::Family;
use crate::error::{OrError, no_row};

/// The stored object of the family with an id.
pub(crate) async fn find<F: Family>(admin: &Admin, id: i64) -> Result<F::Object, Error> {
    let found = admin.odb().find::<F::Object>(id).await.or_error()?;
    found.filter(F::includes).ok_or_else(|| no_row(F::NOUN, "id", id))
}

/// The stored object of the family with a name.
pub(crate) async fn find_by_name<F: Family>(
    admin: &Admin,
    cluster_id: i64,
    name: &str,
) -> Result<F::Object, Error>
where
    F::Object: NamedPerCluster,
{
    let found = admin.odb().find_by_name::<F::Object>(cluster_id, name).await.or_error()?;
    found.filter(F::includes).ok_or_else(|| no_row(F::NOUN, "name", name))
}

/// The names of the objects with these ids.
pub(crate) async fn names<T: Object>(
    admin: &Admin,
    ids: BTreeSet<i64>,
) -> Result<HashMap<i64, String>, Error> {
    admin.odb().names::<T>(ids).await.or_error()
}

/// Tells the caller who stored an object, and the log, what is to be said about it.
pub(crate) fn warn<F: Family>(cx: &mut Context, object: &F::Object) {
    if let Some(warning) = F::warning(object) {
        tracing::warn!(cid = %cx.cid(), object = F::NOUN, id = object.id(), name = object.name(), warning);
        cx.response().remark(warning);
    }
}

/// Writes the services of a family from the names of its fields.
///
/// ```text
/// services! {
///     Things in thing: create, edit, change_password, delete, get_by_id, get_by_name, get_list;
///     {
///         object Thing { is_active, size }
///         sent { service, secret }
///         ignored { colour }
///         made { digest: digest_of(&secret)? }
///         found(change, thing) { service_id: change.service(thing.cluster_id, &service).await?.id }
///         initially { password: None }
///         reply(admin, thing) { size: Some(thing.size.into()) }
///         shown(thing) { label: format!("{} cm", thing.size) }
///         names(thing) { service_name: Service = thing.service_id }
///     }
/// }
/// ```
///
/// `thing` is the module of the catalogue, `Things` the [`Family`]. A service that is not in the first line is written by
/// hand. All sections but `object` may be left out; those that are there come in this order:
///
/// - `object`: the stored type, and the fields that have an element of the same name. A [`Field`](crate::field::Field)
///   says how the one becomes the other. `id`, `cluster_id` and `name` go without saying.
/// - `kind`: for a type whose `kind` is an enumeration, the variant that belongs to the family and its fields.
/// - `sent`: elements of requests that have no field of their own. The expressions of the next two sections use them.
/// - `ignored`: elements of requests that mean nothing.
/// - `made`: fields that are worked out from the request alone.
/// - `found`: fields that need the database. They come after the checks of values and name, so that callers learn of
///   those first. The object is complete except for them.
/// - `initially`: the fields that no request says, as they are when an object is created. An edit keeps them.
/// - `reply`: what create and edit reply besides `id` and `name`.
/// - `shown`: elements of items that have no field of the same name. They may ask the [`Admin`], as `shown(thing, admin)`.
/// - `names`: elements of items that are the name of another object, whose type and id are given. An id may be optional.
///
/// An element of a request that no section mentions, a field of the object or an element of an item that nothing is said
/// about, and types that don't fit are compile errors.
macro_rules! services {
    ($family:ident in $module:ident: $($service:ident),+; $body:tt) => {
        $($crate::family::services!(@$service $family $module $body);)+
    };

    (@create $family:ident $module:ident {
        object $object:ident { $($field:ident),* $(,)? }
        $(kind $kind:ident::$variant:ident { $($part:ident),* $(,)? })?
        $(sent { $($sent:ident),* $(,)? })?
        $(ignored { $($ignored:ident),* $(,)? })?
        $(made { $($made:ident: $value:expr),* $(,)? })?
        $(found($change:ident, $draft:ident) { $($found:ident: $finder:expr),* $(,)? })?
        $(initially { $($initial:ident: $initially:expr),* $(,)? })?
        $(reply($admin:ident, $stored:ident) { $($reply:ident: $replied:expr),* $(,)? })?
        $(shown $_shown:tt $_shown_items:tt)?
        $(names $_names:tt $_names_items:tt)?
    }) => {
        impl $crate::Handle for $module::create::Request {
            async fn handle(
                self,
                cx: &mut zato_service::Context,
                admin: &$crate::Admin,
            ) -> Result<$module::create::Response, zato_service::Error> {
                let Self { cluster_id, name, $($field,)* $($($part,)*)? $($($sent,)*)? $($($ignored: _,)*)? } = self;
                let object = $object {
                    id: 0,
                    cluster_id,
                    name,
                    $($($made: $value,)*)?
                    $($field: $crate::field::Field::stored(stringify!($field), $field)?,)*
                    $(kind: $kind::$variant {
                        $($part: $crate::field::Field::stored(stringify!($part), $part)?,)*
                    },)?
                    $($($found: Default::default(),)*)?
                    $($($initial: $initially,)*)?
                };
                let mut change = $crate::change::ConfigurationChange::begin(admin, cx).await?;
                $(
                    let object = {
                        let (mut $draft, $change) = (object, &change);
                        <$family as $crate::change::Family>::check_values(&$draft)?;
                        $change.check_name::<$family>(&$draft, None).await?;
                        $($draft.$found = $finder;)*
                        $draft
                    };
                )?
                let object = change.create::<$family>(object).await?;
                change.commit().await?;
                $crate::family::warn::<$family>(cx, &object);
                $(let ($admin, $stored) = (admin, &object);)?
                Ok($module::create::Response {
                    $($($reply: $replied,)*)?
                    id: object.id,
                    name: object.name,
                })
            }
        }
    };

    (@edit $family:ident $module:ident {
        object $object:ident { $($field:ident),* $(,)? }
        $(kind $kind:ident::$variant:ident { $($part:ident),* $(,)? })?
        $(sent { $($sent:ident),* $(,)? })?
        $(ignored { $($ignored:ident),* $(,)? })?
        $(made { $($made:ident: $value:expr),* $(,)? })?
        $(found($change:ident, $draft:ident) { $($found:ident: $finder:expr),* $(,)? })?
        $(initially $_initially:tt)?
        $(reply($admin:ident, $stored:ident) { $($reply:ident: $replied:expr),* $(,)? })?
        $(shown $_shown:tt $_shown_items:tt)?
        $(names $_names:tt $_names_items:tt)?
    }) => {
        impl $crate::Handle for $module::edit::Request {
            async fn handle(
                self,
                cx: &mut zato_service::Context,
                admin: &$crate::Admin,
            ) -> Result<$module::edit::Response, zato_service::Error> {
                let Self { id, cluster_id, name, $($field,)* $($($part,)*)? $($($sent,)*)? $($($ignored: _,)*)? } = self;
                let mut change = $crate::change::ConfigurationChange::begin(admin, cx).await?;
                let stored = change.find::<$family>(id).await?;
                let object = $object {
                    cluster_id,
                    name,
                    $($($made: $value,)*)?
                    $($field: $crate::field::Field::stored(stringify!($field), $field)?,)*
                    $(kind: $kind::$variant {
                        $($part: $crate::field::Field::stored(stringify!($part), $part)?,)*
                    },)?
                    ..stored.clone()
                };
                $(
                    let object = {
                        let (mut $draft, $change) = (object, &change);
                        <$family as $crate::change::Family>::check_values(&$draft)?;
                        $change.check_name::<$family>(&$draft, Some(id)).await?;
                        $($draft.$found = $finder;)*
                        $draft
                    };
                )?
                change.replace::<$family>(&stored, &object).await?;
                change.commit().await?;
                $crate::family::warn::<$family>(cx, &object);
                $(let ($admin, $stored) = (admin, &object);)?
                Ok($module::edit::Response { $($($reply: $replied,)*)? id, name: object.name })
            }
        }
    };

    (@change_password $family:ident $module:ident $body:tt) => {
        impl $crate::Handle for $module::change_password::Request {
            async fn handle(
                self,
                cx: &mut zato_service::Context,
                admin: &$crate::Admin,
            ) -> Result<(), zato_service::Error> {
                let mut change = $crate::change::ConfigurationChange::begin(admin, cx).await?;
                change.change_password::<$family>(self.id, self.password1, &self.password2).await?;
                change.commit().await
            }
        }
    };

    (@delete $family:ident $module:ident $body:tt) => {
        impl $crate::Handle for $module::delete::Request {
            async fn handle(
                self,
                cx: &mut zato_service::Context,
                admin: &$crate::Admin,
            ) -> Result<(), zato_service::Error> {
                let mut change = $crate::change::ConfigurationChange::begin(admin, cx).await?;
                change.delete::<$family>(self.id).await?;
                change.commit().await
            }
        }
    };

    (@get_by_id $family:ident $module:ident $body:tt) => {
        impl $crate::Handle for $module::get_by_id::Request {
            async fn handle(
                self,
                _: &mut zato_service::Context,
                admin: &$crate::Admin,
            ) -> Result<$module::get_by_id::Response, zato_service::Error> {
                let objects = vec![$crate::family::find::<$family>(admin, self.id).await?];
                let mut items = $crate::family::services!(@items get_by_id::Response, admin, objects, $module $body);
                items.pop().ok_or_else(|| zato_service::Error::internal("one object made no item"))
            }
        }
    };

    (@get_by_name $family:ident $module:ident $body:tt) => {
        impl $crate::Handle for $module::get_by_name::Request {
            async fn handle(
                self,
                _: &mut zato_service::Context,
                admin: &$crate::Admin,
            ) -> Result<$module::get_by_name::Response, zato_service::Error> {
                let objects = vec![$crate::family::find_by_name::<$family>(admin, self.cluster_id, &self.name).await?];
                let mut items = $crate::family::services!(@items get_by_name::Response, admin, objects, $module $body);
                items.pop().ok_or_else(|| zato_service::Error::internal("one object made no item"))
            }
        }
    };

    (@get_list $family:ident $module:ident $body:tt) => {
        impl $crate::list::Listed for $family {
            type Item = $module::get_list::Item;

            async fn items(
                admin: &$crate::Admin,
                objects: Vec<Self::Object>,
            ) -> Result<Vec<Self::Item>, zato_service::Error> {
                Ok($crate::family::services!(@items get_list::Item, admin, objects, $module $body))
            }
        }

        impl $crate::handle::Answer for $module::get_list::Request {
            type Reply = $crate::list::List<$module::get_list::Item>;

            async fn answer(
                self,
                _: &mut zato_service::Context,
                admin: &$crate::Admin,
            ) -> Result<Self::Reply, zato_service::Error> {
                let part = $crate::list::part!(self)?;
                let filter = <$family as $crate::change::Family>::filter();
                $crate::list::list::<$family>(admin, self.cluster_id, filter, part).await
            }
        }
    };

    (@items $service:ident::$item:ident, $admin:ident, $objects:ident, $module:ident {
        object $object:ident { $($field:ident),* $(,)? }
        $(kind $kind:ident::$variant:ident { $($part:ident),* $(,)? })?
        $(sent $_sent:tt)?
        $(ignored $_ignored:tt)?
        $(made $_made:tt)?
        $(found $_found:tt $_found_fields:tt)?
        $(initially $_initially:tt)?
        $(reply $_reply:tt $_reply_elements:tt)?
        $(shown($of:ident $(, $by:ident)?) { $($shown:ident: $value:expr),* $(,)? })?
        $(names($named:ident) { $($name:ident: $T:ty = $id:expr),* $(,)? })?
    }) => {{
        // Without `names` nobody is asked for any.
        let _ = $admin;
        $($(
            let ids = $objects.iter().filter_map(|$named| Option::<i64>::from($id)).collect();
            let $name = $crate::family::names::<$T>($admin, ids).await?;
        )*)?
        let mut items = Vec::with_capacity($objects.len());
        for object in $objects {
            $(
                let ($($shown,)*) = {
                    let $of = &object;
                    $(let $by = $admin;)?
                    ($($value,)*)
                };
            )?
            $($(
                let $name = {
                    let $named = &object;
                    Option::<i64>::from($id).and_then(|id| $name.get(&id).cloned())
                };
            )*)?
            $(
                let $kind::$variant { $($part,)* } = object.kind else {
                    return Err(zato_service::Error::internal("an object of another family was selected"));
                };
            )?
            items.push($module::$service::$item {
                id: object.id,
                name: object.name,
                $($field: $crate::field::Field::shown(object.$field),)*
                $($($part: $crate::field::Field::shown($part),)*)?
                $($($shown,)*)?
                $($($name: $crate::field::Field::shown($name),)*)?
            });
        }
        items
    }};
}
pub(crate) use services;
