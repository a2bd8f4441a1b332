//! Where a page is in its list.
//!
//! Owns what stands beside a list of which a caller asked for one page, in both formats. It must not know what is listed.

use zato_sio::EncodeError;

/// What a reply says of the page that it has of a list: `_meta`, beside the response element in JSON and after the items in
/// XML.
///
/// ```
/// let page = zato_env::Page::new(101, 3, 50);
/// assert_eq!((page.num_pages, page.prev_page, page.next_page), (3, Some(2), None));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Page {
    /// How many items the list has.
    pub total: u64,
    /// How many pages that makes; none of an empty list.
    pub num_pages: u64,
    /// The number of this page, counted from 1. It may be beyond the last one, and is empty then.
    pub cur_page: u64,
    /// How many items make up a page.
    pub page_size: u64,
    /// Whether there is a page before this one.
    pub has_prev_page: bool,
    /// Whether there is a page after this one.
    pub has_next_page: bool,
    /// The number of the page before this one.
    pub prev_page: Option<u64>,
    /// The number of the page after this one.
    pub next_page: Option<u64>,
}

impl Page {
    /// Its name in replies.
    pub const ELEMENT: &str = "_meta";

    /// Page number `cur_page` of a list of `total` items, of which `page_size` make up a page.
    #[must_use]
    pub fn new(total: u64, cur_page: u64, page_size: u64) -> Self {
        let num_pages = total.div_ceil(page_size.max(1));
        let prev_page = cur_page.checked_sub(1).filter(|page| (1..=num_pages).contains(page));
        let next_page = cur_page.checked_add(1).filter(|page| *page <= num_pages);
        Self {
            total,
            num_pages,
            cur_page,
            page_size,
            has_prev_page: prev_page.is_some(),
            has_next_page: next_page.is_some(),
            prev_page,
            next_page,
        }
    }

    /// Appends it to the members of a JSON object that has some.
    ///
    /// # Errors
    ///
    /// None that numbers and booleans could have.
    pub fn write_json(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.extend_from_slice(format!(",\"{}\":", Self::ELEMENT).as_bytes());
        zato_sio::to_json(self, out)
    }

    /// Appends it as an XML element.
    ///
    /// # Errors
    ///
    /// None that numbers and booleans could have.
    pub fn write_xml(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.extend_from_slice(format!("<{}>", Self::ELEMENT).as_bytes());
        zato_sio::to_xml_children(self, out)?;
        out.extend_from_slice(format!("</{}>", Self::ELEMENT).as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(total: u64, cur_page: u64, expected: (u64, Option<u64>, Option<u64>)) {
        let page = Page::new(total, cur_page, 10);
        assert_eq!((page.num_pages, page.prev_page, page.next_page), expected);
        assert_eq!((page.has_prev_page, page.has_next_page), (expected.1.is_some(), expected.2.is_some()));
    }

    #[test]
    fn neighbours_are_pages_that_there_are() {
        check(0, 1, (0, None, None));
        check(1, 1, (1, None, None));
        check(10, 1, (1, None, None));
        check(11, 1, (2, None, Some(2)));
        check(11, 2, (2, Some(1), None));
        check(11, 3, (2, Some(2), None));
        check(11, 4, (2, None, None));
        check(1, u64::MAX, (1, None, None));
    }

    #[test]
    fn both_formats() {
        let (mut json, mut xml) = (Vec::new(), Vec::new());
        let page = Page::new(3, 1, 2);
        page.write_json(&mut json).unwrap();
        page.write_xml(&mut xml).unwrap();
        assert_eq!(
            String::from_utf8(json).unwrap(),
            ",\"_meta\":{\"total\":3,\"num_pages\":2,\"cur_page\":1,\"page_size\":2,\"has_prev_page\":false,\
             \"has_next_page\":true,\"prev_page\":null,\"next_page\":2}"
        );
        assert_eq!(
            String::from_utf8(xml).unwrap(),
            "<_meta><total>3</total><num_pages>2</num_pages><cur_page>1</cur_page><page_size>2</page_size>\
             <has_prev_page>false</has_prev_page><has_next_page>true</has_next_page>\
             <prev_page xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\"/>\
             <next_page>2</next_page></_meta>"
        );
    }
}
