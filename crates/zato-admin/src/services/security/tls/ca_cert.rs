//! `zato.security.tls.ca-cert`: the certificate authorities that outgoing connections trust.
//!
//! Owns that a definition is made of certificates. It must not know how connections are verified with them.

use zato_catalogue::security::tls::ca_cert;
use zato_odb::model::{HttpSoapFilter, TlsCaCert};
use zato_odb::{OdbError, Read, Transaction};
use zato_service::Error;

use crate::change::{Dependants, Family};
use crate::family::services;
use crate::services::http_soap::HttpSoapObjects;
use crate::{apply, certificate};

pub(crate) struct CaCerts;

impl Family for CaCerts {
    type Object = TlsCaCert;

    const NOUN: &'static str = "TLS CA certificate";

    const TAKEN: &'static str = "A TLS CA cert";

    fn check_values(object: &TlsCaCert) -> Result<(), Error> {
        apply::check_authorities(object)
    }

    async fn dependants(
        tx: &Transaction,
        object: &TlsCaCert,
        found: &mut Dependants,
    ) -> Result<(), OdbError> {
        let filter = HttpSoapFilter { sec_tls_ca_cert_id: Some(object.id), ..HttpSoapFilter::default() };
        found.add::<HttpSoapObjects>(tx.list(object.cluster_id, &filter).await?);
        Ok(())
    }
}

services! {
    CaCerts in ca_cert: create, edit, delete, get_list;
    {
        object TlsCaCert { is_active, value }
        made { info: certificate::subject(&value)? }
        reply(_admin, object) { info: Some(object.info.clone()) }
        shown(object) { info: Some(object.info.clone()) }
    }
}
