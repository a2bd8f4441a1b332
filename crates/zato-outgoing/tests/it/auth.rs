//! Credentials of each kind, as they arrive.

use http::{Request, Response, StatusCode};
use http_body_util::Full;
use zato_outgoing::{
    AwsCredentials, ClientCredentials, Config, Environment, Failure, Outgoing, Secret, Security, Transport,
};
use zato_soap::{Envelope, Limits};

use crate::peer::{Peer, chain, cid, connection};

async fn sent(peer: &Peer, security: Security) -> Request<bytes::Bytes> {
    let crm = connection(&peer.host(), "/a", |config| config.security = Some(security));
    assert!(!format!("{:?}", crm.conn().auth()).contains("s3cret"));
    crm.conn().post(cid(), "body").await.unwrap();
    peer.request()
}

#[tokio::test]
async fn tokens_and_keys() {
    let bearer = Security::Bearer { token: Secret::from("s3cret") };
    assert_eq!(sent(&Peer::saying("").await, bearer).await.headers()["Authorization"], "Bearer s3cret");
    let key = Security::ApiKey { header: "X-API-Key".to_owned(), key: Secret::from("s3cret") };
    assert_eq!(sent(&Peer::saying("").await, key).await.headers()["X-API-Key"], "s3cret");
}

#[tokio::test]
async fn aws_signatures() {
    let aws = Security::Aws(AwsCredentials::new("AKID", "s3cret", "eu-central-1", "execute-api"));
    let request = sent(&Peer::saying("").await, aws).await;
    let header = request.headers()["Authorization"].to_str().unwrap();
    let scope = "AWS4-HMAC-SHA256 Credential=AKID/20130426/eu-central-1/execute-api/aws4_request, ";
    assert!(header.starts_with(scope), "{header}");
    assert_eq!(request.headers()["X-Amz-Date"], "20130426T234145Z");
}

