//! `zato.server`: servers are shown, renamed and deleted, and one is made the leader.

use serde_json::json;
use zato_admin::{BootstrapOptions, bootstrap};
use zato_odb::Read;
use zato_odb::model::{Cluster, Server};

use crate::support::{House, options};

/// Another server of the same cluster that was started once.
pub(crate) async fn another(house: &House) -> i64 {
    let options = BootstrapOptions { server_name: "server2".to_owned(), ..options() };
    bootstrap(&house.odb, house.environment.registry(), &options).await.unwrap().server_id
}

#[tokio::test]
async fn a_server_is_renamed() {
    let house = House::new().await;
    let id = house.server_id;
    another(&house).await;
    let shown = house.ok("zato.server.get-by-id", json!({ "id": id })).await;
    assert_eq!((&shown["name"], &shown["last_join_status"]), (&json!("server1"), &json!("accepted")));
    assert_eq!((&shown["bind_port"], &shown["up_status"]), (&json!(null), &json!(null)));
    let edited = house.ok("zato.server.edit", json!({"id": id, "name": "esb1"})).await;
    assert_eq!(edited["name"], "esb1");
    assert_eq!(edited["host"], shown["host"]);
    let taken = "A server of that name [server2] already exists on this cluster";
    house.fails("zato.server.edit", json!({"id": id, "name": "server2"}), 409, taken).await;
    house.fails("zato.server.get-by-id", json!({"id": 999}), 404, "there is no server with id [999]").await;
}

#[tokio::test]
async fn a_server_deletes_others_but_not_itself() {
    let house = House::new().await;
    let (own, other) = (house.server_id, another(&house).await);
    let refused = format!("A server cannot delete itself, id:[{own}], name:[server1]");
    house.fails("zato.server.delete", json!({ "id": own }), 409, &refused).await;
    house.ok("zato.server.delete", json!({ "id": other })).await;
    assert_eq!(house.odb.find::<Server>(other).await.unwrap(), None);
    house.fails("zato.server.delete", json!({ "id": other }), 404, &format!("[{other}]")).await;
}

#[tokio::test]
async fn a_server_is_made_the_leader_and_kept_alive() {
    let house = House::new().await;
    let cx = house.environment.context(
        house.environment.new_cid(),
        zato_service::ChannelKind::Invoke,
        zato_service::Origin::default(),
    );
    let keep_alive =
        |server_id: i64, cluster_id: i64| json!(format!("server_id:{server_id};cluster_id:{cluster_id}"));
    let service = "zato.server.cluster-wide-singleton-keep-alive";
    let own = keep_alive(house.server_id, house.cluster_id);
    let error = cx.invoke::<_, ()>(service, &own).await.unwrap_err();
    assert!(error.message().contains("can't say"), "{error}");

    cx.invoke::<_, ()>("zato.server.ensure-cluster-wide-singleton", &json!({})).await.unwrap();
    assert!(house.leadership.leads());
    let lease = || async { house.odb.find::<Cluster>(house.cluster_id).await.unwrap().unwrap() };
    let before = lease().await;
    assert_eq!(before.cw_srv_id, Some(house.server_id));
    cx.invoke::<_, ()>(service, &own).await.unwrap();
    assert!(lease().await.cw_srv_keep_alive_dt > before.cw_srv_keep_alive_dt);

    for (payload, message) in [
        (keep_alive(house.server_id + 1, house.cluster_id), "can't say"),
        (keep_alive(house.server_id, 999), "belongs to cluster"),
        (json!("server_id:x"), "server_id:1;cluster_id:1"),
    ] {
        let error = cx.invoke::<_, ()>(service, &payload).await.unwrap_err();
        assert!(error.message().contains(message), "{error}");
    }
}
