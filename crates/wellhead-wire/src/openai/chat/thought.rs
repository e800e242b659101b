//! What a model thought: `reasoning_content` and its other names, OpenRouter's `reasoning_details`, Google's signatures.
//!
//! Towards clients the words go into `reasoning_content`, and words together with their proof into
//! `reasoning_details`, where a proof carries its origin as [`Opaque::to_text`] writes it. A vendor's own entries go back
//! to it with every member that they had: what has no place in [`Reasoning`] stays in the opaque data as JSON.

use super::members::{Members, objects, take, text, word};
use crate::chat::{Opaque, Reasoning};
use serde_json::{Map, Value, json};

/// Names of the plain text, the most common first.
const PLAIN: [&str; 4] = ["reasoning_content", "reasoning", "reasoning_text", "thinking"];

const TEXT: &str = "reasoning.text";
const SUMMARY: &str = "reasoning.summary";
const ENCRYPTED: &str = "reasoning.encrypted";

/// Takes the plain text, under whichever name; vendors repeat it under two.
pub(super) fn plain(members: &mut Members) -> Option<String> {
    let mut found = None;
    for name in PLAIN {
        if members.get(name).is_some_and(Value::is_string) {
            let said = text(members, name).filter(|text| !text.is_empty());
            found = found.or(said);
        }
    }
    found
}

/// One entry of `reasoning_details`, or a piece of one.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    /// `None`: the entry has no words at all, not even empty ones.
    pub(super) text: Option<String>,
    pub(super) proof: Option<String>,
    pub(super) is_redacted: bool,
    pub(super) id: Option<Box<str>>,
    pub(super) index: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    #[default]
    Text,
    Summary,
    Encrypted,
}

/// Takes the entries.
pub(super) fn entries(members: &mut Members) -> Vec<Entry> {
    objects(members, "reasoning_details").filter_map(entry).collect()
}

fn entry(mut members: Members) -> Option<Entry> {
    let kind = match members.get("type").and_then(Value::as_str) {
        Some(ENCRYPTED) => Kind::Encrypted,
        Some(SUMMARY) => Kind::Summary,
        Some(TEXT) => Kind::Text,
        _ => return None,
    };
    let said = text(&mut members, if kind == Kind::Summary { "summary" } else { "text" });
    let id = members.get("id").and_then(Value::as_str).map(Box::from);
    let index = members.get("index").and_then(Value::as_u64);
    let format = members.get("format").and_then(Value::as_str).filter(|format| *format != "unknown");
    let is_redacted = kind == Kind::Encrypted && format.is_none_or(|format| format.starts_with("anthropic"));
    let has_format = format.is_some();
    let proof = match (word(&mut members.clone(), "signature"), word(&mut members.clone(), "data")) {
        (Some(proof), _) | (None, Some(proof)) => {
            let is_ours = Opaque::from_text(crate::chat::Dialect::Chat, &proof).origin.is_some();
            Some(if has_format && !is_ours { Value::Object(members).to_string() } else { proof })
        }
        (None, None) => None,
    };
    Some(Entry { kind, text: said, proof, is_redacted, id, index })
}

/// A thought that may go on.
#[derive(Debug)]
pub(super) struct Thought {
    pub(super) kind: Kind,
    pub(super) index: Option<u64>,
    pub(super) is_proven: bool,
}

impl Thought {
    pub(super) const fn of(entry: &Entry) -> Self {
        Self { kind: entry.kind, index: entry.index, is_proven: entry.proof.is_some() }
    }

    /// Whether the entry says more of it. In a stream, entries without a number follow each other.
    pub(super) fn goes_on(&self, entry: &Entry, streamed: bool) -> bool {
        let numbered = self.index.is_some() || streamed;
        let encrypts = self.kind == Kind::Summary && entry.kind == Kind::Encrypted;
        let repeats = self.kind == entry.kind && self.kind != Kind::Encrypted;
        !self.is_proven && self.index == entry.index && (encrypts || (repeats && numbered))
    }
}

