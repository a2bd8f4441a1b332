//! `zato.outgoing.ftp`: outgoing FTP connections.
//!
//! Owns what such a connection can be. It must not know how files are transferred.

use zato_catalogue::outgoing::ftp;
use zato_odb::Secret;
use zato_odb::model::OutgoingFtp;
use zato_service::Error;

use crate::change::{Family, HasPassword};
use crate::family::services;
use crate::value::{COUNTS, PORTS, not_empty, within};

pub(crate) struct FtpConnections;

impl Family for FtpConnections {
    type Object = OutgoingFtp;

    const NOUN: &'static str = "outgoing FTP connection";

    const TAKEN: &'static str = "An outgoing FTP connection";

    fn check_values(connection: &OutgoingFtp) -> Result<(), Error> {
        not_empty("host", &connection.host)?;
        within("port", connection.port, &PORTS)?;
        within("timeout", connection.timeout.unwrap_or_default(), &COUNTS)
    }
}

impl HasPassword for FtpConnections {
    const PASSWORD_REQUIRED: bool = true;

    fn set_password(connection: &mut OutgoingFtp, password: Secret) -> Result<(), Error> {
        connection.password = Some(password);
        Ok(())
    }
}

services! {
    FtpConnections in ftp: create, edit, change_password, delete, get_list;
    {
        object OutgoingFtp { is_active, host, port, dircache, use_ftps, user, acct, timeout }
        initially { password: None }
    }
}
