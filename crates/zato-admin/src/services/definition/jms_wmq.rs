//! `zato.definition.jms-wmq`: WebSphere MQ definitions.
//!
//! Owns what such a definition can be, and what is said wherever WebSphere MQ is to be used: that nothing here speaks its
//! protocol.

use zato_catalogue::definition::jms_wmq;
use zato_odb::model::{ChannelWmq, ChannelWmqFilter, DefinitionWmq, OutgoingWmq, OutgoingWmqFilter};
use zato_odb::{OdbError, Read, Transaction};
use zato_service::Error;

use crate::change::{Dependants, Family};
use crate::family::services;
use crate::services::channel::jms_wmq::WmqChannels;
use crate::services::outgoing::jms_wmq::WmqConnections;
use crate::value::{COUNTS, PORTS, not_empty, within};

pub(crate) struct WmqDefinitions;

impl Family for WmqDefinitions {
    type Object = DefinitionWmq;

    const NOUN: &'static str = "JMS WebSphere MQ definition";

    fn check_values(definition: &DefinitionWmq) -> Result<(), Error> {
        not_empty("host", &definition.host)?;
        within("port", definition.port, &PORTS)?;
        not_empty("queue_manager", &definition.queue_manager)?;
        not_empty("channel", &definition.channel)?;
        within("max_chars_printed", definition.max_chars_printed, &COUNTS)
    }

    async fn dependants(
        tx: &Transaction,
        definition: &DefinitionWmq,
        found: &mut Dependants,
    ) -> Result<(), OdbError> {
        let filter = ChannelWmqFilter { def_id: Some(definition.id), ..ChannelWmqFilter::default() };
        found.add::<WmqChannels>(tx.list::<ChannelWmq>(definition.cluster_id, &filter).await?);
        let filter = OutgoingWmqFilter { def_id: Some(definition.id) };
        found.add::<WmqConnections>(tx.list::<OutgoingWmq>(definition.cluster_id, &filter).await?);
        Ok(())
    }
}

services! {
    WmqDefinitions in jms_wmq: create, edit, delete, get_by_id, get_list;
    {
        object DefinitionWmq {
            host, port, queue_manager, channel, cache_open_send_queues, cache_open_receive_queues,
            use_shared_connections, ssl, ssl_cipher_spec, ssl_key_repository, needs_mcd, max_chars_printed,
        }
        initially { dynamic_queue_template: "SYSTEM.DEFAULT.MODEL.QUEUE".to_owned() }
    }
}

/// What keeps an active channel or connection from doing anything. IBM gives its client library to its customers only.
const NO_CLIENT: &str = "this build has no IBM MQ client";

/// What the caller is told who made an object active.
pub(crate) fn warning(noun: &str, name: &str, is_active: bool) -> Option<String> {
    is_active.then(|| format!("{noun} [{name}] is stored, but no message will pass: {NO_CLIENT}"))
}

/// What lists say of an object.
pub(crate) fn status(is_active: bool) -> Option<String> {
    Some(if is_active { format!("not connected: {NO_CLIENT}") } else { "inactive".to_owned() })
}
