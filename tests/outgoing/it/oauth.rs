//! An authorization server by Authlib and a resource behind it: tokens by either way of authentication, replaced before they expire
//! and after they were refused.

use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::Method;
use serde_json::{Value, json};
use zato_outgoing::{
    Body, ClientAuthentication, ClientCredentials, Connection, Failure, Phase, Response, Secret, Security,
};

use crate::support::peer::Peer;
use crate::support::{chain, cid, connection};

/// How long the server's tokens are good for.
const LIFETIME: Duration = Duration::from_secs(3600);

/// The address of the one server of this process.
fn host() -> &'static str {
    static PEER: OnceLock<(Peer, String)> = OnceLock::new();
    let (_, host) = PEER.get_or_init(|| {
        let (peer, address) = Peer::python("oauth_server.py");
        (peer, format!("http://{address}"))
    });
    host
}

fn client(client_id: &str, change: impl FnOnce(&mut ClientCredentials)) -> Connection {
    let secret = if client_id.starts_with("basic") { "s3cret-._~" } else { "s3cret &+/% more" };
    let mut client = ClientCredentials::new(format!("{}/token", host()), client_id, secret);
    client.scope = Some("read".to_owned());
    change(&mut client);
    connection(host(), "/resource", |config| config.security = Some(Security::OAuth(client)))
}

/// A client who authenticates by Basic. Each test has a name of its own, by which the server counts.
fn basic(client_id: &str) -> Connection {
    client(client_id, |_| {})
}

async fn reply(connection: &Connection) -> Response {
    let response =
        connection.conn().post(cid(), "body").await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!(response.status(), 200, "{}", response.text());
    response
}

/// Asks the server for something about a client, without a token.
async fn ask(method: Method, what: &str, client_id: &str) -> Response {
    let asking = connection(host(), &format!("/{what}/{client_id}"), |_| {});
    let path = format!("/{what}/{client_id}");
    asking.conn().session().request(cid(), method, path).await.unwrap().raise_for_status().unwrap()
}

async fn issued(client_id: &str) -> u64 {
    ask(Method::GET, "issued", client_id).await.json().unwrap()
}

/// Lets the clock of this side go on, without waiting. The server's own one does not notice.
async fn let_pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn both_ways_of_authentication() {
    for (client_id, authentication) in
        [("basic-way", ClientAuthentication::Basic), ("post-way", ClientAuthentication::Params)]
    {
        let crm = client(client_id, |client| client.client_authentication = authentication);
        for _ in 0..3 {
            let said: Value = reply(&crm).await.json().unwrap();
            assert_eq!(said, json!({"client": client_id, "scope": "read", "body": "body"}));
        }
        assert_eq!(issued(client_id).await, 1);

        // The server holds each client to its own way.
        let other = match authentication {
            ClientAuthentication::Basic => ClientAuthentication::Params,
            _ => ClientAuthentication::Basic,
        };
        let crm = client(client_id, |client| client.client_authentication = other);
        assert!(matches!(crm.conn().get(cid(), ()).await.unwrap_err().kind(), Failure::Token(_)));
    }
}

#[tokio::test]
async fn waiting_for_the_token_is_a_phase() {
    let response = reply(&basic("basic-phase")).await;
    assert!(response.timing().phase(Phase::Token) > Duration::ZERO);
}

#[tokio::test]
async fn a_token_is_replaced_before_it_expires() {
    let crm = basic("basic-early");
    reply(&crm).await;
    let_pass(LIFETIME - Duration::from_secs(60)).await;
    reply(&crm).await;
    assert_eq!(issued("basic-early").await, 1);
    // From half a minute before its end on.
    let_pass(Duration::from_secs(31)).await;
    reply(&crm).await;
    reply(&crm).await;
    assert_eq!(issued("basic-early").await, 2);
}

/// Many calls at once that need a token have one issued.
#[tokio::test]
async fn calls_at_once_share_a_token() {
    let crm = basic("basic-many");
    for round in 1..=2 {
        let calls: Vec<_> = (0..20).map(|_| tokio::spawn(crm.conn().get(cid(), ()).into_future())).collect();
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap().status(), 200);
        }
        assert_eq!(issued("basic-many").await, round);
        let_pass(LIFETIME).await;
    }
}

#[tokio::test]
async fn a_token_that_the_server_has_ended_is_replaced() {
    for what in ["expire", "revoke"] {
        let client_id = format!("basic-{what}");
        let crm = basic(&client_id);
        reply(&crm).await;
        ask(Method::POST, what, &client_id).await;
        reply(&crm).await;
        assert_eq!(issued(&client_id).await, 2, "{what}");
    }
}

/// A stream cannot be sent twice, so that its caller is told, and the next call has a new token.
#[tokio::test]
async fn a_stream_is_not_sent_again_with_another_token() {
    let crm = basic("basic-stream");
    reply(&crm).await;
    ask(Method::POST, "revoke", "basic-stream").await;
    let streamed = || Body::streamed(stream::iter([Ok::<_, std::io::Error>(Bytes::from("a"))]), None);
    assert_eq!(crm.conn().post(cid(), streamed()).await.unwrap().status(), 401);
    assert_eq!(crm.conn().post(cid(), streamed()).await.unwrap().status(), 200);
}

#[tokio::test]
async fn scopes() {
    let crm = client("basic-scope", |client| client.scope = Some("write".to_owned()));
    let response = crm.conn().get(cid(), ()).await.unwrap();
    assert_eq!(response.status(), 403);
    assert!(response.text().contains("insufficient_scope"), "{}", response.text());
    let crm = client("basic-scope", |client| client.scope = Some("read write".to_owned()));
    assert_eq!(reply(&crm).await.json::<Value>().unwrap()["scope"], "read write");
}

#[tokio::test]
async fn a_wrong_secret() {
    let crm = client("basic-wrong", |client| client.client_secret = Secret::from("wr0ng"));
    let error = crm.conn().post(cid(), "body").await.unwrap_err();
    assert!(matches!(error.kind(), Failure::Token(_)), "{error:?}");
    assert!(!error.may_have_been_sent());
    let chain = chain(&error);
    assert!(chain.contains("the token endpoint replied with status 401: invalid_client"), "{chain}");
    assert!(!chain.contains("wr0ng") && !format!("{error:?}").contains("wr0ng"), "{chain}");
    assert_eq!(issued("basic-wrong").await, 0);
}
