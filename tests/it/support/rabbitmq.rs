//! A private RabbitMQ server, and what an administrator sees of it.

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use zato_amqp::Definition;
use zato_amqp::test_util::{Broker, Inspector, PASSWORD, USERNAME};

use super::server::Server;

/// A server with one virtual host in use.
#[derive(Debug)]
pub(crate) struct RabbitMq {
    pub(crate) broker: Broker,
    definition: Definition,
    runtime: Runtime,
}

impl RabbitMq {
    pub(crate) fn start() -> Self {
        let broker = Broker::start();
        let definition = broker.vhost();
        Self { broker, definition, runtime: Runtime::new().unwrap() }
    }

    /// Creates the AMQP definition by which a server reaches it, and returns its id.
    #[track_caller]
    pub(crate) fn define(&self, server: &Server, name: &str) -> i64 {
        let id = server.api().id_of("zato.definition.amqp.create", &self.input(name));
        server.keep_secret(PASSWORD);
        change_password(server, id, PASSWORD);
        id
    }

    fn input(&self, name: &str) -> Value {
        json!({
            "cluster_id": 1, "name": name, "host": self.definition.host, "port": self.definition.port,
            "vhost": self.definition.vhost, "username": USERNAME, "frame_max": 131_072, "heartbeat": 10,
        })
    }

    /// Declares a durable queue.
    pub(crate) fn queue(&self, name: &str) {
        self.ask(async |inspector| inspector.queue(name, &[]).await.unwrap());
    }

    /// Puts a message into a queue.
    pub(crate) fn put(&self, queue: &str, body: &str) {
        assert!(self.ask(async |inspector| inspector.put(queue, body).await.unwrap()));
    }

    /// How many messages are ready in a queue, and how many consumers it has.
    pub(crate) fn counts(&self, queue: &str) -> (u32, u32) {
        self.ask(async |inspector| inspector.counts(queue).await.unwrap())
    }

    /// Every question has a connection of its own, because the server may have been away in between.
    fn ask<T>(&self, question: impl AsyncFnOnce(&Inspector) -> T) -> T {
        self.runtime.block_on(async {
            let inspector = Inspector::new(&self.definition).await.unwrap();
            question(&inspector).await
        })
    }
}

/// Changes the password of an AMQP definition.
#[track_caller]
pub(crate) fn change_password(server: &Server, id: i64, password: &str) {
    let input = json!({"id": id, "password1": password, "password2": password});
    server.api().call("zato.definition.amqp.change-password", &input).ok();
}
