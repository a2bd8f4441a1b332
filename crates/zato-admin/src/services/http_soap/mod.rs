//! `zato.http-soap`: channels and outgoing connections, plain HTTP and SOAP.
//!
//! Owns which values such an object can have and what it may refer to. It must not know how calls are routed or sent:
//! what an object means to those is [`apply`](crate::apply)'s business, and asked there before anything is stored.

mod connection;

use std::collections::HashMap;

use zato_catalogue::http_soap::{create, delete, edit, get_list};
use zato_odb::model::{
    Connection, HttpSoap, HttpSoapFilter, SecurityDefinition, SecurityFilter, SecurityKind,
    SerializationType, Service, Transport,
};
use zato_odb::{OdbError, Read, Transaction};
use zato_service::{Context, Error};

use super::audit::patterns;
use super::security::AllDefinitions;
use super::security::tls::ca_cert::CaCerts;
use crate::change::{ConfigurationChange, Dependants, Family};
use crate::error::{OrError, not_allowed};
use crate::field::Field;
use crate::handle::Answer;
use crate::list::{List, Listed, list, part};
use crate::{Admin, Handle, apply, family};

/// The family of both channels and outgoing connections.
pub(crate) struct HttpSoapObjects;

impl Family for HttpSoapObjects {
    type Object = HttpSoap;

    const NOUN: &'static str = "HTTP/SOAP object";

    const TAKEN: &'static str = "An object of that name";

    async fn check(change: &ConfigurationChange<'_>, object: &HttpSoap) -> Result<(), Error> {
        let definition = match object.security_id {
            None => None,
            Some(id) => Some(change.referred::<AllDefinitions>(object.cluster_id, id).await?),
        };
        let authority = match object.sec_tls_ca_cert_id {
            None => None,
            Some(id) => Some(change.referred::<CaCerts>(object.cluster_id, id).await?),
        };
        match object.connection {
            Connection::Channel => check_channel(change, object, definition.as_ref()).await?,
            Connection::Outgoing => {
                for_channels_only(object)?;
                let config = apply::outgoing_config(object, definition.as_ref(), authority.as_ref())?;
                apply::check_outgoing(config)?
            }
        }
        let rival = change.tx().find_http_soap_at(object).await.or_error()?;
        match rival {
            Some(rival) if rival.id != object.id => Err(Error::conflict(match object.connection {
                Connection::Channel => format!(
                    "Channel [{}] has the URL path [{}] with SOAP action [{}] already",
                    rival.name, rival.url_path, rival.soap_action
                ),
                Connection::Outgoing => format!(
                    "Outgoing connection [{}] has the address [{}{}] with SOAP action [{}] already",
                    rival.name, rival.host, rival.url_path, rival.soap_action
                ),
            })),
            _ => Ok(()),
        }
    }

    async fn dependants(tx: &Transaction, object: &HttpSoap, found: &mut Dependants) -> Result<(), OdbError> {
        patterns::of_channel(tx, object, found).await
    }
}

/// What limits calls that come in means nothing to those that go out.
fn for_channels_only(object: &HttpSoap) -> Result<(), Error> {
    let given = [
        ("rate_limit", object.rate_limit.is_some()),
        ("max_in_flight", object.max_in_flight.is_some()),
        ("cors_origins", object.cors_origins.is_some()),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        Some((element, _)) => Err(Error::bad_request(format!("{element} is for channels only"))),
        None => Ok(()),
    }
}

async fn check_channel(
    change: &ConfigurationChange<'_>,
    object: &HttpSoap,
    definition: Option<&SecurityDefinition>,
) -> Result<(), Error> {
    if object.has_rbac && definition.is_none() {
        // A guard that nothing stands behind must not look like one.
        return Err(Error::bad_request(
            "has_rbac [true] is not allowed: without a security definition there is nobody who could have a role",
        ));
    }
    let service = match object.service_id {
        Some(id) => change.tx().find::<Service>(id).await.or_error()?,
        None => None,
    };
    let service = service.ok_or_else(|| Error::bad_request("service is required for channels"))?;
    let service = apply::registered(change.registry(), &service.name)?;
    let security = definition.map(apply::channel_security).transpose()?;
    let config = apply::channel_config(object, service, security)?;
    if object.cluster_id == change.admin().settings().cluster_id {
        change.admin().channels().check(config).map_err(|error| apply::channel_error(&error))?;
    }
    Ok(())
}

/// What create and edit have in common, as it was sent.
struct Draft {
    cluster_id: i64,
    name: String,
    is_active: bool,
    connection: String,
    transport: String,
    url_path: String,
    service: Option<String>,
    security_id: Option<i64>,
    method: Option<String>,
    soap_action: String,
    soap_version: Option<String>,
    data_format: Option<String>,
    host: Option<String>,
    ping_method: String,
    pool_size: i64,
    merge_url_params_req: bool,
    url_params_pri: String,
    params_pri: String,
    serialization_type: String,
    timeout: i64,
    sec_tls_ca_cert_id: Option<i64>,
    has_rbac: bool,
    rate_limit: Option<String>,
    max_in_flight: Option<i64>,
    cors_origins: Option<String>,
}

