//! `zato.channel`: what lets messages of queues and sockets invoke services.
//!
//! Owns which kinds of channels there are besides HTTP; each is a family in a module of its own.

pub(crate) mod amqp;
pub(crate) mod jms_wmq;
pub(crate) mod zmq;
