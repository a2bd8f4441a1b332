//! Lists that are read batch by batch.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use serde::Serialize;
use serde_json::{Value, json};
use zato_service::{Context, Description, Error, ErrorKind, Input, Items, Output, Service};

use crate::support::Fixture;

#[derive(Serialize)]
struct Row {
    id: usize,
    note: Option<String>,
}

fn row(id: usize) -> Row {
    Row { id, note: (id % 2 == 1).then(|| "<odd>".to_owned()) }
}

/// Rows in batches of these sizes, after which reading fails if it is to; and how many batches were read.
async fn rows(sizes: &'static [usize], fails: bool) -> (Result<Items<Row>, Error>, Arc<AtomicUsize>) {
    let read = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&read);
    let batch = move |(number, first): (usize, usize)| {
        counter.fetch_add(1, Relaxed);
        async move {
            let size = *sizes.get(number).ok_or_else(|| Error::unavailable("the disk is gone"))?;
            let goes_on = fails || number + 1 < sizes.len();
            let next = goes_on.then_some((number + 1, first + size));
            Ok(((first..first + size).map(row).collect(), next))
        }
    };
    (Items::read((0, 0), batch).await, read)
}

fn json(output: &dyn Output) -> Value {
    let mut out = Vec::new();
    output.write_json(&mut out).unwrap();
    let written: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(output.to_value().unwrap(), written);
    written
}

fn ids(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn batches_are_read_when_they_are_asked_for() {
    let (items, read) = rows(&[2, 0, 1, 3], false).await;
    let mut items = items.unwrap();
    assert_eq!((ids(&json(&items)), read.load(Relaxed)), (vec![0, 1], 1));
    let batches = items.batches().unwrap();
    assert!(batches.next().await.unwrap());
    let mut out = Vec::new();
    batches.write_json_items(&mut out).unwrap();
    // The empty one on the way there is none.
    assert_eq!(
        (String::from_utf8(out).unwrap().as_str(), read.load(Relaxed)),
        (r#"{"id":2,"note":null}"#, 3)
    );
    let batches = items.batches().unwrap();
    assert!(batches.next().await.unwrap());
    let mut out = Vec::new();
    batches.write_xml_items(&mut out).unwrap();
    let nil = "<item xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><id>4</id><note xsi:nil=\"true\"/></item>";
    let odd = |id| format!("<item><id>{id}</id><note>&lt;odd&gt;</note></item>");
    assert_eq!(String::from_utf8(out).unwrap(), format!("{}{nil}{}", odd(3), odd(5)));
    assert!(items.batches().is_none(), "it has ended");
    assert_eq!((ids(&json(&items)), read.load(Relaxed)), (vec![3, 4, 5], 4));
}

#[tokio::test]
async fn lists_that_end_with_their_first_batch_are_whole() {
    for sizes in [&[0][..], &[3], &[0, 0], &[0, 3]] {
        let mut items = rows(sizes, false).await.0.unwrap();
        assert!(items.batches().is_none(), "{sizes:?}");
        assert_eq!(ids(&json(&items)).len(), sizes.iter().sum::<usize>());
    }
    let mut whole = Items::from(vec![row(7)]);
    assert!(whole.batches().is_none());
    assert_eq!(ids(&json(&whole)), [7]);
}

#[tokio::test]
async fn an_end_may_only_show_when_it_is_reached() {
    let mut items = rows(&[1, 0], false).await.0.unwrap();
    assert!(!items.batches().unwrap().next().await.unwrap());
    assert!(items.batches().is_none());
}

#[tokio::test]
async fn an_error_ends_a_list() {
    let (first, _) = rows(&[], true).await;
    assert_eq!(first.unwrap_err().message(), "the disk is gone");
    let mut items = rows(&[1], true).await.0.unwrap();
    let error = items.batches().unwrap().next().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Unavailable, "the disk is gone"));
    assert!(!items.batches().unwrap().next().await.unwrap());
    let mut items = rows(&[1, 1], true).await.0.unwrap();
    assert!(items.batches().unwrap().complete().await.is_err());
}

struct ListRows {
    fails: bool,
}

impl Service for ListRows {
    type Input = ();
    type Output = Items<Row>;

    fn description(&self) -> Description {
        Description::new(if self.fails { "failing" } else { "rows" })
    }

    async fn handle(&self, _: &mut Context, (): ()) -> Result<Items<Row>, Error> {
        rows(&[2, 2, 1], self.fails).await.0
    }
}

#[tokio::test]
async fn services_that_invoke_get_the_whole_list() {
    let fixture = Fixture::new().await;
    for fails in [false, true] {
        fixture.registry.register(ListRows { fails }).unwrap();
    }
    let cx = fixture.context();
    let list: Vec<Value> = cx.invoke("rows", &json!({})).await.unwrap();
    assert_eq!(ids(&list.into()), [0, 1, 2, 3, 4]);
    let output = cx.invoke_with("rows", Input::Empty).await.unwrap();
    assert_eq!(ids(&json(&*output)), [0, 1, 2, 3, 4]);
    let error = cx.invoke::<_, Value>("failing", &json!({})).await.unwrap_err();
    assert_eq!(error.message(), "the disk is gone");
}
