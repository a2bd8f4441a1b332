//! `zato.definition`: how brokers and queue managers are connected to.
//!
//! Owns which kinds of definitions there are; each is a family in a module of its own.

pub(crate) mod amqp;
pub(crate) mod jms_wmq;
