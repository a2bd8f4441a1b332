//! `zato.kvdb.data-dict.translation`: how values of one system are called in another.
//!
//! Owns how requests and replies name the parts of translations, and the forms in which one is shown. It must not know
//! what makes a translation valid.

use std::fmt::Write as _;

use ring::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use zato_catalogue::kvdb::data_dict::translation::{create, delete, edit, get_last_id, get_list, translate};
use zato_kvdb::dictionary::{Mapping, NewTranslation, Term, Translation};
use zato_kvdb::escape::escaped;
use zato_service::{Context, Error};

use super::{OrError, dictionary};
use crate::{Admin, Handle};

impl Handle for create::Request {
    async fn handle(self, cx: &mut Context, _: &Admin) -> Result<create::Response, Error> {
        let from = Term::new(self.system1, self.key1, self.value1);
        let mapping = Mapping { from, system2: self.system2, key2: self.key2 };
        let new = NewTranslation { mapping, value2: self.value2 };
        Ok(create::Response { id: dictionary(cx).create_translation(new).await.or_error()? })
    }
}

impl Handle for edit::Request {
    async fn handle(self, cx: &mut Context, _: &Admin) -> Result<edit::Response, Error> {
        let from = Term::new(self.system1, self.key1, self.value1);
        let mapping = Mapping { from, system2: self.system2, key2: self.key2 };
        let new = NewTranslation { mapping, value2: self.value2 };
        dictionary(cx).edit_translation(self.id, new).await.or_error()?;
        Ok(edit::Response { id: self.id })
    }
}

impl Handle for delete::Request {
    async fn handle(self, cx: &mut Context, _: &Admin) -> Result<(), Error> {
        dictionary(cx).delete_translation(self.id).await.or_error()
    }
}

impl Handle for get_list::Request {
    async fn handle(self, cx: &mut Context, _: &Admin) -> Result<Vec<get_list::Item>, Error> {
        let translations = dictionary(cx).translations().await.or_error()?;
        let item = |translation: Translation| {
            let Mapping { from, system2, key2 } = translation.mapping;
            get_list::Item {
                id: translation.id,
                system1: from.system,
                key1: from.key,
                value1: from.value,
                system2,
                key2,
                value2: translation.value2,
                id1: translation.id1.to_string(),
                id2: translation.id2.to_string(),
            }
        };
        Ok(translations.into_iter().map(item).collect())
    }
}

impl Handle for get_last_id::Request {
    async fn handle(self, cx: &mut Context, _: &Admin) -> Result<get_last_id::Response, Error> {
        Ok(get_last_id::Response { value: dictionary(cx).last_translation_id().await.or_error()? })
    }
}

impl Handle for translate::Request {
    /// All elements are empty where there is no translation, which is none of the errors.
    async fn handle(self, cx: &mut Context, _: &Admin) -> Result<translate::Response, Error> {
        let from = Term::new(self.system1, self.key1, self.value1);
        let mapping = Mapping { from, system2: self.system2, key2: self.key2 };
        let Some(value2) = dictionary(cx).translate(&mapping).await.or_error()? else {
            let empty = || Some(String::new());
            return Ok(translate::Response {
                value2: empty(),
                repr: empty(),
                hex: empty(),
                sha1: empty(),
                sha256: empty(),
            });
        };
        let bytes = value2.as_bytes();
        Ok(translate::Response {
            repr: Some(escaped(bytes)),
            hex: Some(hex(bytes, " ")),
            sha1: Some(hash(&SHA1_FOR_LEGACY_USE_ONLY, bytes)),
            sha256: Some(hash(&SHA256, bytes)),
            value2: Some(value2),
        })
    }
}

fn hash(algorithm: &'static Algorithm, bytes: &[u8]) -> String {
    hex(digest(algorithm, bytes).as_ref(), "")
}

fn hex(bytes: &[u8], separator: &str) -> String {
    let mut text = String::with_capacity(bytes.len() * (2 + separator.len()));
    for (index, byte) in bytes.iter().enumerate() {
        let separator = if index == 0 { "" } else { separator };
        // Writing to a `String` does not fail.
        let _ = write!(text, "{separator}{byte:02x}");
    }
    text
}
