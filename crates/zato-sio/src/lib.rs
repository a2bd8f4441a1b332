//! SimpleIO: lenient decoding and exact encoding of typed messages in JSON and XML.
