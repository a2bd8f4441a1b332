//! A message on its way into a service.
//!
//! Owns what the log says of it. It must not know where it came from, nor what becomes of it if the service fails.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use zato_channel::MessageTarget;

/// Invokes the service of a channel, once for each message.
#[derive(Clone, Debug)]
pub(super) struct Invocation {
    /// The channel's name.
    pub(super) channel: Arc<str>,
    pub(super) target: MessageTarget,
}

impl Invocation {
    /// Runs the service and says whether it succeeded. `facts` are those of the delivery; `sender` is the correlation id that
    /// the sender says it had.
    pub(super) async fn run(&self, body: &Bytes, facts: &str, sender: Option<&str>) -> bool {
        let cid = self.target.new_cid();
        let (channel, service) = (&*self.channel, self.target.service().name());
        let begun = Instant::now();
        let outcome = self.target.receive(cid, body).await;
        let elapsed = begun.elapsed();
        match outcome {
            Ok(()) => {
                tracing::info!(%cid, channel, service, facts, sender, ?elapsed, "a message was handled");
                true
            }
            Err(error) => {
                let causes = error.causes_in_line();
                tracing::error!(
                    %cid, channel, service, facts, sender, ?elapsed, %error, causes, "a message was not handled"
                );
                false
            }
        }
    }
}
