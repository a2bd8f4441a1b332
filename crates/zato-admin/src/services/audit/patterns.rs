//! What the audit log of a channel hides.
//!
//! Owns which patterns a channel has. It must not know how they are applied.

use std::collections::{BTreeSet, HashMap};

use zato_catalogue::http_soap::{get_audit_replace_patterns, set_audit_replace_patterns};
use zato_odb::model::{
    AuditJsonPointer, AuditJsonPointerFilter, AuditReplacePattern, AuditXPath, AuditXPathFilter, Everything,
    HttpSoap,
};
use zato_odb::{Object, OdbError, Read, Transaction};
use zato_service::{Context, Error};

use super::for_channels;
use crate::change::{ConfigurationChange, Dependants, Family};
use crate::error::OrError;
use crate::field::Field;
use crate::services::http_soap::HttpSoapObjects;
use crate::services::message::json_pointer::JsonPointers;
use crate::services::message::xpath::XPaths;
use crate::{Admin, Handle, family};

/// The JSON Pointers that channels hide.
pub(crate) struct HiddenPointers;

/// The XPath expressions that channels hide.
pub(crate) struct HiddenXPaths;

impl Family for HiddenPointers {
    type Object = AuditJsonPointer;

    const NOUN: &'static str = "JSON Pointer of an audit log";
    const NAMED: bool = false;
}

impl Family for HiddenXPaths {
    type Object = AuditXPath;

    const NOUN: &'static str = "XPath of an audit log";
    const NAMED: bool = false;
}

/// Patterns of one kind, as channels have them.
trait Patterns: Family {
    /// The patterns under their names.
    type Named: Family;

    /// Those of one channel.
    fn of(conn_id: i64) -> <Self::Object as Object>::Filter;

    /// The pattern that a channel has.
    fn pattern_id(object: &Self::Object) -> i64;

    /// That a channel has a pattern.
    fn new(channel: &HttpSoap, pattern_id: i64) -> Self::Object;
}

impl Patterns for HiddenPointers {
    type Named = JsonPointers;

    fn of(conn_id: i64) -> AuditJsonPointerFilter {
        AuditJsonPointerFilter { conn_id: Some(conn_id), ..AuditJsonPointerFilter::default() }
    }

    fn pattern_id(object: &AuditJsonPointer) -> i64 {
        object.pattern_id
    }

    fn new(channel: &HttpSoap, pattern_id: i64) -> AuditJsonPointer {
        AuditJsonPointer { id: 0, cluster_id: channel.cluster_id, conn_id: channel.id, pattern_id }
    }
}

impl Patterns for HiddenXPaths {
    type Named = XPaths;

    fn of(conn_id: i64) -> AuditXPathFilter {
        AuditXPathFilter { conn_id: Some(conn_id), ..AuditXPathFilter::default() }
    }

    fn pattern_id(object: &AuditXPath) -> i64 {
        object.pattern_id
    }

    fn new(channel: &HttpSoap, pattern_id: i64) -> AuditXPath {
        AuditXPath { id: 0, cluster_id: channel.cluster_id, conn_id: channel.id, pattern_id }
    }
}

/// What has to be deleted before a channel is, each with an event of its own.
pub(crate) async fn of_channel(
    tx: &Transaction,
    channel: &HttpSoap,
    found: &mut Dependants,
) -> Result<(), OdbError> {
    let (cluster_id, id) = (channel.cluster_id, channel.id);
    found.add::<HiddenPointers>(tx.list(cluster_id, &HiddenPointers::of(id)).await?);
    found.add::<HiddenXPaths>(tx.list(cluster_id, &HiddenXPaths::of(id)).await?);
    Ok(())
}

/// The names of a channel's patterns of one kind, sorted.
async fn names<P: Patterns>(admin: &Admin, channel: &HttpSoap) -> Result<Vec<String>, Error> {
    let chosen = admin.odb().list::<P::Object>(channel.cluster_id, &P::of(channel.id)).await.or_error()?;
    let ids = chosen.iter().map(P::pattern_id).collect();
    let names = family::names::<<P::Named as Family>::Object>(admin, ids).await?;
    let mut names: Vec<String> = names.into_values().collect();
    names.sort_unstable();
    Ok(names)
}

/// Removes the patterns of one kind from a channel.
async fn clear<P: Patterns>(change: &mut ConfigurationChange<'_>, channel: &HttpSoap) -> Result<(), Error> {
    let chosen = change.tx().list::<P::Object>(channel.cluster_id, &P::of(channel.id)).await.or_error()?;
    for object in chosen {
        change.delete::<P>(object.id()).await?;
    }
    Ok(())
}

/// Gives a channel these patterns of one kind, and no others of it.
async fn replace<P: Patterns>(
    change: &mut ConfigurationChange<'_>,
    channel: &HttpSoap,
    names: BTreeSet<String>,
) -> Result<(), Error>
where
    <P::Named as Family>::Object: Object<Filter = Everything>,
{
    let all = change.tx().list::<<P::Named as Family>::Object>(channel.cluster_id, &Everything).await;
    let all: HashMap<String, i64> =
        all.or_error()?.iter().map(|pattern| (pattern.name().to_owned(), pattern.id())).collect();
    let unknown: Vec<&str> =
        names.iter().filter(|name| !all.contains_key(*name)).map(String::as_str).collect();
    if !unknown.is_empty() {
        let unknown = unknown.join(", ");
        return Err(Error::not_found(format!("Could not find one or more pattern(s) [{unknown}]")));
    }
    clear::<P>(change, channel).await?;
    for id in names.iter().filter_map(|name| all.get(name)) {
        change.create::<P>(P::new(channel, *id)).await?;
    }
    Ok(())
}

impl Handle for get_audit_replace_patterns::Request {
    async fn handle(
        self,
        _: &mut Context,
        admin: &Admin,
    ) -> Result<get_audit_replace_patterns::Response, Error> {
        let channel = family::find::<HttpSoapObjects>(admin, self.id).await?;
        Ok(get_audit_replace_patterns::Response {
            patterns_json_pointer: names::<HiddenPointers>(admin, &channel).await?,
            patterns_xpath: names::<HiddenXPaths>(admin, &channel).await?,
        })
    }
}

impl Handle for set_audit_replace_patterns::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<(), Error> {
        let kind = AuditReplacePattern::stored("audit_repl_patt_type", self.audit_repl_patt_type)?;
        let names: BTreeSet<String> = self.pattern_list.unwrap_or_default().into_iter().collect();
        let mut change = ConfigurationChange::begin(admin, cx).await?;
        let stored = change.find::<HttpSoapObjects>(self.id).await?;
        for_channels(&stored)?;
        match kind {
            _ if names.is_empty() => {
                clear::<HiddenPointers>(&mut change, &stored).await?;
                clear::<HiddenXPaths>(&mut change, &stored).await?;
            }
            AuditReplacePattern::JsonPointer => {
                replace::<HiddenPointers>(&mut change, &stored, names).await?;
            }
            AuditReplacePattern::XPath => replace::<HiddenXPaths>(&mut change, &stored, names).await?,
        }
        let object = HttpSoap { audit_repl_patt_type: kind, ..stored.clone() };
        change.replace::<HttpSoapObjects>(&stored, &object).await?;
        change.commit().await
    }
}
