//! Base64 as the tools of callers write it: some leave out the padding, most break lines.
//!
//! Owns reading it. It must not know what is encoded.

use base64::alphabet;
use base64::engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use zato_service::Error;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The bytes that an element has.
#[track_caller]
pub(crate) fn decode(element: &str, text: &str) -> Result<Bytes, Error> {
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let decoded = LENIENT.decode(text);
    decoded.map(Bytes::from).map_err(|error| Error::bad_request(format!("{element} is not base64: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_as_tools_write_it() {
        for text in ["eyJhIjoxfQ==", "eyJhIjoxfQ", "eyJh\nIjox\r\nfQ==\n", " e y J h I j o x f Q = = "] {
            assert_eq!(decode("payload", text).unwrap(), Bytes::from_static(b"{\"a\":1}"), "{text:?}");
        }
        assert_eq!(decode("payload", "").unwrap(), Bytes::new());
        let error = decode("payload", "{\"a\":1}").unwrap_err();
        assert!(error.message().starts_with("payload is not base64"));
    }
}
