//! The `soap` server of the npm registry, which checks WS-Security by itself.

use std::sync::OnceLock;

use zato_outgoing::{Connection, Response, Secret, Security, Transport};
use zato_soap::Version;

use crate::support::peer::Peer;
use crate::support::{cid, connection};

const VERSIONS: [(Version, &str); 2] = [(Version::V11, "11"), (Version::V12, "12")];

/// The password has what XML must escape.
fn password() -> Secret {
    Secret::from("s3cret & <more>")
}

fn text(password: Secret) -> Security {
    Security::WsSecurity { username: "esb".to_owned(), password }
}

fn digest(password: Secret) -> Security {
    Security::WsSecurityDigest { username: "esb".to_owned(), password }
}

fn soap(version: Version, path: &str, security: Option<Security>) -> Connection {
    static PEER: OnceLock<(Peer, String)> = OnceLock::new();
    let (_, host) = PEER.get_or_init(|| {
        let (peer, address) = Peer::soap();
        (peer, format!("http://{address}"))
    });
    connection(host, path, |config| {
        config.transport = Transport::Soap { version, action: "urn:accounts/Balance".to_owned() };
        config.security = security;
    })
}

async fn balance(connection: &Connection, account: &str) -> Response {
    let request =
        format!("<BalanceRequest xmlns=\"urn:accounts\"><account>{account}</account></BalanceRequest>");
    connection.conn().send(cid(), request).await.unwrap()
}

#[track_caller]
fn check_balance(response: &Response, account: &str) {
    assert_eq!(response.status(), 200, "{}", response.text());
    assert!(response.soap_fault().unwrap().is_none());
    let texts = response.soap(|envelope| {
        let payload = envelope.payload().unwrap();
        let texts = payload.children().filter(|node| node.is_element());
        texts.map(|node| node.text().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    });
    assert_eq!(texts.unwrap(), ["45.67".to_owned(), format!("Zażółć & {account}")]);
}

#[tokio::test]
async fn both_versions_without_credentials() {
    for (version, path) in VERSIONS {
        check_balance(&balance(&soap(version, &format!("/{path}/open"), None), "7").await, "7");
    }
}

#[tokio::test]
async fn passwords_as_text() {
    for (version, path) in VERSIONS {
        let crm = soap(version, &format!("/{path}/text"), Some(text(password())));
        check_balance(&balance(&crm, "8").await, "8");
    }
}

#[tokio::test]
async fn passwords_as_digest() {
    for (version, path) in VERSIONS {
        let crm = soap(version, &format!("/{path}/digest"), Some(digest(password())));
        // The server takes each nonce once only.
        for account in ["1", "2", "3"] {
            check_balance(&balance(&crm, account).await, account);
        }
    }
}

#[tokio::test]
async fn wrong_passwords_are_faults() {
    for (version, path) in VERSIONS {
        for (kind, security) in
            [("text", text(Secret::from("wrong"))), ("digest", digest(Secret::from("wrong")))]
        {
            let crm = soap(version, &format!("/{path}/{kind}"), Some(security));
            let response = balance(&crm, "1").await;
            assert_eq!(response.status(), 401, "{}", response.text());
            let fault = response.soap_fault().unwrap().unwrap();
            // Its own refusals are in the form of SOAP 1.2, whatever the version of the envelope.
            let said = if version == Version::V12 { fault.string.into() } else { response.text() };
            assert!(said.contains("Invalid username or password"), "{said}");
        }
    }
}

#[tokio::test]
async fn faults_of_the_service() {
    for (version, path, account) in [(Version::V11, "11", "unknown"), (Version::V12, "12", "unknown12")] {
        let response = balance(&soap(version, &format!("/{path}/open"), None), account).await;
        assert_eq!(response.status(), 500);
        assert_eq!(response.soap_fault().unwrap().unwrap().string, "no such account", "{}", response.text());
    }
}
