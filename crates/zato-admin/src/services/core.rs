//! Whether the server answers at all: `zato.ping` and `zato.ping2`.
//!
//! Owns nothing but the constant answer. It must not depend on anything that could be down.

use zato_catalogue::core::{ping, ping2};
use zato_service::{Context, Error};

use crate::{Admin, Handle};

const PONG: &str = "zato";

impl Handle for ping::Request {
    async fn handle(self, _: &mut Context, _: &Admin) -> Result<ping::Response, Error> {
        Ok(ping::Response { pong: PONG.to_owned() })
    }
}

impl Handle for ping2::Request {
    async fn handle(self, _: &mut Context, _: &Admin) -> Result<ping2::Response, Error> {
        Ok(ping2::Response { pong: PONG.to_owned() })
    }
}
