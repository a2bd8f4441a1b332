//! The crate used alone: a small peer, a connection to it, calls, a ping, and an error.
//!
//! ```text
//! cargo run -p zato-outgoing --example alone
//! ```

use std::error::Error;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use zato_cid::{Form, SystemGenerator};
use zato_outgoing::{Config, Environment, Outgoing, Secret, Security};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(answer(listener));

    let outgoing = Outgoing::new(Environment::new("parallel/example/localhost/1/main")?);
    let mut config = Config::new(1, "CRM", format!("http://{address}"), "/customers/{id}");
    config.security =
        Some(Security::BasicAuth { username: "esb".to_owned(), password: Secret::from("s3cret") });
    outgoing.replace(config)?;

    let cids = SystemGenerator::new(Form::default());
    let crm = outgoing.plain_http("CRM")?;
    let response = crm.conn().post(cids.generate(), json!({"name": "Foo Bar"})).params([("id", 1)]).await?;
    println!("{} in {:?}: {}", response.status(), response.elapsed(), response.json::<Value>()?);
    println!("{}", crm.conn().ping(cids.generate()).await?);

    let Err(error) = crm.conn().get(cids.generate(), ()).await else { return Ok(()) };
    println!("{error}; may have been sent: {}", error.may_have_been_sent());
    Ok(())
}

/// Answers every request on every connection with the same JSON.
async fn answer(listener: TcpListener) -> std::io::Result<()> {
    const REPLY: &[u8] =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"found\": 1}";
    loop {
        let (mut stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while stream.read(&mut buffer).await? > 0 {
                // The body of a reply to HEAD is left out.
                let head = REPLY.len() - 12;
                let reply = if buffer.starts_with(b"HEAD") { &REPLY[..head] } else { REPLY };
                stream.write_all(reply).await?;
            }
            Ok::<_, std::io::Error>(())
        });
    }
}
