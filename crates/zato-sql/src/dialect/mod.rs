//! What differs between engines, and what one makes of it.
//!
//! Owns the seam: binding values, reading values and telling what a statement did. It must not know pools.

mod mysql;
mod postgres;
mod sqlite;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt};
use sqlx::encode::Encode;
use sqlx::error::BoxDynError;
use sqlx::{
    Arguments, Column, ColumnIndex, Connection, Database, Either, Executor, Row as _, SqlStr, Statement,
    Type, ValueRef,
};

use crate::Value;
use crate::config::Config;
use crate::error::{Error, ParameterError};
use crate::row::Row;
use crate::statement::Executed;

/// An engine: how its driver is used.
pub(crate) trait Dialect: Database {
    /// What connections of a definition are made with.
    fn options(config: &Config) -> <Self::Connection as Connection>::Options;

    /// Binds as many values as the statement has placeholders.
    fn bind(statement: &Self::Statement, values: Vec<Value>) -> Result<Self::Arguments, BindError>;

    /// Reads a value that is not `NULL`.
    fn value(value: Self::ValueRef<'_>) -> Result<Value, BoxDynError>;

    /// What a statement has done.
    fn executed(result: &Self::QueryResult) -> Executed;
}

/// A value can't be bound: its number, from 1, and why.
pub(crate) struct BindError(usize, ParameterError);

/// What running a statement gives, piece by piece.
pub(crate) type Step = Either<Executed, Row>;

/// Runs one statement on a connection.
pub(crate) fn run<'c, D>(
    connection: &'c mut D::Connection,
    name: &'c Arc<str>,
    sql: SqlStr,
    values: Vec<Value>,
) -> BoxFuture<'c, Result<BoxStream<'c, Result<Step, Error>>, Error>>
where
    D: Dialect,
    for<'a> &'a mut D::Connection: Executor<'a, Database = D>,
    usize: ColumnIndex<D::Row>,
{
    Box::pin(async move {
        // The driver keeps prepared statements, so that the database is asked once for each text and connection.
        let statement = connection
            .prepare(sql.clone())
            .await
            .map_err(|source| Error::running(Arc::clone(name), source))?;
        let arguments = arguments::<D>(&statement, values).map_err(|BindError(number, source)| {
            Error::Parameter { connection: Arc::clone(name), number, source }
        })?;
        let mut columns: Option<Arc<[Box<str>]>> = None;
        let steps = connection.fetch_many((sql, Some(arguments))).map(move |step| match step {
            Ok(Either::Left(result)) => Ok(Either::Left(D::executed(&result))),
            Ok(Either::Right(row)) => {
                let columns = columns.get_or_insert_with(|| {
                    row.columns().iter().map(|column| Box::from(column.name())).collect()
                });
                read::<D>(&row, Arc::clone(columns), name).map(Either::Right)
            }
            Err(source) => Err(Error::running(Arc::clone(name), source)),
        });
        Ok(steps.boxed())
    })
}

fn arguments<D: Dialect>(statement: &D::Statement, values: Vec<Value>) -> Result<D::Arguments, BindError> {
    let wanted = match statement.parameters() {
        Some(Either::Left(types)) => types.len(),
        Some(Either::Right(count)) => count,
        None => values.len(),
    };
    if wanted != values.len() {
        let error = ParameterError::Count { given: values.len(), wanted };
        return Err(BindError(wanted.min(values.len()) + 1, error));
    }
    D::bind(statement, values)
}

fn read<D>(row: &D::Row, columns: Arc<[Box<str>]>, name: &Arc<str>) -> Result<Row, Error>
where
    D: Dialect,
    usize: ColumnIndex<D::Row>,
{
    let value = |index: usize| {
        let value = row.try_get_raw(index)?;
        if value.is_null() { Ok(Value::Null) } else { D::value(value) }
    };
    let values = (0..columns.len()).map(|index| {
        value(index).map_err(|source| Error::Column {
            connection: Arc::clone(name),
            column: columns.get(index).map(|column| column.to_string()).unwrap_or_default(),
            source,
        })
    });
    let values = values.collect::<Result<_, _>>()?;
    Ok(Row { columns, values })
}

/// Adds a value whose driver type is known.
fn add<'t, A, T>(arguments: &mut A, number: usize, value: T) -> Result<(), BindError>
where
    A: Arguments,
    T: Encode<'t, A::Database> + Type<A::Database>,
{
    let added = arguments.add(value);
    added.map_err(|error| BindError(number, ParameterError::Encoding(error.to_string())))
}

/// A whole number as the type of its placeholder.
fn integer<N: TryFrom<i128>>(number: i128, position: usize, wanted: &str) -> Result<N, BindError> {
    N::try_from(number).map_err(|_| BindError(position, ParameterError::Range { wanted: wanted.to_owned() }))
}
