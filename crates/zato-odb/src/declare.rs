//! The declaration of an object that is stored in a table of its own.
//!
//! Owns the macro that makes everything from one declaration: the public type, its table, its mapping, its unique rules
//! and its filter. It must not know any object.

/// Declares an object of a cluster.
///
/// ```text
/// stored_object! {
///     /// An outgoing ZeroMQ connection.
///     pub struct OutgoingZmq in out_zmq {
///         /// Unique in the cluster, at most 200 characters.
///         name: String as Text<200>,
///         /// Whether it can be used.
///         is_active: bool,
///     }
///     unique name (cluster_id, name) => Name;
///     named name => Name;
///     filter Everything;
/// }
/// ```
///
/// - Every object has an `id` and a `cluster_id` besides the fields that are listed; a cluster, which is `in cluster of
///   itself`, has only the former.
/// - `field: Type as Column` says how a value is kept where a column is not of the value's own type: `String` and
///   enumerations as [`Text`](crate::column::Text), [`Secret`](crate::Secret) as [`Sealed`](crate::column::Sealed),
///   times as `UtcTime`, `Option`s of them as `Option`s of these.
/// - `unique rule (columns) => What` names a constraint of the migrations, `<table>_<rule>`, its columns in the
///   constraint's order, and what the error says is taken.
/// - `named field => Column` says by which text the object is known, sorted and searched. Objects without it have none.
///   `within method` says among which objects of the cluster it is unique, if not among all of its kind.
/// - `filter Name { field => Column, }` makes the type of what lists can be narrowed down by: references to other
///   objects. A filter that says more is written by hand and only named.
///
/// The object's name is also the one of its [`ObjectKind`](crate::ObjectKind).
macro_rules! stored_object {
    ($(#[$docs:meta])* pub struct $object:ident in $table:ident { $($fields:tt)* } $($clauses:tt)*) => {
        stored_object!(@fields [$(#[$docs])* $object $table [cluster_id]] { $($clauses)* } [] $($fields)*);
    };
    ($(#[$docs:meta])* pub struct $object:ident in $table:ident of itself { $($fields:tt)* } $($clauses:tt)*) => {
        stored_object!(@fields [$(#[$docs])* $object $table []] { $($clauses)* } [] $($fields)*);
    };

    (@fields $head:tt $clauses:tt [$($done:tt)*]
     $(#[$meta:meta])* $field:ident: $value:ty as $column:ty, $($rest:tt)*) => {
        stored_object!(@fields $head $clauses
            [$($done)* { $(#[$meta])* $field: $value as $column }] $($rest)*);
    };
    (@fields $head:tt $clauses:tt [$($done:tt)*]
     $(#[$meta:meta])* $field:ident: $value:ty, $($rest:tt)*) => {
        stored_object!(@fields $head $clauses
            [$($done)* { $(#[$meta])* $field: $value as $value }] $($rest)*);
    };

    (@fields [$(#[$docs:meta])* $object:ident $table:ident [$($cluster_id:ident)?]]
     {
        $(unique $rule:ident ($first:ident $(, $other:ident)*) => $what:ident;)*
        $(named $name:ident => $name_column:ident $(within $scope:ident)?;)?
        filter $filter:ident $({ $($by:ident => $by_column:ident,)+ })? $(;)?
     }
     [$({ $(#[$meta:meta])* $field:ident: $value:ty as $column:ty })*]) => {
        $(#[$docs])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $object {
            /// Assigned by the database on insert.
            pub id: i64,
            $(
                /// The cluster it belongs to.
                pub $cluster_id: i64,
            )?
            $($(#[$meta])* pub $field: $value,)*
        }

        $(
            #[doc = concat!("Which objects of the type [`", stringify!($object), "`] to list. Every field that is given must match.")]
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
            pub struct $filter {
                $(
                    #[doc = concat!("Only those whose `", stringify!($by), "` is this one.")]
                    pub $by: Option<i64>,
                )+
            }

            impl $crate::stored::Selects for $filter {
                fn condition(&self, _: sea_orm::DbBackend) -> sea_orm::Condition {
                    use sea_orm::ColumnTrait;
                    sea_orm::Condition::all()
                        $(.add_option(self.$by.map(|id| $table::Column::$by_column.eq(id))))+
                }
            }
        )?

        pub(crate) mod $table {
            use $crate::column::prelude::*;

            #[derive(Copy, Clone, Default, Debug, DeriveEntity)]
            pub struct Entity;

            impl EntityName for Entity {
                fn table_name(&self) -> &'static str {
                    stringify!($table)
                }
            }

            #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
            pub struct Model {
                #[sea_orm(primary_key)]
                pub id: i64,
                $(pub $cluster_id: i64,)?
                $(pub $field: $column,)*
            }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }

        impl $crate::read::Object for $object {
            type Filter = $filter;

            const KIND: $crate::ObjectKind = $crate::ObjectKind::$object;

            fn id(&self) -> i64 {
                self.id
            }

            fn cluster_id(&self) -> i64 {
                stored_object!(@cluster self $($cluster_id)?)
            }

            fn name(&self) -> &str {
                stored_object!(@name self $($name)?)
            }
        }

        impl $crate::stored::Stored for $object {
            type Entity = $table::Entity;

            const UNIQUE: &'static [$crate::error::UniqueRule] = &[$($crate::error::UniqueRule {
                constraint: concat!(stringify!($table), "_", stringify!($rule)),
                columns: concat!(
                    stringify!($table), ".", stringify!($first)
                    $(, ", ", stringify!($table), ".", stringify!($other))*
                ),
                what: $crate::Unique::$what,
            },)*];
            const ID: $table::Column = $table::Column::Id;
            const CLUSTER_ID: $table::Column = stored_object!(@cluster_column $table $($cluster_id)?);
            const NAME: Option<$table::Column> = stored_object!(@name_column $table $($name_column)?);

            $($(fn name_scope(&self) -> sea_orm::Condition {
                $object::$scope(self)
            })?)?

            fn from_row(row: $table::Model, key: &$crate::SecretKey) -> Result<Self, $crate::OdbError> {
                Ok(Self {
                    id: row.id,
                    $($cluster_id: row.$cluster_id,)?
                    $($field: $crate::column::Keeps::give(
                        row.$field,
                        &stored_object!(@place $object $table row.id, $field),
                        key,
                    )?,)*
                })
            }

            fn to_row(&self, key: &$crate::SecretKey) -> Result<$table::Model, $crate::OdbError> {
                Ok($table::Model {
                    id: self.id,
                    $($cluster_id: self.$cluster_id,)?
                    $($field: $crate::column::Keeps::keep(
                        &self.$field,
                        &stored_object!(@place $object $table self.id, $field),
                        key,
                    )?,)*
                })
            }
        }
    };

    (@cluster $self:ident) => { $self.id };
    (@cluster $self:ident $cluster_id:ident) => { $self.$cluster_id };
    (@cluster_column $table:ident) => { $table::Column::Id };
    (@cluster_column $table:ident $cluster_id:ident) => { $table::Column::ClusterId };
    (@name $self:ident) => { "" };
    (@name $self:ident $name:ident) => { &$self.$name };
    (@name_column $table:ident) => { None };
    (@name_column $table:ident $name_column:ident) => { Some($table::Column::$name_column) };
    (@place $object:ident $table:ident $id:expr, $field:ident) => {
        $crate::column::Place {
            object: $crate::ObjectKind::$object,
            id: $id,
            column: stringify!($field),
            path: concat!(stringify!($table), ".", stringify!($field)),
        }
    };
}
pub(crate) use stored_object;
