//! Services: the Service trait, its context, the registry, invocation and hooks.
