//! One block of a client's stream, from its start to its end.

use super::wire::{Piece, Wire};
use crate::anthropic::read::DIALECT;
use crate::anthropic::write::{answer_block, extra_text, previous_text};
use crate::chat::{Delta, Opaque, Part, PartKind};
use serde_json::{Value, json};

/// What a part becomes.
#[derive(Debug)]
pub(super) enum Kind {
    Text,
    Thought,
    Call { id: Box<str>, name: Box<str>, is_custom: bool },
    Whole(Box<Part>),
}

impl Kind {
    pub(super) fn new(kind: PartKind) -> Self {
        match kind {
            // Speech is shown by what is said.
            PartKind::Text | PartKind::Refusal | PartKind::Audio { .. } => Self::Text,
            PartKind::Reasoning { .. } => Self::Thought,
            PartKind::ToolCall { id, name, is_custom } => Self::Call { id, name, is_custom },
            PartKind::Whole(part) => Self::Whole(part),
        }
    }

    /// The kind of a block that goes on where one of this kind was ended early, if there can be one.
    pub(super) const fn resumed(&self) -> Option<Self> {
        match self {
            Self::Text => Some(Self::Text),
            Self::Thought => Some(Self::Thought),
            Self::Call { .. } | Self::Whole(_) => None,
        }
    }
}

/// A block. It is begun with its first content: empty ones are refused when clients send them back, and whether a
/// thought is redacted is said after it began.
#[derive(Debug)]
pub(super) struct Block {
    kind: Kind,
    index: Option<u32>,
    /// The proof of a thought that has no words yet, or of a block that is no thought.
    proof: Option<Opaque>,
    is_redacted: bool,
}

impl Block {
    /// Calls begin at once: clients show which tool it is while its input comes.
    pub(super) fn new(kind: Kind, next: &mut u32, out: &mut Vec<u8>) -> Self {
        let mut block = Self { kind, index: None, proof: None, is_redacted: false };
        if let Kind::Call { id, name, is_custom } = &block.kind {
            let start = json!({"type": "tool_use", "id": id, "name": name, "input": {}});
            let index = begun(&start, next, out);
            if *is_custom {
                input(index, "{\"input\":\"", out);
            }
            block.index = Some(index);
        }
        block
    }

    /// A block that another has begun.
    pub(super) const fn begun(kind: Kind, index: u32) -> Self {
        Self { kind, index: Some(index), proof: None, is_redacted: false }
    }

    pub(super) const fn kind(&self) -> &Kind {
        &self.kind
    }

    pub(super) fn delta(&mut self, delta: Delta, next: &mut u32, out: &mut Vec<u8>) {
        match (&self.kind, delta) {
            (Kind::Text, Delta::Text(text) | Delta::Transcript(text)) if !text.is_empty() => {
                let index = self.begin(next, out);
                piece(index, Piece::Text { text: &text }, out);
            }
            (Kind::Text, Delta::Citation(dialect, citation)) if dialect == DIALECT => {
                let index = self.begin(next, out);
                piece(index, Piece::Citation { citation: &citation }, out);
            }
            (Kind::Thought, Delta::Text(text)) if !text.is_empty() => {
                let index = self.begin(next, out);
                piece(index, Piece::Thinking { thinking: &text }, out);
            }
            (Kind::Thought, Delta::Redacted) => self.is_redacted = true,
            (Kind::Call { is_custom: false, .. }, Delta::Arguments(json)) if !json.is_empty() => {
                let index = self.begin(next, out);
                input(index, &json, out);
            }
            (Kind::Call { is_custom: true, .. }, Delta::Arguments(text)) => {
                let index = self.begin(next, out);
                let quoted = Value::String(text).to_string();
                input(index, quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default(), out);
            }
            (_, Delta::Opaque(opaque)) => self.proof = Some(opaque),
            _ => {}
        }
    }

    /// The block's number, which it has from its first content on.
    fn begin(&mut self, next: &mut u32, out: &mut Vec<u8>) -> u32 {
        if let Some(index) = self.index {
            return index;
        }
        let start = match self.kind {
            Kind::Thought => json!({"type": "thinking", "thinking": "", "signature": ""}),
            _ => json!({"type": "text", "text": ""}),
        };
        let index = begun(&start, next, out);
        self.index = Some(index);
        index
    }

    pub(super) fn end(mut self, next: &mut u32, out: &mut Vec<u8>) {
        let proof = self.proof.take();
        if matches!(self.kind, Kind::Thought) {
            self.prove(proof, next, out);
            self.stop(out);
            return;
        }
        if let (Kind::Call { is_custom: true, .. }, Some(index)) = (&self.kind, self.index) {
            input(index, "\"}", out);
        }
        self.stop(out);
        if let Kind::Whole(part) = &self.kind {
            whole(part, next, out);
        }
        if let Some(proof) = proof {
            // What proves a call or a text: an empty thought behind it.
            let start = json!({"type": "thinking", "thinking": "", "signature": ""});
            let index = begun(&start, next, out);
            piece(index, Piece::Signature { signature: &previous_text(&proof) }, out);
            Wire::ContentBlockStop { index }.write(out);
        }
    }

    /// The end of a thought.
    fn prove(&mut self, proof: Option<Opaque>, next: &mut u32, out: &mut Vec<u8>) {
        let Some(proof) = proof.map(|proof| proof.to_text()) else { return };
        if self.is_redacted && self.index.is_none() {
            let start = json!({"type": "redacted_thinking", "data": proof});
            self.index = Some(begun(&start, next, out));
        } else {
            let index = self.begin(next, out);
            piece(index, Piece::Signature { signature: &proof }, out);
        }
    }

    fn stop(&self, out: &mut Vec<u8>) {
        if let Some(index) = self.index {
            Wire::ContentBlockStop { index }.write(out);
        }
    }
}

fn begun(start: &Value, next: &mut u32, out: &mut Vec<u8>) -> u32 {
    let index = *next;
    *next = next.saturating_add(1);
    Wire::ContentBlockStart { index, content_block: start }.write(out);
    index
}

fn piece(index: u32, delta: Piece<'_>, out: &mut Vec<u8>) {
    Wire::ContentBlockDelta { index, delta }.write(out);
}

fn input(index: u32, partial_json: &str, out: &mut Vec<u8>) {
    piece(index, Piece::Input { partial_json }, out);
}

/// A part that comes whole. Texts go as pieces all the same: many clients read nothing else.
fn whole(part: &Part, next: &mut u32, out: &mut Vec<u8>) {
    let described = extra_text(part);
    let mut blocks = Vec::new();
    answer_block(part, described.as_deref(), &mut blocks);
    for block in &blocks {
        let Ok(mut block) = serde_json::to_value(block) else { continue };
        let text = match block.get_mut("text") {
            Some(Value::String(text)) => std::mem::take(text),
            _ => String::new(),
        };
        let index = begun(&block, next, out);
        if !text.is_empty() {
            piece(index, Piece::Text { text: &text }, out);
        }
        Wire::ContentBlockStop { index }.write(out);
    }
}
