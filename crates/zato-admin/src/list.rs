//! Lists of stored objects: all of them, those whose names have some words, or one page.
//!
//! Owns which part of a list a caller asks for and how that part is read. It must not know any family.
//!
//! A list of which no page is asked for is read in batches, each when its caller has taken the one before it, so that a long
//! one never is in memory as a whole.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use zato_env::Page;
use zato_odb::{Object, PageRequest, Read};
use zato_service::{Batches, Error, Items, Output};
use zato_sio::EncodeError;

use crate::Admin;
use crate::change::Family;
use crate::error::{OrError, not_allowed};

/// How many objects are read at once.
const BATCH: u64 = 500;

/// The largest page.
const MAXIMUM_PAGE_SIZE: u64 = 1000;

/// A family whose objects can be listed.
pub(crate) trait Listed: Family {
    /// What a list shows of one object.
    type Item: Serialize + Send + 'static;

    /// What is shown of some objects, in their order.
    fn items(
        admin: &Admin,
        objects: Vec<Self::Object>,
    ) -> impl Future<Output = Result<Vec<Self::Item>, Error>> + Send;
}

/// A list, or a page of one.
pub(crate) struct List<I> {
    items: Items<I>,
    page: Option<Page>,
}

impl<I> List<I> {
    /// The part that is asked for of a list without items.
    pub(crate) fn empty(part: &Part) -> Self {
        Self { items: Vec::new().into(), page: part.page.map(|(number, size)| Page::new(0, number, size)) }
    }
}

impl<I: Serialize + Send + 'static> Output for List<I> {
    fn write_json(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.items.write_json(out)
    }

    fn write_xml(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.items.write_xml(out)
    }

    fn to_value(&self) -> Result<Value, Error> {
        self.items.to_value()
    }

    fn page(&self) -> Option<&Page> {
        self.page.as_ref()
    }

    fn batches(&mut self) -> Option<&mut dyn Batches> {
        self.items.batches()
    }
}

/// The part of a list that a caller asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Words that names have to contain.
    words: Option<String>,
    /// The number of the page, from 1, and its size; none for the whole list.
    page: Option<(u64, u64)>,
}

impl Part {
    /// Reads the elements that all requests for lists have. Without `paginate` the two numbers mean nothing.
    pub(crate) fn new(
        paginate: bool,
        cur_page: i64,
        page_size: i64,
        words: Option<String>,
    ) -> Result<Self, Error> {
        if !paginate {
            return Ok(Self { words, page: None });
        }
        let number = u64::try_from(cur_page).ok().filter(|number| *number > 0);
        let number = number.ok_or_else(|| not_allowed("cur_page", cur_page, "1 or more"))?;
        let size = u64::try_from(page_size).ok().filter(|size| (1..=MAXIMUM_PAGE_SIZE).contains(size));
        let size = size.ok_or_else(|| not_allowed("page_size", page_size, "a number from 1 to 1000"))?;
        Ok(Self { words, page: Some((number, size)) })
    }
}

/// The part of a list that a request of the catalogue asks for, whose type has the elements of pages.
macro_rules! part {
    ($request:expr) => {
        $crate::list::Part::new(
            $request.paginate_or_default(),
            $request.cur_page_or_default(),
            $request.page_size_or_default(),
            $request.query.clone(),
        )
    };
}
pub(crate) use part;

/// The objects of a cluster that pass a filter, as they are shown, sorted by name.
pub(crate) async fn list<F: Listed>(
    admin: &Admin,
    cluster_id: i64,
    filter: <F::Object as Object>::Filter,
    part: Part,
) -> Result<List<F::Item>, Error> {
    let Some((number, size)) = part.page else {
        return whole::<F>(admin, cluster_id, filter, part.words).await;
    };
    let request = PageRequest {
        offset: (number - 1).saturating_mul(size).min(i64::MAX.unsigned_abs()),
        limit: size,
        name_contains: part.words,
    };
    let found = admin.odb().page::<F::Object>(cluster_id, &filter, &request).await.or_error()?;
    let items = F::items(admin, found.items).await?;
    Ok(List { items: items.into(), page: Some(Page::new(found.total, number, size)) })
}

async fn whole<F: Listed>(
    admin: &Admin,
    cluster_id: i64,
    filter: <F::Object as Object>::Filter,
    words: Option<String>,
) -> Result<List<F::Item>, Error> {
    let selected = Selected::<F::Object> { cluster_id, filters: vec![filter], words };
    let show = |admin: Admin, objects| async move { F::items(&admin, objects).await };
    Ok(List { items: in_batches(admin, selected, show).await?, page: None })
}

/// Objects of a cluster: those that pass the first of some filters, then those that pass the next one, each sorted by name.
pub(crate) struct Selected<O: Object> {
    pub(crate) cluster_id: i64,
    pub(crate) filters: Vec<O::Filter>,
    /// Words that names have to contain.
    pub(crate) words: Option<String>,
}

/// A list that is read in batches, each of which begins after the name and id that the one before it ended with, so that no
/// object is skipped or shown twice because of what is created or deleted meanwhile. `show` may leave objects out.
pub(crate) async fn in_batches<O, I, S, F>(
    admin: &Admin,
    selected: Selected<O>,
    show: S,
) -> Result<Items<I>, Error>
where
    O: Object,
    I: Send + 'static,
    S: Fn(Admin, Vec<O>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Vec<I>, Error>> + Send,
{
    let (admin, shared) = (admin.clone(), Arc::new((selected, show)));
    let batch = move |mut place: (usize, Option<(String, i64)>)| {
        let (admin, shared) = (admin.clone(), Arc::clone(&shared));
        async move {
            let (Selected { cluster_id, filters, words }, show) = &*shared;
            while let Some(filter) = filters.get(place.0) {
                let last = place.1.as_ref().map(|(name, id)| (name.as_str(), *id));
                let following = admin.odb().following(*cluster_id, filter, words.as_deref(), last, BATCH);
                let objects: Vec<O> = following.await.or_error()?;
                let is_full = objects.len() as u64 == BATCH;
                place = match objects.last().filter(|_| is_full) {
                    Some(object) => (place.0, Some((object.name().to_owned(), object.id()))),
                    None => (place.0 + 1, None),
                };
                let items = show(admin.clone(), objects).await?;
                // A batch without items would be the end of the list.
                if !items.is_empty() {
                    let is_last = place.0 == filters.len();
                    return Ok((items, (!is_last).then_some(place)));
                }
            }
            Ok((Vec::new(), None))
        }
    };
    Items::read((0, None), batch).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cur_page: i64, page_size: i64, expected: Result<(u64, u64), &str>) {
        let part = Part::new(true, cur_page, page_size, None);
        let found = part.map(|part| part.page.unwrap()).map_err(|error| error.message().to_owned());
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    #[test]
    fn pages_have_numbers_and_sizes() {
        check(1, 50, Ok((1, 50)));
        check(i64::MAX, 1000, Ok((i64::MAX.unsigned_abs(), 1000)));
        check(0, 50, Err("cur_page [0] is not allowed: it must be 1 or more"));
        check(-1, 50, Err("cur_page [-1] is not allowed: it must be 1 or more"));
        check(1, 0, Err("page_size [0] is not allowed: it must be a number from 1 to 1000"));
        check(1, 1001, Err("page_size [1001] is not allowed: it must be a number from 1 to 1000"));
        assert_eq!(Part::new(false, 0, 0, None).unwrap().page, None);
    }
}
