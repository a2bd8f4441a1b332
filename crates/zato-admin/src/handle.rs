//! From the catalogue to the registry: how a typed request becomes a service.
//!
//! Owns the adapter that is written once for all services, and their registration. It must not know any service.

use std::marker::PhantomData;

use zato_catalogue::{Call, RawCall};
use zato_service::{Context, Description, Error, Output, Registry, RegistryError, Service};

use crate::Admin;
use crate::services::invoke_by_path::InvokeByPath;

/// What answers a typed request of the public API.
///
/// Implemented for the `Request` of every built service of the catalogue; a missing one does not compile.
pub trait Handle: Call {
    /// Does what the request asks for.
    ///
    /// # Errors
    /// Whatever keeps the service from answering, in terms that its caller can use.
    fn handle(
        self,
        cx: &mut Context,
        admin: &Admin,
    ) -> impl Future<Output = Result<Self::Response, Error>> + Send;
}

/// [`Handle`] for services whose reply depends on more than the catalogue can say.
pub(crate) trait Answer: Call {
    /// What the service replies.
    type Reply: Output + 'static;

    /// Does what the request asks for.
    fn answer(
        self,
        cx: &mut Context,
        admin: &Admin,
    ) -> impl Future<Output = Result<Self::Reply, Error>> + Send;
}

impl<R: Handle> Answer for R {
    type Reply = R::Response;

    fn answer(
        self,
        cx: &mut Context,
        admin: &Admin,
    ) -> impl Future<Output = Result<Self::Reply, Error>> + Send {
        self.handle(cx, admin)
    }
}

/// A built service whose messages are not made of elements: which service answers it.
pub(crate) trait Implemented: RawCall {
    /// The service.
    type Service: Service;

    /// Makes it.
    fn service(admin: &Admin) -> Self::Service;
}

/// A service of the catalogue with typed messages.
struct Typed<R> {
    admin: Admin,
    request: PhantomData<fn(R)>,
}

impl<R: Answer> Service for Typed<R> {
    type Input = R;
    type Output = R::Reply;

    fn description(&self) -> Description {
        describe(R::SERVICE)
    }

    async fn handle(&self, cx: &mut Context, request: R) -> Result<R::Reply, Error> {
        request.answer(cx, &self.admin).await
    }
}

/// What the catalogue says about a service, in the terms of the registry.
pub(crate) fn describe(service: &'static zato_catalogue::Service) -> Description {
    // Services that read their request themselves take any root element.
    let request_element = service.raw_input.is_none().then_some(service.request_element);
    let description = Description::internal(service.name)
        .aliases(service.aliases)
        .request_element(request_element)
        .response_element(Some(service.response_element))
        .namespace(zato_env::NAMESPACE);
    if service.envelope { description } else { description.without_json_envelope() }
}

/// Takes the list of built services from the catalogue. A request without a [`Handle`] does not compile here.
macro_rules! register_each {
    (($registry:expr, $admin:expr) typed { $($request:ty,)* } raw { $($raw:ty,)* }) => {
        $($registry.register(Typed::<$request> { admin: $admin.clone(), request: PhantomData })?;)*
        $($registry.register(<$raw as Implemented>::service($admin))?;)*
    };
}

/// Registers every built service of the catalogue, and the one behind `/zato/api/invoke/{service}`.
///
/// # Errors
/// One of the names is taken. Those before it stay registered.
pub fn register_all(registry: &Registry, admin: &Admin) -> Result<(), RegistryError> {
    zato_catalogue::for_each_built_service!(register_each, registry, admin);
    registry.register(InvokeByPath)?;
    Ok(())
}
