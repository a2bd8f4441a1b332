//! `zato.kvdb.data-dict.impexp`: dictionaries as a whole.
//!
//! Owns the document of an export. It must not know how its contents are stored.

use std::collections::BTreeMap;
use std::io::Read;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bzip2::read::MultiBzDecoder;
use serde::Deserialize;
use zato_catalogue::kvdb::data_dict::impexp::import;
use zato_kvdb::dictionary::{Contents, ImportedTranslation, Term};
use zato_service::{Context, Error};

use super::{OrError, dictionary};
use crate::{Admin, Handle};

/// How large a document may be once it is decompressed, in bytes. A request of a few kilobytes could come to gigabytes.
const LIMIT: u64 = 64 * 1024 * 1024;

/// An export. What it says about itself, under `meta`, is of no use here.
#[derive(Deserialize)]
struct Document {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    last_dict_id: Option<i64>,
    last_translation_id: Option<i64>,
    dict_list: Vec<DocumentEntry>,
    /// Each is an object of one element, the name of which is the key under which the translation is stored.
    translation_list: Vec<BTreeMap<String, DocumentTranslation>>,
}

#[derive(Deserialize)]
struct DocumentEntry {
    id: i64,
    system: String,
    key: String,
    value: String,
}

#[derive(Deserialize)]
struct DocumentTranslation {
    id: i64,
    value2: String,
    id1: i64,
    id2: i64,
}

impl Handle for import::Request {
    async fn handle(self, cx: &mut Context, _: &Admin) -> Result<(), Error> {
        // Up to the limit of a body may come to up to the limit above, which takes its time.
        let contents = tokio::task::spawn_blocking(move || read(&self.data)).await??;
        dictionary(cx).import(&contents).await.or_error()
    }
}

fn read(data: &str) -> Result<Contents, Error> {
    let text: String = data.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let compressed = BASE64_STANDARD
        .decode(text)
        .map_err(|error| Error::bad_request(format!("data is not base64: {error}")))?;
    let mut json = Vec::new();
    MultiBzDecoder::new(compressed.as_slice())
        .take(LIMIT + 1)
        .read_to_end(&mut json)
        .map_err(|error| Error::bad_request(format!("data is not compressed with bzip2: {error}")))?;
    if json.len() as u64 > LIMIT {
        return Err(Error::bad_request(format!("data has more than {LIMIT} bytes once it is decompressed")));
    }
    let Document { data } = zato_sio::from_json(&json)
        .map_err(|error| Error::bad_request(format!("data is no export of dictionaries: {error}")))?;
    Ok(contents(data))
}

/// Zero is what exports say that were made before there was anything.
fn contents(data: Data) -> Contents {
    let entry = |entry: DocumentEntry| (entry.id, Term::new(entry.system, entry.key, entry.value));
    let translation = |(key, translation): (String, DocumentTranslation)| {
        let DocumentTranslation { id, value2, id1, id2 } = translation;
        (key, ImportedTranslation { id, value2, id1, id2 })
    };
    Contents {
        last_entry_id: data.last_dict_id.filter(|id| *id != 0),
        last_translation_id: data.last_translation_id.filter(|id| *id != 0),
        entries: data.dict_list.into_iter().map(entry).collect(),
        translations: data.translation_list.into_iter().flatten().map(translation).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use bzip2::Compression;
    use bzip2::write::BzEncoder;
    use serde_json::json;

    use super::*;

    fn exported(document: &[u8]) -> String {
        let mut encoder = BzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(document).unwrap();
        BASE64_STANDARD.encode(encoder.finish().unwrap())
    }

    #[track_caller]
    fn check(data: &str, expected: &str) {
        let message = read(data).unwrap_err().message().to_owned();
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn exports_are_read() {
        let key = "zato:kvdb:data-dict:translation:::A:::a:::1:::B:::b";
        let document = json!({
            "meta": {"current_host": "host1", "timestamp_utc": "2013-05-18T12:00:00", "user": "admin1"},
            "data": {
                "last_dict_id": 2,
                "last_translation_id": "",
                "dict_list": [{"id": 1, "system": "A", "key": "a", "value": "1"}],
                "translation_list": [{key: {"id": "3", "value2": "2", "id1": "1", "id2": 2}}],
            },
        });
        let contents = read(&exported(document.to_string().as_bytes())).unwrap();
        let translation = ImportedTranslation { id: 3, value2: "2".into(), id1: 1, id2: 2 };
        let expected = Contents {
            last_entry_id: Some(2),
            last_translation_id: None,
            entries: vec![(1, Term::new("A", "a", "1"))],
            translations: vec![(key.into(), translation)],
        };
        assert_eq!(contents, expected);
    }

    #[test]
    fn what_is_no_export_is_refused() {
        check("no base64!", "data is not base64");
        check("aGVsbG8=", "data is not compressed with bzip2");
        check(&exported(b"{}"), "data is no export of dictionaries");
        check(&exported(b"[1"), "data is no export of dictionaries");
        let whole = exported(b"{\"data\": {}}");
        check(
            &BASE64_STANDARD.encode(&BASE64_STANDARD.decode(whole).unwrap()[..20]),
            "data is not compressed",
        );
    }

    #[test]
    fn what_grows_without_end_is_refused() {
        let data = exported(&vec![b' '; 70 * 1024 * 1024]);
        assert!(data.len() < 100_000, "{}", data.len());
        check(&data, "more than 67108864 bytes");
    }
}
