//! `zato.http-soap.*audit*`: the audit log of channels.
//!
//! Owns the services around the log: whether there is one, what it hides, and what is in it. It must not know how calls
//! get there.

mod config;
mod entries;
pub(crate) mod patterns;

use zato_odb::model::{Connection, HttpSoap};
use zato_service::Error;

/// Only calls that come in are audited.
fn for_channels(object: &HttpSoap) -> Result<(), Error> {
    match object.connection {
        Connection::Channel => Ok(()),
        Connection::Outgoing => Err(Error::bad_request(format!(
            "[{}] is an outgoing connection: the audit log is for channels only",
            object.name
        ))),
    }
}
