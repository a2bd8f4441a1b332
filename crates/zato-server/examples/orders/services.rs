//! The four services.

use serde::{Deserialize, Serialize};
use serde_json::json;
use zato_amqp::Message;
use zato_service::{Context, Description, Error, Service};

#[derive(Deserialize, Serialize)]
pub(crate) struct Order {
    id: i64,
    item: String,
}

/// Leaves an order in a queue.
pub(crate) struct Submit;

impl Service for Submit {
    type Input = Order;
    type Output = ();

    fn description(&self) -> Description {
        Description::new("orders.submit")
    }

    async fn handle(&self, cx: &mut Context, order: Order) -> Result<(), Error> {
        let orders = cx.outgoing().amqp("Orders")?;
        let message = Message::new(serde_json::to_vec(&order)?).routing_key("orders");
        orders.send(cx.cid(), message).await?;
        Ok(())
    }
}

/// Writes an order to the database and has it billed.
pub(crate) struct Place;

impl Service for Place {
    type Input = Order;
    type Output = ();

    fn description(&self) -> Description {
        Description::new("orders.place")
    }

    async fn handle(&self, cx: &mut Context, order: Order) -> Result<(), Error> {
        // A message may come twice, so what is done with it has to bear that.
        let insert = "INSERT INTO orders (id, item) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";
        cx.outgoing().sql("Orders")?.execute(insert, (order.id, order.item.as_str())).await?;
        let billing = cx.outgoing().plain_http("Billing")?;
        let bill = json!({"order_id": order.id, "item": order.item});
        billing.conn().post(cx.cid(), bill).await?.raise_for_status()?;
        Ok(())
    }
}

/// Tells whoever listens.
pub(crate) struct Announce;

impl Service for Announce {
    type Input = Order;
    type Output = ();

    fn description(&self) -> Description {
        Description::new("orders.announce")
    }

    async fn handle(&self, cx: &mut Context, order: Order) -> Result<(), Error> {
        cx.outgoing().zmq("Announcements")?.send(serde_json::to_vec(&order)?).await?;
        Ok(())
    }
}

/// Leaves an order as a file on an FTP server.
pub(crate) struct Export;

impl Service for Export {
    type Input = Order;
    type Output = ();

    fn description(&self) -> Description {
        Description::new("orders.export")
    }

    async fn handle(&self, cx: &mut Context, order: Order) -> Result<(), Error> {
        let mut session = cx.outgoing().ftp("Exports")?.connect().await?;
        session.put(&format!("order-{}.json", order.id), &serde_json::to_vec(&order)?).await?;
        session.quit().await?;
        Ok(())
    }
}
