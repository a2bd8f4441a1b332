//! The named connections to other systems, of all kinds.
//!
//! Owns one table for each kind. It must not know what is spoken over a connection, nor where its configuration comes
//! from.

use zato_connections::{Connections, LookupError};
use zato_outgoing::{Connection, OutgoingError};

/// All connections that services can call other systems with, by kind and name.
///
/// Ids are unique within a kind only. Tables of other kinds than HTTP begin empty.
#[derive(Debug)]
pub struct Outgoing {
    http: zato_outgoing::Outgoing,
    amqp: Connections<zato_amqp::Outgoing>,
    zmq: Connections<zato_zmq::Outgoing>,
    ftp: Connections<zato_ftp::Ftp>,
    sql: Connections<zato_sql::Pool>,
}

impl Outgoing {
    /// The connections of a server, of which those that speak HTTP need to know their environment.
    pub fn new(http: zato_outgoing::Outgoing) -> Self {
        Self {
            http,
            amqp: Connections::new(),
            ftp: Connections::new(),
            sql: Connections::new(),
            zmq: Connections::new(),
        }
    }

    /// The plain HTTP connection of a name.
    ///
    /// # Errors
    /// [`OutgoingError::UnknownConnection`].
    pub fn plain_http(&self, name: &str) -> Result<Connection, OutgoingError> {
        self.http.plain_http(name)
    }

    /// The SOAP connection of a name.
    ///
    /// # Errors
    /// [`OutgoingError::UnknownConnection`].
    pub fn soap(&self, name: &str) -> Result<Connection, OutgoingError> {
        self.http.soap(name)
    }

    /// The AMQP connection of a name.
    ///
    /// # Errors
    /// There is none of that name, or it is inactive.
    pub fn amqp(&self, name: &str) -> Result<zato_amqp::Outgoing, LookupError> {
        self.amqp.get(name)
    }

    /// The FTP connection of a name.
    ///
    /// # Errors
    /// There is none of that name, or it is inactive.
    pub fn ftp(&self, name: &str) -> Result<zato_ftp::Ftp, LookupError> {
        self.ftp.get(name)
    }

    /// The table of FTP connections.
    pub fn ftp_table(&self) -> &Connections<zato_ftp::Ftp> {
        &self.ftp
    }

    /// The SQL connection of a name.
    ///
    /// # Errors
    /// There is none of that name, or it is inactive.
    pub fn sql(&self, name: &str) -> Result<zato_sql::Pool, LookupError> {
        self.sql.get(name)
    }

    /// The table of SQL connections.
    pub fn sql_table(&self) -> &Connections<zato_sql::Pool> {
        &self.sql
    }

    /// The table of AMQP connections.
    pub fn amqp_table(&self) -> &Connections<zato_amqp::Outgoing> {
        &self.amqp
    }

    /// The ZeroMQ connection of a name.
    ///
    /// # Errors
    /// There is none of that name, or it is inactive.
    pub fn zmq(&self, name: &str) -> Result<zato_zmq::Outgoing, LookupError> {
        self.zmq.get(name)
    }

    /// The table of ZeroMQ connections.
    pub fn zmq_table(&self) -> &Connections<zato_zmq::Outgoing> {
        &self.zmq
    }

    /// The table of plain HTTP and SOAP connections.
    pub fn http(&self) -> &zato_outgoing::Outgoing {
        &self.http
    }
}
