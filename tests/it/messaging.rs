//! Messages: queues and sockets that invoke services, services that send, and failures in the middle of it.

use std::sync::Mutex;
use std::thread;

use serde_json::{Value, json};
use zato_amqp::test_util::PASSWORD;

use crate::support::api::{json_channel, outgoing, with};
use crate::support::postgres::{self, Database};
use crate::support::rabbitmq::{RabbitMq, change_password};
use crate::support::{Launch, Peer, PeerReply, Server, eventually, python};

fn amqp_channel(def_id: i64, queue: &str, service: &str) -> Value {
    json!({
        "cluster_id": 1, "name": "Orders", "is_active": true, "def_id": def_id, "queue": queue,
        "consumer_tag_prefix": "zato-test", "service": service, "data_format": "json",
    })
}

fn amqp_outgoing(def_id: i64) -> Value {
    json!({
        "cluster_id": 1, "name": "Orders", "is_active": true, "def_id": def_id, "delivery_mode": 2,
        "priority": 5, "content_type": "application/json", "app_id": "zato-test",
    })
}

/// The status that a list shows of its only object.
#[track_caller]
fn status(server: &Server, family: &str) -> String {
    let list = server.api().call(&format!("zato.{family}.get-list"), &json!({"cluster_id": 1})).ok();
    list[0]["status"].as_str().unwrap_or_else(|| panic!("no status: {list}")).to_owned()
}

#[track_caller]
fn until_status(server: &Server, family: &str, beginning: &str) {
    eventually(beginning, || status(server, family).starts_with(beginning).then_some(()));
}

fn handled(server: &Server, text: &str) -> usize {
    server.log_lines(&["zato.helpers.input-logger", text]).len()
}

