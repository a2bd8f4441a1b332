//! `zato.kvdb.data-dict.dictionary`: what systems call their keys and values.
//!
//! Owns how requests and replies name the parts of entries. It must not know what makes an entry valid.

use zato_catalogue::kvdb::data_dict::dictionary::{
    create, delete, edit, get_key_list, get_last_id, get_list, get_system_list, get_value_list,
};
use zato_kvdb::dictionary::Term;
use zato_service::{Context, Error};

use super::{OrError, dictionary};
use crate::{Admin, Handle};

impl Handle for create::Request {
    async fn handle(self, cx: &mut Context, _: &Admin) -> Result<create::Response, Error> {
        let term = Term::new(self.system, self.key, self.value);
        let id = match self.id {
            None => dictionary(cx).create_entry(term).await.or_error()?,
            Some(id) => {
                dictionary(cx).set_entry(id, term).await.or_error()?;
                id
            }
        };
        Ok(create::Response { id })
    }
}

impl Handle for edit::Request {
    async fn handle(self, cx: &mut Context, _: &Admin) -> Result<edit::Response, Error> {
        let term = Term::new(self.system, self.key, self.value);
        dictionary(cx).set_entry(self.id, term).await.or_error()?;
        Ok(edit::Response { id: self.id })
    }
}

impl Handle for delete::Request {
    async fn handle(self, cx: &mut Context, _: &Admin) -> Result<delete::Response, Error> {
        dictionary(cx).delete_entry(self.id).await.or_error()?;
        Ok(delete::Response { id: self.id })
    }
}

impl Handle for get_list::Request {
    async fn handle(self, cx: &mut Context, _: &Admin) -> Result<Vec<get_list::Item>, Error> {
        let entries = dictionary(cx).entries().await.or_error()?;
        let item = |entry: zato_kvdb::dictionary::Entry| {
            let Term { system, key, value } = entry.term;
            get_list::Item { id: entry.id, system, key, value }
        };
        Ok(entries.into_iter().map(item).collect())
    }
}

impl Handle for get_system_list::Request {
    async fn handle(self, cx: &mut Context, _: &Admin) -> Result<Vec<get_system_list::Item>, Error> {
        let names = dictionary(cx).systems().await.or_error()?;
        Ok(names.into_iter().map(|name| get_system_list::Item { name }).collect())
    }
}

impl Handle for get_key_list::Request {
    async fn handle(self, cx: &mut Context, _: &Admin) -> Result<Vec<get_key_list::Item>, Error> {
        let names = dictionary(cx).keys(&self.system).await.or_error()?;
        Ok(names.into_iter().map(|name| get_key_list::Item { name }).collect())
    }
}

impl Handle for get_value_list::Request {
    async fn handle(self, cx: &mut Context, _: &Admin) -> Result<Vec<get_value_list::Item>, Error> {
        let names = dictionary(cx).values(&self.system, &self.key).await.or_error()?;
        Ok(names.into_iter().map(|name| get_value_list::Item { name }).collect())
    }
}

impl Handle for get_last_id::Request {
    async fn handle(self, cx: &mut Context, _: &Admin) -> Result<get_last_id::Response, Error> {
        Ok(get_last_id::Response { value: dictionary(cx).last_entry_id().await.or_error()? })
    }
}
