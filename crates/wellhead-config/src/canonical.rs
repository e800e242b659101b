//! `Document` → text that reads back to an equal document, with everything substituted. Secrets are included: the
//! caller seals it before it touches a disk.

use crate::document::Document;
use crate::read::Element;

/// The document as JSON, which is YAML too. It contains secrets in clear text.
pub fn to_canonical(document: &Document) -> String {
    // Pretty, because a YAML reader bounds the distance that it looks ahead within a line.
    let json = document.root.write();
    serde_json::to_string_pretty(&json).unwrap_or_else(|_| json.to_string())
}
