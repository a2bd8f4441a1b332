//! A program that embeds the server and brings services on both sides of a message queue.
//!
//! `orders.submit` takes an order from an HTTP channel and leaves it in a queue: once the caller has the reply, the broker has
//! the order. `orders.place` takes it from an AMQP channel, writes it to a database and tells another system; the message is
//! acknowledged after that, so an order outlives failures of the broker, the database, the other system and the server itself.
//! `orders.announce` tells whoever listens at a ZeroMQ socket; `orders.export` leaves an order on an FTP server.
//!
//! All of them name the connections that they use and know nothing else of them. Create these over the public API: `Orders`
//! (AMQP, SQL), `Billing` (plain HTTP), `Announcements` (ZeroMQ) and `Exports` (FTP). The table is
//! `CREATE TABLE orders (id BIGINT PRIMARY KEY, item TEXT NOT NULL)`. The program takes the flags of `zato-server`.

mod services;

use std::error::Error;

use zato_server::{Config, Server};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    Server::new(Config::from_arguments()?)
        .with_service(services::Submit)
        .with_service(services::Place)
        .with_service(services::Announce)
        .with_service(services::Export)
        .run()
        .await?;
    Ok(())
}
