//! The public API as data: descriptors, typed requests and responses, OpenAPI and WSDL.
