//! Outgoing HTTP and SOAP connections: named, configured, pooled, as one tower stack.
