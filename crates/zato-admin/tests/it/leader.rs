//! One server of a cluster leads, and another one when it is gone.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use zato_admin::{BootstrapOptions, Leadership, LeaseTimes, bootstrap, holds_lease};
use zato_odb::model::Cluster;
use zato_odb::{Odb, OdbConfig, Read, SecretKey};
use zato_service::Registry;

/// Short enough to be waited for; a hold is so much shorter than the expiry that no busy machine makes them meet.
const SHORT: LeaseTimes = LeaseTimes {
    renewal: Duration::from_millis(30),
    hold: Duration::from_millis(300),
    expiry: Duration::from_millis(1200),
    look: Duration::from_millis(10),
};

/// What must not be waited for in a test takes longer than any test.
const LONG: LeaseTimes =
    LeaseTimes { hold: Duration::from_secs(600), expiry: Duration::from_secs(1200), ..SHORT };

/// How long anything else may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

struct Member {
    leadership: Leadership,
    leads: watch::Receiver<bool>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Member {
    fn start(odb: &Odb, (cluster_id, server_id): (i64, i64), times: LeaseTimes) -> Self {
        let leadership = Leadership::new(odb.clone(), cluster_id, server_id, times);
        let stop = CancellationToken::new();
        let task = tokio::spawn(leadership.clone().run(stop.clone()));
        Self { leads: leadership.subscribe(), leadership, stop, task }
    }

    async fn leads(&mut self) {
        self.leads.wait_for(|leads| *leads).await.unwrap();
    }
}

async fn cluster_of_two() -> (tempfile::TempDir, Odb, [(i64, i64); 2]) {
    let folder = tempfile::tempdir().unwrap();
    let key = Arc::new(SecretKey::generate().unwrap());
    let odb = Odb::open(&OdbConfig::sqlite(folder.path().join("odb"), key)).await.unwrap();
    let mut ids = [(0, 0); 2];
    for (index, id) in ids.iter_mut().enumerate() {
        let options = BootstrapOptions {
            cluster_name: "main".to_owned(),
            server_name: format!("server{index}"),
            host: "test".to_owned(),
            pubapi_password: None,
            admin_invoke_password: None,
        };
        let cluster = bootstrap(&odb, &Registry::new(), &options).await.unwrap();
        *id = (cluster.cluster_id, cluster.server_id);
    }
    (folder, odb, ids)
}

async fn recorded(odb: &Odb, cluster_id: i64) -> Option<i64> {
    odb.find::<Cluster>(cluster_id).await.unwrap().unwrap().cw_srv_id
}

#[tokio::test]
async fn a_leader_that_stops_is_replaced_at_once() {
    let (_folder, odb, [one, two]) = cluster_of_two().await;
    let mut first = Member::start(&odb, one, LONG);
    first.leads().await;
    let mut second = Member::start(&odb, two, LONG);
    assert_eq!(recorded(&odb, one.0).await, Some(one.1));
    assert!(!second.leadership.leads());
    first.stop.cancel();
    first.task.await.unwrap();
    assert!(!first.leadership.leads());
    tokio::time::timeout(PATIENCE, second.leads()).await.expect("the lease was given back");
    second.stop.cancel();
    second.task.await.unwrap();
    assert_eq!(recorded(&odb, one.0).await, None);
}

#[tokio::test]
async fn a_leader_that_dies_is_replaced_when_its_lease_has_expired() {
    let (_folder, odb, [one, two]) = cluster_of_two().await;
    let mut first = Member::start(&odb, one, SHORT);
    first.leads().await;
    let mut second = Member::start(&odb, two, SHORT);
    first.task.abort();
    let renewed = odb.find::<Cluster>(one.0).await.unwrap().unwrap().cw_srv_keep_alive_dt.unwrap();
    second.leads().await;
    let expired = OffsetDateTime::now_utc() - renewed;
    assert!(expired >= SHORT.expiry, "{expired:?}");
    let tx = odb.begin().await.unwrap();
    assert!(!holds_lease(&tx, one.0, one.1).await.unwrap());
    assert!(holds_lease(&tx, two.0, two.1).await.unwrap());
}

#[tokio::test]
async fn a_leader_that_comes_back_goes_on_at_once() {
    let (_folder, odb, [one, _]) = cluster_of_two().await;
    let mut first = Member::start(&odb, one, LONG);
    first.leads().await;
    first.task.abort();
    let mut again = Member::start(&odb, one, LONG);
    tokio::time::timeout(PATIENCE, again.leads()).await.expect("it knows its own lease");
}

#[tokio::test]
async fn a_leader_that_is_cut_off_stops_before_another_begins() {
    let (_folder, odb, [one, two]) = cluster_of_two().await;
    let mut first = Member::start(&odb, one, SHORT);
    first.leads().await;
    let mut second = Member::start(&odb, two, SHORT);
    // Nobody can write while this transaction is open: neither renew nor take the lease.
    let tx = odb.begin().await.unwrap();
    first.leads.wait_for(|leads| !leads).await.unwrap();
    assert!(!second.leadership.leads());
    drop(tx);
    tokio::select! {
        () = first.leads() => assert!(!second.leadership.leads()),
        () = second.leads() => assert!(!first.leadership.leads()),
    }
}

#[tokio::test]
async fn a_lease_that_somebody_else_has_is_given_up() {
    let (_folder, odb, [one, two]) = cluster_of_two().await;
    let mut first = Member::start(&odb, one, LONG);
    first.leads().await;
    let mut tx = odb.begin().await.unwrap();
    let mut cluster = tx.find::<Cluster>(one.0).await.unwrap().unwrap();
    cluster.cw_srv_id = Some(two.1);
    tx.update(&cluster).await.unwrap();
    tx.commit().await.unwrap();
    first.leads.wait_for(|leads| !leads).await.unwrap();
}
