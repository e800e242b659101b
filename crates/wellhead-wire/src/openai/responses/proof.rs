//! `encrypted_content`: what only a vendor can read, on its way through a client.
//!
//! The dialect has a place for proofs in reasoning items alone. What else a vendor wants back (Gemini signs calls and
//! texts) travels in an empty reasoning item right behind the item that it belongs to.

use super::DIALECT;
use crate::chat::{Opaque, Origin, Reasoning};
use serde_json::{Value, json};

/// Before the proof of a thought that its vendor's filter hid.
const REDACTED: &str = "whr~";

/// Before the proof of the item in front of it.
const FOR_PREVIOUS: &str = "whp~";

/// Who wrote what is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Author<'a> {
    /// A client, who may have got it from anywhere.
    Client,
    /// A target, whose proofs are its own.
    Target(&'a Origin),
}

/// What `encrypted_content` holds.
pub(super) enum Proof {
    /// Of the thought that it stands in.
    Own { opaque: Opaque, is_redacted: bool },
    /// Of what was said before.
    Previous(Opaque),
}

impl Author<'_> {
    pub(super) fn proof(self, text: &str) -> Proof {
        match self {
            Self::Target(origin) => {
                let opaque = Opaque { dialect: DIALECT, origin: Some(origin.clone()), data: text.into() };
                Proof::Own { opaque, is_redacted: false }
            }
            Self::Client => {
                if let Some(text) = text.strip_prefix(FOR_PREVIOUS) {
                    return Proof::Previous(Opaque::from_text(DIALECT, text));
                }
                let own = text.strip_prefix(REDACTED);
                let opaque = Opaque::from_text(DIALECT, own.unwrap_or(text));
                Proof::Own { opaque, is_redacted: own.is_some() }
            }
        }
    }
}

/// `encrypted_content` of a thought for a client.
pub(super) fn of(thought: &Reasoning) -> Option<String> {
    let text = thought.opaque.as_ref()?.to_text();
    Some(if thought.is_redacted { format!("{REDACTED}{text}") } else { text })
}

/// The item behind one that is no thought.
pub(super) fn behind(opaque: &Opaque, id: &str) -> Value {
    let proof = format!("{FOR_PREVIOUS}{}", opaque.to_text());
    json!({"id": id, "type": "reasoning", "summary": [], "encrypted_content": proof})
}