#[tokio::test]
async fn digest() {
    let peer = Peer::answering(|request| {
        let response = Response::builder();
        let response = match request.headers().get("Authorization") {
            Some(header) if header.to_str().unwrap().starts_with("Digest username=\"user\"") => response,
            _ => response
                .status(StatusCode::UNAUTHORIZED)
                .header("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\", qop=\"auth\""),
        };
        response.body(Full::default()).unwrap()
    })
    .await;
    let crm = connection(&peer.host(), "/a", |config| {
        let (username, password) = ("user".to_owned(), Secret::from("s3cret"));
        config.security = Some(Security::Digest { username, password });
    });
    for requests in [2, 3] {
        assert_eq!(crm.conn().post(cid(), "body").await.unwrap().status(), 200);
        assert_eq!(peer.requests(), requests);
    }
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn oauth() {
    let peer = Peer::answering(|request| {
        Response::new(Full::from(match request.uri().path() {
            "/token" => r#"{"access_token": "t0ken", "token_type": "Bearer", "expires_in": 3600}"#,
            _ if request.headers()["Authorization"] == "Bearer t0ken" => "welcome",
            _ => "go away",
        }))
    })
    .await;
    let url = format!("{}/token", peer.host());
    let crm = connection(&peer.host(), "/a", |config| {
        config.security = Some(Security::OAuth(ClientCredentials::new(&*url, "id", "s3cret")));
        // The token is fetched by way of the same pool, which must not wait for itself.
        config.pool_size = 1;
    });
    for _ in 0..2 {
        assert_eq!(crm.conn().get(cid(), ()).await.unwrap().text(), "welcome");
    }
    assert_eq!((peer.requests(), peer.connections()), (3, 1));
    let agents = peer.all_requests().into_iter().map(|request| request.headers()["User-Agent"].clone());
    assert!(agents.collect::<Vec<_>>().windows(2).all(|pair| pair[0] == pair[1]));
}

/// Some servers know by it at which of them, or in which session, the request was refused.
#[tokio::test]
async fn a_cookie_of_a_refusal_goes_with_the_request_sent_again() {
    let peer = Peer::answering(|request| {
        let headers = request.headers();
        if request.uri().path() == "/token" {
            return Response::new(Full::from(r#"{"access_token": "t0ken", "token_type": "Bearer"}"#));
        }
        match headers.get("Cookie").filter(|_| headers.contains_key("Authorization")) {
            Some(cookie) => Response::new(Full::from(cookie.to_str().unwrap().to_owned())),
            None => Response::builder()
                .status(StatusCode::UNAUTHORIZED)
                .header("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"")
                .header("Set-Cookie", "session=1; Path=/")
                .body(Full::default())
                .unwrap(),
        }
    })
    .await;
    let digest = Security::Digest { username: "user".to_owned(), password: Secret::from("s3cret") };
    let client = ClientCredentials::new(format!("{}/token", peer.host()), "id", "s3cret");
    for security in [digest, Security::OAuth(client)] {
        let crm = connection(&peer.host(), "/a", |config| config.security = Some(security.clone()));
        assert_eq!(crm.conn().post(cid(), "body").await.unwrap().text(), "session=1");
        let own = connection(&peer.host(), "/a", |config| config.security = Some(security));
        let call = own.conn().post(cid(), "body").header("Cookie", "own=1");
        assert_eq!(call.await.unwrap().text(), "own=1");
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let peer = Peer::answering(|_| {
        let said = r#"{"error": "invalid_client", "error_description": "s3cret is wrong"}"#;
        Response::builder().status(StatusCode::UNAUTHORIZED).body(Full::from(said)).unwrap()
    })
    .await;
    let crm = connection(&peer.host(), "/a", |config| {
        let client = ClientCredentials::new(format!("{}/token", peer.host()), "id", "s3cret");
        config.security = Some(Security::OAuth(client));
    });
    let error = crm.conn().get(cid(), ()).await.unwrap_err();
    assert!(matches!(error.kind(), Failure::Token(_)));
    assert!(!error.may_have_been_sent());
    let expected = "`CRM`: there is no access token for the request: \
                    the token endpoint replied with status 401: invalid_client (... is wrong)";
    assert_eq!(chain(&error), expected);
    assert_eq!(peer.request().uri(), "/token");
}

#[tokio::test]
async fn ws_security_with_a_digest() {
    let peer = Peer::saying("").await;
    let crm = connection(&peer.host(), "/", |config| {
        config.transport = Transport::Soap { version: zato_soap::Version::V12, action: String::new() };
        let (username, password) = ("user".to_owned(), Secret::from("s3cret"));
        config.security = Some(Security::WsSecurityDigest { username, password });
    });
    crm.conn().post(cid(), "<data/>").await.unwrap();
    let request = peer.request();
    let text = std::str::from_utf8(request.body()).unwrap();
    let document = zato_soap::parse(text, &Limits::default()).unwrap();
    let token = Envelope::of(&document).unwrap().username_token().unwrap().unwrap();
    assert!(token.verify("s3cret") && !text.contains("s3cret"));
    assert_eq!(token.created(), Some("2013-04-26T23:41:45.271911Z"));
}

#[tokio::test]
async fn changed_credentials_apply_to_the_next_call() {
    let peer = Peer::answering(|request| {
        let header = request.headers()["Authorization"].to_str().unwrap().to_owned();
        Response::new(Full::from(header))
    })
    .await;
    let outgoing = Outgoing::new(Environment::new("test").unwrap());
    for token in ["one", "two"] {
        let mut config = Config::new(1, "CRM", peer.host(), "/");
        config.security = Some(Security::Bearer { token: Secret::from(token) });
        outgoing.replace(config).unwrap();
        let crm = outgoing.plain_http("CRM").unwrap();
        assert_eq!(crm.conn().get(cid(), ()).await.unwrap().text(), format!("Bearer {token}"));
    }
}