/// The requests of create and edit are types of their own, generated, with the same fields and other defaults.
macro_rules! draft {
    ($request:ident) => {
        Draft {
            soap_action: $request.soap_action_or_default().to_owned(),
            ping_method: $request.ping_method_or_default().to_owned(),
            pool_size: $request.pool_size_or_default(),
            merge_url_params_req: $request.merge_url_params_req_or_default(),
            url_params_pri: $request.url_params_pri_or_default().to_owned(),
            params_pri: $request.params_pri_or_default().to_owned(),
            serialization_type: $request.serialization_type_or_default().to_owned(),
            timeout: $request.timeout_or_default(),
            has_rbac: $request.has_rbac_or_default(),
            cluster_id: $request.cluster_id,
            name: $request.name,
            is_active: $request.is_active,
            connection: $request.connection,
            transport: $request.transport,
            url_path: $request.url_path,
            service: $request.service,
            security_id: $request.security_id,
            method: $request.method,
            soap_version: $request.soap_version,
            data_format: $request.data_format,
            host: $request.host,
            sec_tls_ca_cert_id: $request.sec_tls_ca_cert_id,
            rate_limit: $request.rate_limit,
            max_in_flight: $request.max_in_flight,
            cors_origins: $request.cors_origins,
        }
    };
}

impl Draft {
    /// Writes the draft over an object: all of it except for its id, whether it is internal, its audit settings and its
    /// service, which is returned by name.
    fn write(self, object: &mut HttpSoap) -> Result<Option<String>, Error> {
        if !self.url_path.starts_with('/') {
            return Err(Error::bad_request(format!(
                "URL path:[{}] must start with a slash /",
                self.url_path
            )));
        }
        let connection = Connection::stored("connection", self.connection)?;
        let transport = Transport::stored("transport", self.transport)?;
        *object = HttpSoap {
            id: object.id,
            cluster_id: self.cluster_id,
            name: self.name,
            is_active: self.is_active,
            is_internal: object.is_internal,
            connection,
            transport,
            host: match connection {
                // Channels differ by path and SOAP action alone.
                Connection::Channel => String::new(),
                Connection::Outgoing => self.host.unwrap_or_default(),
            },
            url_path: self.url_path,
            // Methods are told apart by case, and none of those in use is written in lower case.
            method: self.method.map(|method| method.to_ascii_uppercase()),
            soap_action: self.soap_action,
            soap_version: self.soap_version,
            data_format: self.data_format,
            ping_method: Some(self.ping_method.to_ascii_uppercase()),
            pool_size: Field::stored("pool_size", self.pool_size)?,
            merge_url_params_req: self.merge_url_params_req,
            url_params_pri: Field::stored("url_params_pri", self.url_params_pri)?,
            params_pri: Field::stored("params_pri", self.params_pri)?,
            serialization_type: SerializationType::from_text(&self.serialization_type)
                .filter(|kind| *kind == SerializationType::String)
                .ok_or_else(|| not_allowed("serialization_type", &self.serialization_type, "string"))?,
            timeout: Field::stored("timeout", self.timeout)?,
            sec_tls_ca_cert_id: self.sec_tls_ca_cert_id,
            has_rbac: self.has_rbac,
            rate_limit: self.rate_limit,
            max_in_flight: Field::stored("max_in_flight", self.max_in_flight)?,
            cors_origins: self.cors_origins,
            service_id: None,
            security_id: self.security_id,
            ..object.clone()
        };
        Ok(self.service)
    }
}

/// Completes an object whose own values are written: finds its service. The name is checked before.
async fn link_service(
    change: &ConfigurationChange<'_>,
    object: &mut HttpSoap,
    own_id: Option<i64>,
    service: Option<String>,
) -> Result<(), Error> {
    change.check_name::<HttpSoapObjects>(object, own_id).await?;
    let name = service.unwrap_or_default();
    object.service_id = match object.connection {
        Connection::Channel => Some(change.service(object.cluster_id, &name).await?.id),
        // Outgoing connections invoke none; a name that means nothing is ignored.
        Connection::Outgoing => {
            let found = change.tx().find_by_name::<Service>(object.cluster_id, &name).await.or_error()?;
            found.map(|service| service.id)
        }
    };
    Ok(())
}

/// An edit demands, of connections that show a certificate, that they say whom they show it to.
async fn check_authority(change: &ConfigurationChange<'_>, object: &HttpSoap) -> Result<(), Error> {
    let (Some(id), None) = (object.security_id, object.sec_tls_ca_cert_id) else { return Ok(()) };
    let definition = change.referred::<AllDefinitions>(object.cluster_id, id).await?;
    if matches!(definition.kind, SecurityKind::TlsKeyCert { .. }) {
        return Err(Error::bad_request("TLS CA certs is a required field if TLS keys/certs are used"));
    }
    Ok(())
}

