//! A program that embeds the server and brings three services of its own.
//!
//! They are the examples of the programming guide on outgoing HTTP connections, written in Rust: one posts JSON and
//! pings, one gets with parameters, one sends a SOAP message. `peer` is the other system that they call, so that the
//! example runs as it is: `cargo run --example crm`. It takes the flags of `zato-server`.

mod peer;
mod services;
mod setup;

use std::error::Error;

use zato_server::{Config, Server};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let config = Config::from_arguments()?;
    let peer = peer::start().await?;
    let server = Server::new(config)
        .with_service(services::GetCustomer)
        .with_service(services::FindCustomers)
        .with_service(services::SetAccountBalance)
        .start()
        .await?;
    setup::configure(&server, peer).await?;
    println!("The CRM system is at http://{peer}. Call the services that use it:");
    println!("  curl -s http://{}/crm/customer -d '{{\"customer_id\": 1}}'", server.address());
    println!("  curl -s http://{}/crm/find -d '{{\"customer_id\": 1, \"type_id\": 2}}'", server.address());
    println!(
        "  curl -s http://{}/crm/balance -d '{{\"account_id\": 123, \"balance\": 45.67}}'",
        server.address()
    );
    server.run_until_signal().await;
    Ok(())
}
