//! The server under measurement: the whole one, with a typed service of 1 KB in and 1 KB out.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use zato_server::{Config, Server};
use zato_service::{Context, Description, Service};

use crate::Error;

/// The service's name.
pub(crate) const SERVICE: &str = "bench.customer";

/// What comes in and goes out: numbers, a flag and about 1 KB of text.
#[derive(Serialize, Deserialize)]
pub(crate) struct Customer {
    pub(crate) customer_id: i64,
    pub(crate) is_active: bool,
    pub(crate) name: String,
    pub(crate) street: String,
    pub(crate) city: String,
    pub(crate) notes: String,
}

impl Customer {
    pub(crate) fn sample() -> Self {
        Self {
            customer_id: 123_456,
            is_active: true,
            name: "Foo Bar".to_owned(),
            street: "Some Street 12".to_owned(),
            city: "A town somewhere".to_owned(),
            notes: "What was said on the telephone, in detail. ".repeat(20),
        }
    }
}

struct Echo;

impl Service for Echo {
    type Input = Customer;
    type Output = Customer;

    fn description(&self) -> Description {
        Description::new(SERVICE).response_element(Some("bench_customer_response"))
    }

    async fn handle(&self, _cx: &mut Context, customer: Customer) -> Result<Customer, zato_service::Error> {
        Ok(customer)
    }
}

pub(crate) fn serve(data_dir: PathBuf) -> Result<(), Error> {
    let config = Config { http: ([127, 0, 0, 1], 0).into(), log: "warn".to_owned(), ..Config::new(data_dir) };
    Ok(tokio::runtime::Runtime::new()?.block_on(Server::new(config).with_service(Echo).run())?)
}