impl Handle for create::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<create::Response, Error> {
        // Everything but the two flags that an edit keeps is written over.
        let mut object = HttpSoap::new(self.cluster_id, Connection::Channel, Transport::PlainHttp, "", "");
        object.is_internal = self.is_internal;
        let service = draft!(self).write(&mut object)?;
        let mut change = ConfigurationChange::begin(admin, cx).await?;
        link_service(&change, &mut object, None, service).await?;
        let HttpSoap { id, name, .. } = change.create::<HttpSoapObjects>(object).await?;
        change.commit().await?;
        Ok(create::Response { id, name })
    }
}

impl Handle for edit::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<edit::Response, Error> {
        let mut change = ConfigurationChange::begin(admin, cx).await?;
        let stored = change.find::<HttpSoapObjects>(self.id).await?;
        let mut object = stored.clone();
        let service = draft!(self).write(&mut object)?;
        link_service(&change, &mut object, Some(stored.id), service).await?;
        check_authority(&change, &object).await?;
        change.replace::<HttpSoapObjects>(&stored, &object).await?;
        change.commit().await?;
        Ok(edit::Response { id: object.id, name: object.name })
    }
}

impl Handle for delete::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<(), Error> {
        let mut change = ConfigurationChange::begin(admin, cx).await?;
        change.delete::<HttpSoapObjects>(self.id).await?;
        change.commit().await
    }
}

impl Listed for HttpSoapObjects {
    type Item = get_list::Item;

    async fn items(admin: &Admin, objects: Vec<HttpSoap>) -> Result<Vec<get_list::Item>, Error> {
        let ids = objects.iter().filter_map(|object| object.service_id).collect();
        let services = family::names::<Service>(admin, ids).await?;
        let ids = objects.iter().filter_map(|object| object.security_id).collect();
        let filter = SecurityFilter { ids: Some(ids), ..SecurityFilter::default() };
        let cluster_id = objects.first().map_or(0, |object| object.cluster_id);
        let definitions = admin.odb().list::<SecurityDefinition>(cluster_id, &filter).await.or_error()?;
        let definitions: HashMap<_, _> =
            definitions.into_iter().map(|definition| (definition.id, definition)).collect();
        let item = |object: HttpSoap| {
            let service_name = object.service_id.and_then(|id| services.get(&id));
            let definition = object.security_id.and_then(|id| definitions.get(&id));
            item(object, service_name, definition)
        };
        Ok(objects.into_iter().map(item).collect())
    }
}

impl Answer for get_list::Request {
    type Reply = List<get_list::Item>;

    async fn answer(self, _: &mut Context, admin: &Admin) -> Result<Self::Reply, Error> {
        let part = part!(self)?;
        let connection = Connection::from_text(&self.connection);
        let transport = Transport::from_text(&self.transport);
        if connection.is_none() || transport.is_none() {
            return Ok(List::empty(&part));
        }
        let filter = HttpSoapFilter {
            connection,
            transport,
            without_internal_names: !admin.settings().return_internal_objects,
            ..HttpSoapFilter::default()
        };
        list::<HttpSoapObjects>(admin, self.cluster_id, filter, part).await
    }
}

fn item(
    object: HttpSoap,
    service_name: Option<&String>,
    definition: Option<&SecurityDefinition>,
) -> get_list::Item {
    get_list::Item {
        id: object.id,
        name: object.name,
        is_active: object.is_active,
        is_internal: object.is_internal,
        url_path: object.url_path,
        service_id: object.service_id,
        service_name: service_name.cloned(),
        security_id: object.security_id,
        security_name: definition.map(|definition| definition.name.clone()),
        sec_type: definition.map(|definition| definition.kind.security_type().as_str().to_owned()),
        method: object.method,
        soap_action: Some(object.soap_action),
        soap_version: object.soap_version,
        data_format: object.data_format,
        host: Some(object.host),
        ping_method: Some(object.ping_method.unwrap_or_else(|| "HEAD".to_owned())),
        pool_size: Some(object.pool_size.unwrap_or(20).into()),
        merge_url_params_req: object.merge_url_params_req,
        url_params_pri: Some(object.url_params_pri.as_str().to_owned()),
        params_pri: Some(object.params_pri.as_str().to_owned()),
        serialization_type: Some(object.serialization_type.as_str().to_owned()),
        timeout: Some(object.timeout.into()),
        sec_tls_ca_cert_id: object.sec_tls_ca_cert_id,
        has_rbac: object.has_rbac,
        rate_limit: object.rate_limit,
        max_in_flight: object.max_in_flight.map(Into::into),
        cors_origins: object.cors_origins,
    }
}
