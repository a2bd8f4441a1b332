//! The `Service` trait and what a service says of itself.
//!
//! Owns the contract between a service author and the house. It must not know how a call arrived: that is the
//! context's business, and only as plain facts.

use std::borrow::Cow;

use crate::{Context, Error, FromInput, Output};

/// A unit of work that can be invoked by name: from a channel, from another service, or in the background.
///
/// One value serves all calls at once, so it holds configuration and clients, never the state of a call.
///
/// `Input` is any type that SimpleIO can decode (`serde::de::DeserializeOwned`), or [`RawInput`](crate::RawInput)
/// for the request's bytes as they are. `Output` is any `serde::Serialize` type, `()` for no payload, or
/// [`Raw`](crate::Raw) for ready bytes with a content type.
///
/// The hooks run in the order in which they are declared here. An error of a validation or of the handler
/// is the call's outcome; an error of any other hook is logged and does not change the outcome. The hooks of jobs run only
/// when a scheduler job invoked the service; [`Context::job`] tells which one.
pub trait Service: Send + Sync + 'static {
    /// What a caller sends.
    type Input: FromInput + Send;
    /// What a caller receives.
    type Output: Output + 'static;

    /// The service's name and message elements. Called once, when the service is registered.
    fn description(&self) -> Description;

    /// Says whether the call is wanted at all. `false` answers 400 with an empty body and counts nothing.
    fn accept(&self, cx: &Context) -> bool {
        let _ = cx;
        true
    }

    /// Runs first in a run of a scheduler job of any type. When it fails, the hook of the job's type is skipped.
    ///
    /// # Errors
    /// Logged, otherwise without effect.
    fn before_job(&self, cx: &mut Context) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = cx;
        std::future::ready(Ok(()))
    }

    /// Runs after `before_job` in a run of a one-time job.
    ///
    /// # Errors
    /// Logged, otherwise without effect.
    fn before_one_time_job(&self, cx: &mut Context) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = cx;
        std::future::ready(Ok(()))
    }

    /// Runs after `before_job` in a run of an interval-based job.
    ///
    /// # Errors
    /// Logged, otherwise without effect.
    fn before_interval_based_job(&self, cx: &mut Context) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = cx;
        std::future::ready(Ok(()))
    }

    /// Runs after `before_job` in a run of a cron-style job.
    ///
    /// # Errors
    /// Logged, otherwise without effect.
    fn before_cron_style_job(&self, cx: &mut Context) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = cx;
        std::future::ready(Ok(()))
    }

    /// Runs before the input is looked at.
    ///
    /// # Errors
    /// Logged, otherwise without effect.
    fn before_handle(&self, cx: &mut Context) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = cx;
        std::future::ready(Ok(()))
    }

    /// Checks what the types can't express.
    ///
    /// # Errors
    /// Becomes the outcome of the call; usually [`Error::bad_request`].
    fn validate_input(&self, cx: &mut Context, input: &Self::Input) -> Result<(), Error> {
        let _ = (cx, input);
        Ok(())
    }

    /// Does the work.
    ///
    /// # Errors
    /// Whatever keeps the service from answering. `?` turns every `std::error::Error` into an [`Error`]: a failed
    /// outgoing call becomes 502, 503 or 504, anything else 500.
    fn handle(
        &self,
        cx: &mut Context,
        input: Self::Input,
    ) -> impl Future<Output = Result<Self::Output, Error>> + Send;

    /// Checks the output before it is sent.
    ///
    /// # Errors
    /// Becomes the outcome of the call.
    fn validate_output(&self, cx: &mut Context, output: &Self::Output) -> Result<(), Error> {
        let _ = (cx, output);
        Ok(())
    }

    /// Runs after a successful call.
    ///
    /// # Errors
    /// Logged, otherwise without effect.
    fn after_handle(&self, cx: &mut Context) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = cx;
        std::future::ready(Ok(()))
    }

    /// Runs after a successful run of a scheduler job of any type. When it fails, the hook of the job's type is
    /// skipped.
    ///
    /// # Errors
    /// Logged, otherwise without effect.
    fn after_job(&self, cx: &mut Context) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = cx;
        std::future::ready(Ok(()))
    }

    /// Runs after `after_job`, after a successful run of a one-time job.
    ///
    /// # Errors
    /// Logged, otherwise without effect.
    fn after_one_time_job(&self, cx: &mut Context) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = cx;
        std::future::ready(Ok(()))
    }

    /// Runs after `after_job`, after a successful run of an interval-based job.
    ///
    /// # Errors
    /// Logged, otherwise without effect.
    fn after_interval_based_job(&self, cx: &mut Context) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = cx;
        std::future::ready(Ok(()))
    }

    /// Runs after `after_job`, after a successful run of a cron-style job.
    ///
    /// # Errors
    /// Logged, otherwise without effect.
    fn after_cron_style_job(&self, cx: &mut Context) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = cx;
        std::future::ready(Ok(()))
    }

    /// Runs last after a successful call, when its processing time is known.
    ///
    /// # Errors
    /// Logged, otherwise without effect.
    fn finalize_handle(&self, cx: &mut Context) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = cx;
        std::future::ready(Ok(()))
    }
}

/// What a service says of itself when it is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub(crate) name: Cow<'static, str>,
    pub(crate) aliases: &'static [&'static str],
    pub(crate) request_element: Option<Cow<'static, str>>,
    pub(crate) response_element: Option<Cow<'static, str>>,
    pub(crate) namespace: Option<Cow<'static, str>>,
    pub(crate) is_internal: bool,
    pub(crate) has_json_envelope: bool,
}

impl Description {
    /// A service of this name whose replies are an element, or JSON key, called `response`.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            aliases: &[],
            request_element: None,
            response_element: Some(Cow::Borrowed("response")),
            namespace: None,
            is_internal: false,
            has_json_envelope: false,
        }
    }

    /// An internal service of the public API: its JSON replies carry a `zato_env`.
    pub fn internal(name: impl Into<Cow<'static, str>>) -> Self {
        Self { is_internal: true, has_json_envelope: true, ..Self::new(name) }
    }

    /// Further names that the service answers under.
    #[must_use]
    pub fn aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// The local name that the root of an XML payload must have. Any root is accepted without it.
    #[must_use]
    pub fn request_element(self, element: Option<impl Into<Cow<'static, str>>>) -> Self {
        Self { request_element: element.map(Into::into), ..self }
    }

    /// The element, or JSON key, that holds the reply's payload. Without one a JSON reply is the bare payload.
    #[must_use]
    pub fn response_element(self, element: Option<impl Into<Cow<'static, str>>>) -> Self {
        Self { response_element: element.map(Into::into), ..self }
    }

    /// The XML namespace of the reply. None by default.
    #[must_use]
    pub fn namespace(self, namespace: impl Into<Cow<'static, str>>) -> Self {
        Self { namespace: Some(namespace.into()), ..self }
    }

    /// An internal service whose JSON replies stand without a `zato_env`.
    #[must_use]
    pub fn without_json_envelope(self) -> Self {
        Self { has_json_envelope: false, ..self }
    }
}
