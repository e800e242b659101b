//! Text, and text that is secret.

use serde_json::{Value as Json, json};
use wellhead_types::Secret;

use super::{Leaf, Problem, text_json};
use crate::read::Written;

/// Longest text in bytes: no name, path or region is near it.
const TEXT_BYTES_MAX: usize = 4 * 1024;
/// Longest secret in bytes: service-account files are about 3 KiB; headers of 64 KiB are what servers refuse.
const SECRET_BYTES_MAX: usize = 16 * 1024;

/// Text without control characters and without blanks at its ends; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(pub String);

impl std::ops::Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Leaf for Text {
    const WRITTEN: Written = Written::Text;

    fn expected() -> String {
        "text".to_owned()
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        check(text, TEXT_BYTES_MAX)?;
        Ok(Self(text.to_owned()))
    }

    fn to_json(&self) -> Json {
        text_json(&self.0)
    }

    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1, "maxLength": TEXT_BYTES_MAX })
    }
}

/// A secret. It is never repeated in messages, excerpts or `Debug`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretText(pub Secret);

impl Leaf for SecretText {
    const SECRET: bool = true;
    const WRITTEN: Written = Written::Text;

    fn expected() -> String {
        "a key as text, or ${VAR}, or ${file:path}".to_owned()
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        check(text, SECRET_BYTES_MAX)?;
        // It goes into a header: RFC 9110 section 5.5 leaves nothing else for a credential.
        if !text.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
            return Err(
                Problem::new("has characters that cannot stand in a header").expected("printable ASCII")
            );
        }
        Ok(Self(Secret::new(text)))
    }

    fn to_json(&self) -> Json {
        text_json(self.0.expose())
    }

    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1, "maxLength": SECRET_BYTES_MAX })
    }
}

/// What all text has in common.
pub(super) fn check(text: &str, bytes_max: usize) -> Result<(), Problem> {
    if text.is_empty() {
        return Err(Problem::new("is empty"));
    }
    if text.len() > bytes_max {
        let message = format!("is {} bytes long", text.len());
        return Err(Problem::new(message).expected(format!("at most {bytes_max} bytes")));
    }
    if text.chars().any(char::is_control) {
        let problem = Problem::new("contains a line break or another control character");
        return Err(problem.expected("one line of printable characters"));
    }
    if text.trim() != text {
        return Err(Problem::new("begins or ends with a blank").expected("the text without it"));
    }
    Ok(())
}
