//! Pings on their default channels, `zato.helpers.*` and `zato.info.*`.

use serde_json::Value;
use zato_odb::Read;
use zato_odb::model::SecurityDefinition;

use crate::support::{House, envelope, request};

#[tokio::test]
async fn pings_on_their_own_channels() {
    let house = House::new().await;
    for (path, element) in [("/zato/ping", "zato_ping_response"), ("/zato/ping2", "zato_ping2_response")] {
        for body in ["", "{}", "\"\""] {
            let reply = house.post(path, None, body).await;
            assert_eq!(reply.status, 200, "{path} {body}: {}", reply.text());
            assert_eq!(reply.document()[element]["pong"], "zato");
        }
    }
    let name = "zato.ping.plain_http.basic_auth";
    let path = "/zato/ping.plain_http.basic_auth";
    assert_eq!(house.post(path, None, "").await.status, 401);
    assert_eq!(house.post(path, Some((name, &password(&house, name).await)), "").await.status, 200);

    let action = "zato.ping.soap.basic_auth";
    let soap = async |path: &str, login: Option<(&str, &str)>, body: String| {
        let mut request = request("POST", path, login, body);
        request.headers_mut().insert("soapaction", action.parse().unwrap());
        house.send(request).await
    };
    let ping = "<zato_ping_request/>";
    let login = password(&house, action).await;
    assert_eq!(soap("/zato/ping.soap.basic_auth", None, envelope(ping)).await.status, 401);
    let reply = soap("/zato/ping.soap.basic_auth", Some((action, &login)), envelope(ping)).await;
    assert!(reply.text().contains("<pong>zato</pong>"), "{}", reply.text());

    let name = "zato.ping.soap.wss.clear_text";
    let token = |password: &str| {
        let header = zato_soap::UsernameToken::text(name, password).header_xml();
        let header = header.as_str();
        format!(
            "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Header>{header}</e:Header>\
             <e:Body>{ping}</e:Body></e:Envelope>"
        )
    };
    assert_eq!(soap("/zato/ping.soap.wss.clear_text", None, token("wrong")).await.status, 401);
    let reply = soap("/zato/ping.soap.wss.clear_text", None, token(&password(&house, name).await)).await;
    assert!(reply.text().contains("<pong>zato</pong>"), "{}", reply.text());
}

async fn password(house: &House, name: &str) -> String {
    let definition =
        house.odb.find_by_name::<SecurityDefinition>(house.cluster_id, name).await.unwrap().unwrap();
    definition.password.unwrap().expose().to_owned()
}

#[tokio::test]
async fn an_echo_is_what_was_sent() {
    let house = House::new().await;
    let body = "{\"a\":  [1, 2.50],\n \"ż\": null}";
    let login = Some(("pubapi", crate::support::PUBAPI_PASSWORD));
    let reply = house.post("/zato/json/zato.helpers.echo", login, body).await;
    assert_eq!(reply.text(), body);
    assert_eq!(reply.headers["content-type"], "application/json");
    let payload = "<p:x xmlns:p=\"u\"><p:y/></p:x>";
    let reply = house.soap_payload("zato.helpers.echo", payload).await;
    assert_eq!(reply.text(), envelope(payload));
    assert_eq!(reply.headers["content-type"], "text/xml; charset=utf-8");
}

#[tokio::test]
async fn what_is_known_of_the_server() {
    let house = House::with(|settings| {
        settings.workers = 3;
        settings.host = "esb1/esb1.example.com".to_owned();
    })
    .await;
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], 17_010));
    let now = time::OffsetDateTime::now_utc();
    zato_admin::record_start(&house.odb, house.server_id, address, now).await.unwrap();
    let login = Some(("pubapi", crate::support::PUBAPI_PASSWORD));
    let document = house.post("/zato/json/zato.info.get-info", login, "").await.document();
    let server = &document["server1"];
    assert_eq!((&server["cluster_name"], &server["bind_port"]), (&Value::from("main"), &Value::from(17_010)));
    assert_eq!((&server["up_status"], &server["last_join_status"]), (&"running".into(), &"accepted".into()));
    assert!(server["up_mod_date"].as_str().unwrap().len() == 26, "{server}");
    let pid = std::process::id();
    let info = &server["info"];
    assert_eq!(info["master_proc_pid"], pid);
    assert_eq!(info["master_proc_workers_no"], 3);
    assert_eq!(info["component_details"]["created_user_host"], "esb1/esb1.example.com");
    assert!(info[format!("worker_{pid}_connections")].is_object(), "{info}");

    let reply = house.post("/zato/json/zato.info.get-server-info", login, "").await.document();
    let info: Value = serde_json::from_str(reply["response"]["info"].as_str().unwrap()).unwrap();
    assert_eq!(info["master_proc_pid"], pid);
    assert!(reply.get("zato_env").is_none(), "{reply}");

    zato_admin::record_stop(&house.odb, house.server_id, now).await.unwrap();
    let document = house.post("/zato/json/zato.info.get-info", login, "").await.document();
    assert_eq!(document["server1"]["up_status"], "clean-down");
    assert_eq!(document["server1"]["up_mod_date"], Value::Null);
}

#[tokio::test]
async fn faults_say_the_same_as_json_errors() {
    let house = House::new().await;
    let reply = house.soap("zato.security.basic-auth.delete", "<z:id>4711</z:id>").await;
    assert_eq!(reply.status, 404);
    assert!(reply.text().contains("No row was found: there is no HTTP Basic Auth definition with id [4711]"));
    let reply = house.soap("zato.security.basic-auth.delete", "").await;
    assert_eq!(reply.status, 500);
    assert!(reply.text().contains("<faultcode>SOAP-ENV:Client</faultcode>"), "{}", reply.text());
    assert!(reply.text().contains("Missing required element `id`"), "{}", reply.text());
    let reply = house.soap("zato.security.basic-auth.delete", "<z:id>one</z:id>").await;
    assert!(reply.text().contains("Element `id`: expected an integer"), "{}", reply.text());
}
