//! The families of services, each with its cases in a file.

mod basic_auth;
mod channel_amqp;
mod channel_jms_wmq;
mod channel_zmq;
mod core;
mod definition_amqp;
mod definition_jms_wmq;
mod helpers;
mod hot_deploy;
mod http_soap;
mod info;
mod kvdb_dictionary;
mod kvdb_impexp;
mod kvdb_remote_command;
mod kvdb_translation;
mod message;
mod objects;
mod outgoing_amqp;
mod outgoing_ftp;
mod outgoing_jms_wmq;
mod outgoing_sql;
mod outgoing_zmq;
mod scheduler_job;
mod security;
mod security_rbac;
mod security_tls;
mod security_types;
mod server;
mod service;
mod stats;

use super::cases::Cases;
use crate::support::{Backend, Server};

/// States the cases of a family.
type StateCases = fn(&mut Cases<'_>);

/// Starts the server that the cases of a family are made on.
pub(super) fn start(family: &str, backend: Backend) -> Server {
    match family {
        "server" => server::start(backend),
        _ => backend.launch().start(),
    }
}

/// Each family of the catalogue that has built services.
pub(super) const FAMILIES: &[(&str, StateCases)] = &[
    ("channel.amqp", channel_amqp::cases),
    ("channel.jms-wmq", channel_jms_wmq::cases),
    ("channel.zmq", channel_zmq::cases),
    ("core", core::cases),
    ("definition.amqp", definition_amqp::cases),
    ("definition.jms-wmq", definition_jms_wmq::cases),
    ("helpers", helpers::cases),
    ("hot-deploy", hot_deploy::cases),
    ("http-soap", http_soap::cases),
    ("info", info::cases),
    ("kvdb.data-dict.dictionary", kvdb_dictionary::cases),
    ("kvdb.data-dict.impexp", kvdb_impexp::cases),
    ("kvdb.data-dict.translation", kvdb_translation::cases),
    ("kvdb.remote-command", kvdb_remote_command::cases),
    ("message.json-pointer", message::json_pointer),
    ("message.namespace", message::namespace),
    ("message.xpath", message::xpath),
    ("outgoing.amqp", outgoing_amqp::cases),
    ("outgoing.ftp", outgoing_ftp::cases),
    ("outgoing.jms-wmq", outgoing_jms_wmq::cases),
    ("outgoing.sql", outgoing_sql::cases),
    ("outgoing.zmq", outgoing_zmq::cases),
    ("scheduler.job", scheduler_job::cases),
    ("security", security::cases),
    ("security.apikey", security_types::apikey),
    ("security.aws", security_types::aws),
    ("security.basic-auth", basic_auth::cases),
    ("security.jwt", security_types::jwt),
    ("security.ntlm", security_types::ntlm),
    ("security.oauth", security_types::oauth),
    ("security.openstack", security_types::openstack),
    ("security.rbac.client-role", security_rbac::client_role),
    ("security.rbac.permission", security_rbac::permission),
    ("security.rbac.role", security_rbac::role),
    ("security.rbac.role-permission", security_rbac::role_permission),
    ("security.tech-account", security_types::tech_account),
    ("security.tls.ca-cert", security_tls::ca_cert),
    ("security.tls.channel", security_tls::channel),
    ("security.tls.key-cert", security_tls::key_cert),
    ("security.wss", security_types::wss),
    ("security.xpath", security_types::xpath),
    ("server", server::cases),
    ("service", service::cases),
    ("service.slow-response", stats::slow_response),
    ("stats", stats::cases),
    ("stats.summary", stats::summary),
    ("stats.trends", stats::trends),
];
