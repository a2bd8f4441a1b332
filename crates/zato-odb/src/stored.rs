//! How an object becomes a row and back: what every family states about itself, and the checks all of them share.
//!
//! Owns the mapping contract. It must not know any family.

use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, ColumnType, Condition, DbBackend, EntityTrait, IdenStatic,
    IntoActiveModel, Iterable, Value, sea_query::StringLen,
};

use crate::error::{OdbError, UniqueRule};
use crate::model::{Everything, ObjectKind};
use crate::secret::SecretKey;

/// The row of an entity.
pub(crate) type Row<T> = <<T as Stored>::Entity as EntityTrait>::Model;
/// The columns of an entity.
pub(crate) type Column<T> = <<T as Stored>::Entity as EntityTrait>::Column;

/// What one family states about itself; everything else is shared.
///
/// The trait is out of reach of other crates, so that only this one maps objects to tables.
pub trait Stored: Sized + Send + Sync + 'static {
    /// The table.
    type Entity: EntityTrait<Model: IntoActiveModel<<Self::Entity as EntityTrait>::ActiveModel>, ActiveModel: Send>;

    /// The unique constraints of the table.
    const UNIQUE: &'static [UniqueRule];
    /// The primary key.
    const ID: Column<Self>;
    /// By which objects belong to a cluster.
    const CLUSTER_ID: Column<Self>;
    /// What objects are found by, searched and sorted; objects that have none are sorted by their ids.
    const NAME: Option<Column<Self>>;

    /// Within which objects of a cluster names are unique; most kinds have one name space per cluster.
    fn name_scope(&self) -> Condition {
        Condition::all()
    }

    /// Reads a row.
    fn from_row(row: Row<Self>, key: &SecretKey) -> Result<Self, OdbError>;

    /// Writes a row.
    fn to_row(&self, key: &SecretKey) -> Result<Row<Self>, OdbError>;
}

/// A filter of a list, as a condition on the table.
pub trait Selects {
    /// The rows to list. Some conditions are spelled differently on the two databases.
    fn condition(&self, backend: DbBackend) -> Condition;
}

impl Selects for Everything {
    fn condition(&self, _: DbBackend) -> Condition {
        Condition::all()
    }
}

/// The row of an object ready to be written: every column is set, and every text fits its column on either database.
/// SQLite would take texts of any length, PostgreSQL would refuse them with a message of its own.
pub(crate) fn writable<T: Stored>(
    object: &T,
    key: &SecretKey,
) -> Result<<T::Entity as EntityTrait>::ActiveModel, OdbError> {
    let row = object.to_row(key)?.into_active_model().reset_all();
    check_texts(&row)?;
    Ok(row)
}

/// Checks every text that is about to be written against its column.
pub(crate) fn check_texts<A: ActiveModelTrait>(row: &A) -> Result<(), OdbError> {
    for column in <A::Entity as EntityTrait>::Column::iter() {
        if let ActiveValue::Set(Value::String(Some(text))) = row.get(column) {
            check_text(IdenStatic::as_str(&column), column.def().get_column_type(), &text)?;
        }
    }
    Ok(())
}

fn check_text(column: &'static str, column_type: &ColumnType, text: &str) -> Result<(), OdbError> {
    if text.contains('\0') {
        return Err(OdbError::NulCharacter { column });
    }
    if let ColumnType::String(StringLen::N(limit)) = *column_type
        && text.chars().count() > limit as usize
    {
        return Err(OdbError::TooLong { column, limit });
    }
    Ok(())
}

/// A value that has to be there and to be understood, such as the one of an enumeration that is stored as text.
pub(crate) fn known<V>(
    value: Option<V>,
    object: ObjectKind,
    id: i64,
    column: &'static str,
) -> Result<V, OdbError> {
    value.ok_or(OdbError::Unreadable { object, id, column })
}
