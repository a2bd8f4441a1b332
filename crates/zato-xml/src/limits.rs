//! How much a message may ask for. Owns the numbers; the reader enforces them while it reads.

/// What a document may contain at most, so that reading it takes bounded time, memory and stack.
///
/// Change single limits of the default: `Limits { max_bytes: 1 << 20, ..Limits::default() }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The length of the text, in bytes; never more than 4 GiB. Default: 10 MiB.
    pub max_bytes: usize,
    /// How deep elements may nest, the root element being at depth 1. Readers may recurse into a document of bounded depth. Default: 100.
    pub max_depth: usize,
    /// The number of elements, texts, comments, processing instructions, attributes and namespace declarations: each takes up memory.
    /// It is looked at after each start tag. Default: 1,000,000.
    pub max_nodes: usize,
    /// The number of attributes of one element, its namespace declarations included. The time to tell duplicates grows with
    /// the square of this number. Default: 128.
    pub max_attributes: usize,
    /// The number of namespace declarations on an element and on all that it is in, redeclared prefixes included. Each prefix
    /// may be compared with all of them. Default: 128.
    pub max_namespaces: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 10 * 1024 * 1024,
            max_depth: 100,
            max_nodes: 1_000_000,
            max_attributes: 128,
            max_namespaces: 128,
        }
    }
}
