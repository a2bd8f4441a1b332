//! `zato.outgoing`: connections to other systems that do not go over HTTP.
//!
//! Owns which kinds there are; each is a family in a module of its own.

pub(crate) mod amqp;
pub(crate) mod ftp;
pub(crate) mod jms_wmq;
pub(crate) mod sql;
pub(crate) mod zmq;
