//! `thoughtSignature`: bytes in base64 that have to go back to where they came from.

use super::GEMINI;
use crate::chat::Opaque;
use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// What Google documents for calls that its model did not make: the signature is not checked. Understood by both
/// services (docs.cloud.google.com/vertex-ai/generative-ai/docs/thought-signatures, "Using REST or manual handling";
/// ai.google.dev/gemini-api/docs/thought-signatures, FAQ). AI Studio knows a second value, which Vertex AI refuses
/// (pydantic-ai#3881).
pub(crate) const UNCHECKED: &str = "skip_thought_signature_validator";

/// How a text begins whose bytes begin with the mark of an origin.
const MARKED: &str = "d2gxf";

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);

/// As a client of this dialect gets it. SDKs read the member as bytes, so that a text which names its origin is
/// base64 once more.
pub(crate) fn to_client(opaque: &Opaque) -> String {
    let text = opaque.to_text();
    if opaque.origin.is_none() && opaque.dialect == GEMINI {
        return text;
    }
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// As a client of this dialect sends it back. Python's SDK changes the alphabet to that of URLs.
pub(crate) fn from_client(text: &str) -> Opaque {
    let decoded = text
        .starts_with(MARKED)
        .then(|| {
            let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
            GeneralPurpose::new(alphabet, LENIENT).decode(text).ok()
        })
        .flatten()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    Opaque::from_text(GEMINI, decoded.as_deref().unwrap_or(text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{from_client, to_client};
    use crate::chat::{Dialect, Opaque, Origin};
    use base64::Engine;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_origin_survives_sdks_that_read_bytes(provider in ".{0,12}", model in ".{0,12}", data in ".{0,40}", dialect in 0..7_usize) {
            let origin = Some(Origin { provider: provider.into(), model: model.into() });
            let opaque = Opaque { dialect: Dialect::ALL[dialect], origin, data: data.into() };
            let text = to_client(&opaque);
            let bytes = base64::engine::general_purpose::STANDARD.decode(&text).expect("what SDKs can read");
            prop_assert_eq!(&from_client(&text), &opaque);
            for sent_back in [
                base64::engine::general_purpose::URL_SAFE.encode(&bytes),
                base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&bytes),
            ] {
                prop_assert_eq!(&from_client(&sent_back), &opaque);
            }
        }

        #[test]
        fn the_vendors_own_signature_stays_as_it_is(data in "[A-Za-z0-9+/]{0,40}={0,2}") {
            let opaque = from_client(&data);
            prop_assert_eq!(to_client(&opaque), data);
        }
    }
}