#[test]
fn changes_of_amqp_objects_are_in_effect_at_once() {
    let rabbit = RabbitMq::start();
    rabbit.queue("first");
    rabbit.queue("second");
    let server = Server::start();
    let api = server.api();
    let def_id = rabbit.define(&server, "Broker");
    let channel = amqp_channel(def_id, "first", "zato.helpers.input-logger");
    let id = api.id_of("zato.channel.amqp.create", &channel);
    rabbit.put("first", r#"{"text": "one"}"#);
    eventually("the message is handled", || (handled(&server, "one") == 1).then_some(()));
    until_status(&server, "channel.amqp", "connected");
    let line = server.log_lines(&["a message was handled", "Orders"]).remove(0);
    assert!(line.contains("cid=K") && line.contains("routing_key=first"), "{line}");

    let edit = |changes: &Value| {
        let input = with(&with(&channel, changes), &json!({"id": id}));
        server.api().id_of("zato.channel.amqp.edit", &input);
    };
    edit(&json!({"queue": "second"}));
    rabbit.put("second", r#"{"text": "two"}"#);
    eventually("the message is handled", || (handled(&server, "two") == 1).then_some(()));
    eventually("the first queue is left", || (rabbit.counts("first") == (0, 0)).then_some(()));

    edit(&json!({"queue": "second", "is_active": false}));
    eventually("the channel stops", || (rabbit.counts("second") == (0, 0)).then_some(()));
    assert_eq!(status(&server, "channel.amqp"), "inactive");
    rabbit.put("second", r#"{"text": "three"}"#);
    edit(&json!({"queue": "second"}));
    eventually("the message is handled", || (handled(&server, "three") == 1).then_some(()));

    edit(&json!({"queue": "missing"}));
    until_status(&server, "channel.amqp", "connecting: NOT_FOUND - no queue 'missing'");
    edit(&json!({"queue": "first"}));
    change_password(&server, def_id, "not-the-password-47b1");
    server.keep_secret("not-the-password-47b1");
    until_status(&server, "channel.amqp", "connecting: ACCESS_REFUSED");
    change_password(&server, def_id, PASSWORD);
    until_status(&server, "channel.amqp", "connected");

    api.call("zato.channel.amqp.delete", &json!({"id": id})).ok();
    eventually("the channel stops", || (rabbit.counts("first") == (0, 0)).then_some(()));
}

#[test]
fn a_message_waits_for_a_service_that_is_inactive() {
    let rabbit = RabbitMq::start();
    rabbit.queue("orders");
    let server = Server::start();
    let service = "zato.helpers.input-logger";
    let id = server.api().service(service)["id"].clone();
    let activate = |is_active: bool| {
        let input = json!({"id": id, "is_active": is_active, "slow_threshold": 1000});
        server.api().call("zato.service.edit", &input).ok();
    };
    activate(false);
    let def_id = rabbit.define(&server, "Broker");
    server.api().id_of("zato.channel.amqp.create", &amqp_channel(def_id, "orders", service));
    rabbit.put("orders", r#"{"text": "patient"}"#);
    eventually("the refusal is logged", || {
        let lines = server.log_lines(&["a message was not handled", "is inactive"]);
        (!lines.is_empty()).then_some(())
    });
    activate(true);
    eventually("the message is handled", || (handled(&server, "patient") == 1).then_some(()));
    // Stopping gives the broker time to hear of the acknowledgement.
    drop(server.stop());
    eventually("nothing is left", || (rabbit.counts("orders") == (0, 0)).then_some(()));
}

/// One order, from one side of the queue to the other.
struct Shop {
    rabbit: RabbitMq,
    database: Database,
    billing: Peer,
    accepted: Mutex<Vec<i64>>,
}

impl Shop {
    fn open() -> Self {
        let rabbit = RabbitMq::start();
        rabbit.queue("orders");
        let database = Database::on_server_of_its_own();
        database.run("CREATE TABLE orders (id BIGINT PRIMARY KEY, item TEXT NOT NULL)");
        let billing = Peer::start(|_| PeerReply::ok("application/json", "{}"));
        Self { rabbit, database, billing, accepted: Mutex::default() }
    }

    /// Creates the connections and channels of the example.
    fn configure(&self, server: &Server) {
        let api = server.api();
        let def_id = self.rabbit.define(server, "Broker");
        api.id_of("zato.outgoing.amqp.create", &amqp_outgoing(def_id));
        api.id_of("zato.channel.amqp.create", &amqp_channel(def_id, "orders", "orders.place"));
        let address = self.database.address();
        let sql = api.id_of(
            "zato.outgoing.sql.create",
            &json!({
                "cluster_id": 1, "name": "Orders", "is_active": true, "engine": "postgresql",
                "host": address.ip().to_string(), "port": address.port(), "db_name": self.database.name(),
                "username": "zato", "pool_size": 4, "extra": "connect_timeout=2",
            }),
        );
        let password = postgres::PASSWORD;
        let input = json!({"id": sql, "password1": password, "password2": password});
        api.call("zato.outgoing.sql.change-password", &input).ok();
        server.keep_secret(password);
        api.create_http(&outgoing("Billing", &self.billing.host(), "/bills"));
        api.create_http(&json_channel("Submit", "/orders", "orders.submit"));
    }

    /// Submits an order, and remembers it if the server says that it was accepted.
    fn submit(&self, server: &Server, id: i64) -> bool {
        let request = server.request("POST", "/orders").json(&json!({"id": id, "item": "a book"}));
        let is_accepted = request.try_send().is_ok_and(|reply| reply.status == 200);
        if is_accepted {
            self.accepted.lock().unwrap().push(id);
        }
        is_accepted
    }

    #[track_caller]
    fn submit_all(&self, server: &Server, ids: std::ops::Range<i64>) {
        for id in ids {
            assert!(self.submit(server, id), "order {id}");
        }
    }

    /// Waits until all orders that were accepted are in the database, and each was billed.
    #[track_caller]
    fn all_are_placed(&self) {
        let accepted = self.accepted.lock().unwrap().clone();
        eventually("every accepted order is placed", || {
            let stored = self.database.ask("SELECT id FROM orders ORDER BY id")?;
            let stored: Vec<i64> = stored.lines().map(|line| line.parse().unwrap()).collect();
            accepted.iter().all(|id| stored.contains(id)).then_some(())
        });
        eventually("every accepted order is billed", || {
            let bills = self.billing.requests();
            let bills: Vec<Value> = bills.iter().map(|bill| bill.body.parse().unwrap()).collect();
            let is_billed = |id: &i64| bills.iter().any(|bill| bill["order_id"] == *id);
            accepted.iter().all(is_billed).then_some(())
        });
        eventually("every message is acknowledged", || (self.rabbit.counts("orders").0 == 0).then_some(()));
    }
}

#[test]
fn no_accepted_order_is_lost_whoever_is_killed() {
    let shop = Shop::open();
    let server = Launch::orders_example().start();
    shop.configure(&server);
    shop.submit_all(&server, 0..10);
    shop.all_are_placed();
    let sent = shop.billing.requests().remove(0);
    assert!(sent.header("X-Zato-CID").starts_with('K'), "{sent:?}");

    // The broker, in the middle of orders coming in. Those which it did not confirm are not accepted, or wait for it. All of them
    // may be refused: it lets clients in a moment before it knows its queues again.
    thread::scope(|scope| {
        scope.spawn(|| {
            for id in 10..40 {
                shop.submit(&server, id);
            }
        });
        shop.rabbit.broker.halt("orders");
        shop.rabbit.broker.resume();
    });
    until_status(&server, "outgoing.amqp", "connected");
    until_status(&server, "channel.amqp", "connected");
    let mut later = 1000..;
    eventually("orders are accepted again", || later.next().filter(|id| shop.submit(&server, *id)));
    shop.all_are_placed();

    // The database. Orders wait in the queue.
    shop.database.halt();
    shop.submit_all(&server, 40..50);
    eventually("an order fails", || {
        (!server.log_lines(&["a message was not handled", "orders.place"]).is_empty()).then_some(())
    });
    shop.database.resume();
    shop.all_are_placed();

    // The server, with orders in hand.
    shop.submit_all(&server, 50..60);
    let server = server.kill().start();
    shop.submit_all(&server, 60..70);
    shop.all_are_placed();
}

#[test]
fn sockets_of_libzmq_and_services_talk() {
    let server = Launch::orders_example().start();
    python::run("zmq_peers.py", &server, &[]);
    assert!(!server.log_lines(&["a message was handled", "Prices", "frame=1 of=1"]).is_empty());
}
