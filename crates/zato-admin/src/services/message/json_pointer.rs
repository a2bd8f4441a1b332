//! `zato.message.json-pointer`: JSON Pointers under a name.
//!
//! Owns that such a pointer is one of RFC 6901. It must not know who uses one, except that the audit of a channel forgets
//! one that is deleted.

use zato_catalogue::message::json_pointer;
use zato_odb::model::{AuditJsonPointer, AuditJsonPointerFilter, JsonPointer};
use zato_odb::{OdbError, Read, Transaction};
use zato_service::Error;

use crate::change::{Dependants, Family};
use crate::family::services;
use crate::services::audit::patterns::HiddenPointers;

/// The JSON Pointers of a cluster.
pub(crate) struct JsonPointers;

impl Family for JsonPointers {
    type Object = JsonPointer;

    const NOUN: &'static str = "JSON Pointer";

    fn check_values(object: &JsonPointer) -> Result<(), Error> {
        parsed(object).map(drop)
    }

    async fn dependants(
        tx: &Transaction,
        object: &JsonPointer,
        found: &mut Dependants,
    ) -> Result<(), OdbError> {
        let filter =
            AuditJsonPointerFilter { pattern_id: Some(object.id), ..AuditJsonPointerFilter::default() };
        found.add::<HiddenPointers>(tx.list::<AuditJsonPointer>(object.cluster_id, &filter).await?);
        Ok(())
    }
}

/// The pointer of an object.
pub(crate) fn parsed(object: &JsonPointer) -> Result<zato_channel::JsonPointer, Error> {
    object.value.parse().map_err(|error| Error::bad_request(format!("value is not allowed: {error}")))
}

services! {
    JsonPointers in json_pointer: create, edit, delete, get_list;
    {
        object JsonPointer { value }
    }
}
