//! Values of extra headers. They may be credentials of a kind that nobody foresaw, so they are kept like secrets.

use serde_json::{Value as Json, json};
use wellhead_types::Secret;

use super::{Leaf, Problem, text_json};
use crate::read::Written;

/// Longest header value in bytes: common servers refuse 8 KiB for all headers together.
const VALUE_BYTES_MAX: usize = 8 * 1024;

/// A header value (RFC 9110 section 5.5): visible characters, blanks and tabs within.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderValue(pub Secret);

impl Leaf for HeaderValue {
    const SECRET: bool = true;
    const WRITTEN: Written = Written::Text;

    fn expected() -> String {
        "a header value as text".to_owned()
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        if text.len() > VALUE_BYTES_MAX {
            return Err(Problem::new("is too long").expected(format!("at most {VALUE_BYTES_MAX} bytes")));
        }
        if text.contains(['\r', '\n', '\0']) {
            let problem = Problem::new("contains a line break, which would end the header");
            return Err(problem.expected("one line"));
        }
        if !text.bytes().all(|b| b.is_ascii_graphic() || b == b' ' || b == b'\t') {
            return Err(
                Problem::new("has characters that cannot stand in a header").expected("printable ASCII")
            );
        }
        if text.trim() != text {
            return Err(Problem::new("begins or ends with a blank").expected("the value without it"));
        }
        Ok(Self(Secret::new(text)))
    }

    fn to_json(&self) -> Json {
        text_json(self.0.expose())
    }

    fn schema() -> Json {
        json!({ "type": "string", "maxLength": VALUE_BYTES_MAX })
    }
}
