//! Messages that come without a request: from queues and sockets.
//!
//! Owns how such a message becomes a call of its channel's service. It must not know where the message comes from, nor what
//! becomes of it afterwards.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use zato_cid::Cid;
use zato_service::{ChannelKind, Environment, Error, Origin, Registration};
use zato_soap::Limits;

use crate::DataFormat;
use crate::codec::Reading;
use crate::decode::Payload;

/// A service as the messages of one channel reach it.
#[derive(Clone, Debug)]
pub struct MessageTarget {
    environment: Environment,
    service: Arc<Registration>,
    kind: ChannelKind,
    reading: Reading,
}

impl MessageTarget {
    /// The target of a channel of this kind, whose messages are read by this format. Without one, and with formats that
    /// services read themselves, the service gets the bytes.
    #[must_use]
    pub fn new(
        environment: Environment,
        service: Arc<Registration>,
        kind: ChannelKind,
        data_format: Option<DataFormat>,
    ) -> Self {
        let reading = match data_format {
            Some(DataFormat::Json) => Reading::Json,
            Some(DataFormat::Xml) => Reading::Xml,
            Some(DataFormat::Csv | DataFormat::Post) | None => Reading::Raw,
        };
        Self { environment, service, kind, reading }
    }

    /// The service.
    #[must_use]
    pub fn service(&self) -> &Registration {
        &self.service
    }

    /// A new correlation id, for the call that a message leads to.
    #[must_use]
    pub fn new_cid(&self) -> Cid {
        self.environment.new_cid()
    }

    /// Calls the service with a message. There is nobody to get its reply.
    ///
    /// # Errors
    /// The service is inactive, the message can't be read, or whatever the service fails with.
    pub async fn receive(&self, cid: Cid, body: &Bytes) -> Result<(), Error> {
        if !self.service.is_active() {
            return Err(self.service.inactive());
        }
        let limits = Limits::default();
        let payload = Payload::read(self.reading, &HeaderMap::new(), body, &limits)?;
        let root = payload.root(&self.service)?;
        let mut context = self.environment.context(cid, self.kind, Origin::default());
        self.service.call(&mut context, payload.input(root, body)).await.map(drop)
    }
}
