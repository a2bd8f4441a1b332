//! Every declared table keeps its fields, its unique rules and its references, on both databases.

use std::collections::BTreeSet;

use zato_odb::model::{
    Cluster, DefinitionAmqp, DefinitionWmq, DeploymentPackage, HttpSoap, JsonPointer, RbacPermission,
    RbacRole, Server, Service, XPath,
};
use zato_odb::{Object, ObjectKind, Odb, OdbError, Read};

use crate::fixture::{Fixture, delete, insert, on_both, update};
use crate::samples::{Parents, Sample, for_every_table};

on_both! {
    every_field_of_every_table_is_kept,
    every_unique_rule_is_kept,
    every_object_needs_its_cluster,
    deleting_takes_the_dependants_of_every_table_along,
}

async fn life<T: Sample>((odb, parents): (&Odb, &Parents)) {
    let [mut first, mut second] = T::samples(parents);
    let stored = insert(odb, &first).await.unwrap();
    for object in [&mut first, &mut second] {
        *object.place()[0] = stored.id();
    }
    assert_eq!(stored, first);
    assert_eq!(odb.find::<T>(stored.id()).await.unwrap(), Some(first));
    update(odb, &second).await.unwrap();
    assert_eq!(odb.find::<T>(stored.id()).await.unwrap(), Some(second));
    delete::<T>(odb, stored.id()).await.unwrap();
    assert_eq!(odb.find::<T>(stored.id()).await.unwrap(), None);
}

async fn every_field_of_every_table_is_kept(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let parents = Parents::insert(&odb, cluster_id).await;
    for_every_table!(life, (&odb, &parents));
}

async fn unique<T: Sample>((odb, parents, other_cluster): (&Odb, &Parents, i64)) {
    let [mut object, other] = T::samples(parents);
    insert(odb, &object).await.unwrap();
    let again = insert(odb, &object).await;
    let Some(expected) = T::IN_COMMON else { return assert!(again.is_ok(), "{again:?}") };
    let is_refused = |result: &Result<(), OdbError>| matches!(result, Err(OdbError::Duplicate { object, what }) if (*object, *what) == (T::KIND, expected));
    let again = again.map(drop);
    assert!(is_refused(&again), "{}: {again:?}", T::KIND);

    let other = insert(odb, &other).await.unwrap();
    *object.place()[0] = other.id();
    let edited = update(odb, &object).await;
    assert!(is_refused(&edited), "{}: {edited:?}", T::KIND);

    if expected == zato_odb::Unique::Name {
        *object.place()[1] = other_cluster;
        insert(odb, &object).await.unwrap();
    }
}

async fn every_unique_rule_is_kept(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let parents = Parents::insert(&odb, cluster_id).await;
    let other = insert(&odb, &Cluster::new("other")).await.unwrap().id;
    for_every_table!(unique, (&odb, &parents, other));
}

async fn needs_cluster<T: Sample>((odb, parents): (&Odb, &Parents)) {
    let [mut object, _] = T::samples(parents);
    *object.place()[1] = 4711;
    let result = insert(odb, &object).await;
    assert!(matches!(result, Err(OdbError::MissingReference { object }) if object == T::KIND), "{result:?}");
}

async fn every_object_needs_its_cluster(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let parents = Parents::insert(&odb, cluster_id).await;
    for_every_table!(needs_cluster, (&odb, &parents));
}

/// The samples that refer to the first parent of each kind.
async fn insert_first<T: Sample>((odb, parents): (&Odb, &Parents)) {
    let [object, _] = T::samples(parents);
    insert(odb, &object).await.unwrap();
}

async fn count<T: Sample>((odb, parents, kinds): (&Odb, &Parents, &mut BTreeSet<(ObjectKind, u64)>)) {
    let count = odb.count::<T>(parents.cluster_id, &T::Filter::default()).await.unwrap();
    kinds.insert((T::KIND, count));
}

/// Of which kinds there is less than there was once a parent is gone.
async fn lost<P: Object>(odb: &Odb, parents: &Parents, parent: i64) -> Vec<ObjectKind> {
    let (mut before, mut after) = (BTreeSet::new(), BTreeSet::new());
    for_every_table!(count, (odb, parents, &mut before));
    delete::<P>(odb, parent).await.unwrap();
    for_every_table!(count, (odb, parents, &mut after));
    before.difference(&after).map(|(kind, _)| *kind).filter(|kind| *kind != P::KIND).collect()
}

async fn deleting_takes_the_dependants_of_every_table_along(fixture: Fixture) {
    use ObjectKind as Kind;

    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let parents = Parents::insert(&odb, cluster_id).await;
    for_every_table!(insert_first, (&odb, &parents));
    let (odb, parents) = (&odb, &parents);
    let check = |found: Vec<Kind>, expected: &[Kind]| assert_eq!(found, expected);

    check(lost::<JsonPointer>(odb, parents, parents.pointers[0]).await, &[Kind::AuditJsonPointer]);
    check(lost::<XPath>(odb, parents, parents.xpaths[0]).await, &[Kind::AuditXPath]);
    check(lost::<RbacPermission>(odb, parents, parents.permissions[0]).await, &[Kind::RbacRolePermission]);
    check(lost::<RbacRole>(odb, parents, parents.roles[0]).await, &[Kind::RbacClientRole]);
    check(lost::<DeploymentPackage>(odb, parents, parents.packages[0]).await, &[Kind::DeploymentStatus]);
    let of_definition = [Kind::ChannelAmqp, Kind::OutgoingAmqp];
    check(lost::<DefinitionAmqp>(odb, parents, parents.amqp[0]).await, &of_definition);
    let of_definition = [Kind::ChannelWmq, Kind::OutgoingWmq];
    check(lost::<DefinitionWmq>(odb, parents, parents.wmq[0]).await, &of_definition);
    let of_service = [Kind::ChannelZmq, Kind::Job, Kind::DeployedService];
    check(lost::<Service>(odb, parents, parents.services[0]).await, &of_service);
    check(lost::<Server>(odb, parents, parents.servers[0]).await, &[Kind::DeploymentPackage]);
    check(lost::<HttpSoap>(odb, parents, parents.channels[0]).await, &[Kind::HttpSoapAudit]);

    delete::<Cluster>(odb, cluster_id).await.unwrap();
    let mut left = BTreeSet::new();
    for_every_table!(count, (odb, parents, &mut left));
    assert!(left.iter().all(|(_, count)| *count == 0), "{left:?}");
}
