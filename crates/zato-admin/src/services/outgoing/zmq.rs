//! `zato.outgoing.zmq`: outgoing ZeroMQ connections.
//!
//! Owns what such a connection can be. It must not know how messages are sent.

use zato_catalogue::outgoing::zmq;
use zato_odb::model::OutgoingZmq;
use zato_service::Error;

use crate::change::Family;
use crate::family::services;
use crate::value;

pub(crate) struct ZmqConnections;

impl Family for ZmqConnections {
    type Object = OutgoingZmq;

    const NOUN: &'static str = "outgoing ZeroMQ connection";

    const TAKEN: &'static str = "An outgoing ZeroMQ connection";

    fn check_values(connection: &OutgoingZmq) -> Result<(), Error> {
        value::zmq_address(&connection.address)
    }
}

services! {
    ZmqConnections in zmq: create, edit, delete, get_list;
    {
        object OutgoingZmq { is_active, address, socket_type }
    }
}
