//! The three services.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zato_service::{Context, Description, Error, Service};

/// Posts JSON to one system and pings another.
pub(crate) struct GetCustomer;

#[derive(Deserialize)]
pub(crate) struct CustomerRequest {
    customer_id: i64,
}

#[derive(Serialize)]
pub(crate) struct Customer {
    content_type: Option<String>,
    profile: Value,
    cases_ping: String,
}

impl Service for GetCustomer {
    type Input = CustomerRequest;
    type Output = Customer;

    fn description(&self) -> Description {
        Description::new("crm.customer.get")
    }

    async fn handle(&self, cx: &mut Context, request: CustomerRequest) -> Result<Customer, Error> {
        let profile = cx.outgoing().plain_http("CRM Customer Profile")?;
        let cases = cx.outgoing().plain_http("CRM Customer Cases")?;

        let request = json!({"cust_id": request.customer_id, "name": "Foo Bar"});
        let response = profile.conn().post(cx.cid(), request).await?;
        tracing::info!(content_type = ?response.header("content-type"), "{}", response.text());

        let ping = cases.conn().ping(cx.cid()).await?;
        tracing::info!("{ping}");

        Ok(Customer {
            content_type: response.header("content-type").map(str::to_owned),
            profile: response.json()?,
            cases_ping: ping.to_string(),
        })
    }
}

/// Gets with parameters in the query string.
pub(crate) struct FindCustomers;

#[derive(Deserialize)]
pub(crate) struct Search {
    customer_id: i64,
    type_id: i64,
}

impl Service for FindCustomers {
    type Input = Search;
    type Output = Value;

    fn description(&self) -> Description {
        Description::new("crm.customer.find")
    }

    async fn handle(&self, cx: &mut Context, search: Search) -> Result<Value, Error> {
        let out = cx.outgoing().plain_http("CRM Connection")?;
        let parameters = [("id", search.customer_id), ("type_id", search.type_id)];
        let response = out.conn().get(cx.cid(), parameters).await?;
        tracing::info!("{}", response.text());
        Ok(response.json()?)
    }
}

/// Sends the body of a SOAP message; the envelope is the connection's business.
pub(crate) struct SetAccountBalance;

#[derive(Deserialize)]
pub(crate) struct Balance {
    account_id: i64,
    balance: f64,
}

#[derive(Serialize)]
pub(crate) struct Answer {
    result: String,
}

impl Service for SetAccountBalance {
    type Input = Balance;
    type Output = Answer;

    fn description(&self) -> Description {
        Description::new("crm.account.set-balance")
    }

    async fn handle(&self, cx: &mut Context, request: Balance) -> Result<Answer, Error> {
        let service = cx.outgoing().soap("Set Account Balance")?;
        let body = format!("<data><id>{}</id><val>{}</val></data>", request.account_id, request.balance);
        let response = service.conn().send(cx.cid(), body).await?;
        Ok(Answer { result: response.text().into_owned() })
    }
}
