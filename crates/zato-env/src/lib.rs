//! The zato_env technical envelope in JSON and XML, and error replies.
