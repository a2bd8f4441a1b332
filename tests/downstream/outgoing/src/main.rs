//! A program that uses `zato-outgoing` alone: it calls a system that is not there and is told how far it got.

use std::error::Error;

use zato_outgoing::{Config, Environment, Failure, Outgoing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // A port that was free a moment ago: nobody listens there.
    let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let outgoing = Outgoing::new(Environment::new("downstream")?);
    outgoing.replace(Config::new(1, "CRM", format!("http://{address}"), "/"))?;

    let cid = "K21353002988419985838198535608".parse()?;
    let error = match outgoing.plain_http("CRM")?.conn().post(cid, "hello").await {
        Ok(response) => return Err(format!("somebody answered: {}", response.status()).into()),
        Err(error) => error,
    };
    assert!(!error.may_have_been_sent());
    assert!(!matches!(error.kind(), Failure::Inactive));
    println!("{error}");
    Ok(())
}
