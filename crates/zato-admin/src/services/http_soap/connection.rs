//! Outgoing connections as they are: whether the other side answers, and making one anew.
//!
//! Owns which objects can be asked for that. It must not know how calls are sent.

use zato_catalogue::http_soap::{ping, reload_wsdl};
use zato_odb::model::{Connection, Transport};
use zato_outgoing::CallError;
use zato_service::{Context, Error};

use super::HttpSoapObjects;
use crate::change::ConfigurationChange;
use crate::{Admin, Handle, family};

/// Requests over SOAP are written by services, so no connection has a WSDL to fetch anew: all that is left is to make the
/// connection anew, as any edit does.
impl Handle for reload_wsdl::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<(), Error> {
        let mut change = ConfigurationChange::begin(admin, cx).await?;
        let object = change.find::<HttpSoapObjects>(self.id).await?;
        if (object.connection, object.transport) != (Connection::Outgoing, Transport::Soap) {
            return Err(Error::bad_request(format!("[{}] is no outgoing SOAP connection", object.name)));
        }
        change.replace::<HttpSoapObjects>(&object, &object).await?;
        change.commit().await
    }
}

impl Handle for ping::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<ping::Response, Error> {
        let object = family::find::<HttpSoapObjects>(admin, self.id).await?;
        if object.connection == Connection::Channel {
            return Err(Error::bad_request(format!(
                "The object with id [{}] is the channel [{}]: only outgoing connections can be pinged",
                object.id, object.name
            )));
        }
        let connection = cx.outgoing().http().by_id(object.id)?;
        // A function that is passed on would say that the error was made in the library which calls it.
        match connection.conn().ping(cx.cid()).await {
            Ok(info) => Ok(ping::Response { info }),
            Err(error) => Err(unanswered(error)),
        }
    }
}

/// A ping without an answer. Its report is what the caller asked for, so it is the message, which no setting cuts off.
#[track_caller]
fn unanswered(error: CallError) -> Error {
    let report = error.report().unwrap_or_default();
    let message = format!("{error}\n{report}");
    Error::from(error).with_message(message)
}
