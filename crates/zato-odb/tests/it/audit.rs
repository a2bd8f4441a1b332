//! The audit of channels: many entries at once, what lists show of them, and what is let go of.

use time::Duration;
use time::macros::datetime;
use zato_odb::model::{HttpSoapAudit, HttpSoapAuditFilter};
use zato_odb::{Odb, Read};

use crate::fixture::{Fixture, channel, insert, on_both};

on_both! {
    entries_are_stored_and_listed_in_their_order,
    entries_are_searched,
    old_entries_and_those_beyond_a_number_are_let_go_of,
}

const NOON: time::OffsetDateTime = datetime!(2026-02-28 12:00 UTC);

/// The entry of a call that came in so many minutes after noon.
fn entry(cluster_id: i64, conn_id: i64, minutes: i64) -> HttpSoapAudit {
    HttpSoapAudit {
        id: 0,
        cluster_id,
        name: "CRM".to_owned(),
        cid: format!("K{minutes}"),
        transport: "plain_http".to_owned(),
        connection: "channel".to_owned(),
        req_time: NOON + Duration::minutes(minutes),
        resp_time: None,
        user_token: None,
        invoke_ok: Some(true),
        auth_ok: None,
        remote_addr: "127.0.0.1".to_owned(),
        req_headers: None,
        req_payload: Some(vec![0, 255]),
        resp_headers: None,
        resp_payload: None,
        conn_id,
    }
}

async fn channels(odb: &Odb, cluster_id: i64) -> [i64; 2] {
    let mut ids = [0; 2];
    for (id, name) in ids.iter_mut().zip(["one", "two"]) {
        *id = insert(odb, &channel(cluster_id, name, &format!("/{name}"))).await.unwrap().id;
    }
    ids
}

async fn store(odb: &Odb, entries: &[HttpSoapAudit]) {
    let transaction = odb.begin().await.unwrap();
    transaction.insert_audit(entries).await.unwrap();
    transaction.commit().await.unwrap();
}

async fn cids(odb: &Odb, cluster_id: i64, filter: &HttpSoapAuditFilter) -> Vec<String> {
    let page = odb.audit_page(cluster_id, filter, 0, 1000).await.unwrap();
    assert_eq!(page.total, page.items.len() as u64);
    page.items.into_iter().map(|item| item.cid).collect()
}

async fn entries_are_stored_and_listed_in_their_order(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let [one, two] = channels(&odb, cluster_id).await;
    store(&odb, &[]).await;
    let entries: Vec<_> = (0..450).map(|minutes| entry(cluster_id, one, minutes)).collect();
    store(&odb, &entries).await;
    store(&odb, &[entry(cluster_id, two, -1)]).await;
    let filter = HttpSoapAuditFilter { conn_id: Some(one), ..HttpSoapAuditFilter::default() };
    let page = odb.audit_page(cluster_id, &filter, 448, 5).await.unwrap();
    assert_eq!((page.total, page.items.len()), (450, 2));
    let last = &page.items[1];
    let (cid, time) = (last.cid.as_str(), last.req_time);
    assert_eq!((cid, time, last.resp_time), ("K449", NOON + Duration::minutes(449), None));
    assert_eq!((last.invoke_ok, last.auth_ok, &*last.remote_addr), (Some(true), None, "127.0.0.1"));
    let stored: HttpSoapAudit = odb.find(last.id).await.unwrap().unwrap();
    assert_eq!(stored, HttpSoapAudit { id: last.id, ..entry(cluster_id, one, 449) });
    let mut audited = odb.audited_channels(cluster_id).await.unwrap();
    audited.sort_unstable();
    assert_eq!(audited, [one, two]);
    assert_eq!(odb.audited_channels(4711).await.unwrap(), [0; 0]);
}

async fn entries_are_searched(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let [one, _] = channels(&odb, cluster_id).await;
    let of = |minutes| entry(cluster_id, one, minutes);
    store(
        &odb,
        &[
            HttpSoapAudit { user_token: Some("crm_user".to_owned()), ..of(0) },
            HttpSoapAudit { req_headers: Some(b"{\"accept\":\"50%\"}".to_vec()), ..of(1) },
            HttpSoapAudit {
                req_payload: Some(b"\xffC:\\Dir\0END".to_vec()),
                resp_payload: Some("\u{17c}\u{f3}\u{142}w!".as_bytes().to_vec()),
                ..of(2)
            },
        ],
    )
    .await;
    let check = async |filter: HttpSoapAuditFilter, expected: &[&str]| {
        assert_eq!(cids(&odb, cluster_id, &filter).await, expected, "{filter:?}");
    };
    let containing = |text: &str| HttpSoapAuditFilter {
        containing: Some(text.to_owned()),
        ..HttpSoapAuditFilter::default()
    };
    check(containing("m_u"), &["K0"]).await;
    check(containing("50%"), &["K1"]).await;
    check(containing("5_%"), &[]).await;
    check(containing("\u{142}w!"), &["K2"]).await;
    check(containing("K2"), &["K2"]).await;
    check(containing("127.0"), &["K0", "K1", "K2"]).await;
    check(containing("\0"), &["K0", "K1", "K2"]).await;
    check(containing("\\"), &["K2"]).await;
    check(containing("c:\\dIR\0end"), &["K2"]).await;
    check(containing("\\377"), &[]).await;
    check(containing("M_U"), &["K0"]).await;
    check(containing("ACCEPT"), &["K1"]).await;
    check(containing("k2"), &["K2"]).await;
    check(containing("\u{17b}\u{d3}\u{141}W!"), &["K2"]).await;
    check(containing("o\u{301}"), &[]).await;
    let cid = |cid: &str| HttpSoapAuditFilter { cid: Some(cid.to_owned()), ..HttpSoapAuditFilter::default() };
    check(cid("K1"), &["K1"]).await;
    check(cid("K"), &[]).await;
    let since = HttpSoapAuditFilter { since: Some(of(1).req_time), ..HttpSoapAuditFilter::default() };
    check(since.clone(), &["K1", "K2"]).await;
    check(HttpSoapAuditFilter { until: Some(of(1).req_time), ..since }, &["K1"]).await;
}

async fn old_entries_and_those_beyond_a_number_are_let_go_of(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let [one, two] = channels(&odb, cluster_id).await;
    let entries: Vec<_> = (0..10).map(|minutes| entry(cluster_id, one, minutes)).collect();
    store(&odb, &entries).await;
    store(&odb, &[entry(cluster_id, two, 0)]).await;
    let trim = async |minutes, keep| {
        let transaction = odb.begin().await.unwrap();
        let removed = transaction.trim_audit(one, NOON + Duration::minutes(minutes), keep).await.unwrap();
        transaction.commit().await.unwrap();
        removed
    };
    assert_eq!(trim(0, 10).await, 0);
    assert_eq!(trim(3, 10).await, 3);
    assert_eq!(trim(3, 2).await, 5);
    let all = HttpSoapAuditFilter::default();
    assert_eq!(cids(&odb, cluster_id, &all).await, ["K8", "K9", "K0"]);
    assert_eq!(trim(100, 100).await, 2);
    assert_eq!(cids(&odb, cluster_id, &all).await, ["K0"]);
}