/// Takes every thought of a message.
pub(super) fn read(members: &mut Members, opaque: &dyn Fn(&str) -> Opaque) -> Vec<Reasoning> {
    let plain = plain(members);
    let mut all: Vec<(Reasoning, Thought)> = Vec::new();
    let mut has_words = false;
    for entry in entries(members).into_iter().take(super::PARTS_MAX) {
        has_words |= entry.text.as_ref().is_some_and(|text| !text.is_empty());
        let thought = Thought::of(&entry);
        let proof = entry.proof.as_deref().map(opaque);
        match all.last_mut() {
            Some((open, before)) if before.goes_on(&entry, false) => {
                open.text.push_str(&entry.text.unwrap_or_default());
                open.opaque = proof.or(open.opaque.take());
                open.id = open.id.take().or(entry.id);
                before.is_proven |= thought.is_proven;
            }
            _ => {
                let is_redacted = entry.is_redacted && proof.is_some();
                let is_summary = entry.kind == Kind::Summary;
                let text = entry.text.unwrap_or_default();
                all.push((Reasoning { text, is_summary, opaque: proof, is_redacted, id: entry.id }, thought));
            }
        }
    }
    let mut thoughts: Vec<Reasoning> = all.into_iter().map(|(reasoning, _)| reasoning).collect();
    if let Some(text) = plain.filter(|_| !has_words) {
        // The words lie beside their proof.
        match thoughts.iter_mut().find(|thought| !thought.is_redacted) {
            Some(thought) => thought.text = text,
            None => thoughts.insert(0, Reasoning { text, ..Reasoning::default() }),
        }
    }
    thoughts.retain(|thought| !thought.text.is_empty() || thought.opaque.is_some());
    thoughts
}

/// Whether `reasoning_content` alone does not say it.
pub(super) fn needs_details(thoughts: &[&Reasoning]) -> bool {
    let plain = |thought: &Reasoning| {
        thought.opaque.is_none() && thought.id.is_none() && !thought.is_summary && !thought.is_redacted
    };
    thoughts.len() > 1 || !thoughts.iter().all(|thought| plain(thought))
}

/// The entries of one thought.
pub(super) fn write(thought: &Reasoning, proof: Option<String>, index: usize) -> Vec<Value> {
    let own = proof.as_deref().and_then(vendors);
    let with_id = |mut entry: Value| {
        if let (Some(id), Some(object)) = (&thought.id, entry.as_object_mut()) {
            object.insert("id".to_owned(), json!(id));
        }
        entry
    };
    let secret = |proof: String| json!({"type": ENCRYPTED, "data": proof, "index": index});
    match (own, proof) {
        (Some(mut own), _) => {
            let is_text = own.get("type").and_then(Value::as_str) == Some(TEXT);
            if is_text {
                own.insert("text".to_owned(), json!(thought.text));
                return vec![Value::Object(own)];
            }
            let words = json!({"type": SUMMARY, "summary": thought.text, "index": own.get("index")});
            let words = (!thought.text.is_empty()).then_some(words);
            words.into_iter().chain([Value::Object(own)]).collect()
        }
        (None, Some(proof)) if thought.is_redacted => vec![with_id(secret(proof))],
        (None, proof) if thought.is_summary => {
            let words = json!({"type": SUMMARY, "summary": thought.text, "index": index});
            [with_id(words)].into_iter().chain(proof.map(secret)).collect()
        }
        (None, Some(proof)) => {
            vec![with_id(json!({"type": TEXT, "text": thought.text, "signature": proof, "index": index}))]
        }
        (None, None) => vec![with_id(json!({"type": TEXT, "text": thought.text, "index": index}))],
    }
}

/// A vendor's own entry, if that is what the data holds.
fn vendors(proof: &str) -> Option<Map<String, Value>> {
    let value = serde_json::from_str(proof.strip_prefix('{').map(|_| proof)?).ok()?;
    match value {
        Value::Object(object) if object.get("type")?.as_str()?.starts_with("reasoning.") => Some(object),
        _ => None,
    }
}

/// Takes Google's proof: `extra_content.google.thought_signature`.
pub(super) fn signature(members: &mut Members) -> Option<String> {
    let mut extra = take(members, "extra_content")?;
    match extra.get_mut("google")?.get_mut("thought_signature")?.take() {
        Value::String(signature) if !signature.is_empty() => Some(signature),
        _ => None,
    }
}

/// Writes it.
pub(super) fn with_signature(signature: &str) -> Value {
    json!({"google": {"thought_signature": signature}})
}
