//! The events of a stream as they are written.

use crate::anthropic::usage;
use serde::Serialize;
use serde_json::Value;

/// One event.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Wire<'a> {
    MessageStart { message: Message<'a> },
    ContentBlockStart { index: u32, content_block: &'a Value },
    ContentBlockDelta { index: u32, delta: Piece<'a> },
    ContentBlockStop { index: u32 },
    MessageDelta { delta: Ending<'a>, usage: usage::Shown },
    MessageStop,
    Ping,
}

#[derive(Serialize)]
pub(super) struct Message<'a> {
    pub(super) id: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) role: &'static str,
    pub(super) model: &'a str,
    pub(super) content: [(); 0],
    pub(super) stop_reason: Option<&'a str>,
    pub(super) stop_sequence: Option<&'a str>,
    pub(super) usage: usage::Shown,
}

#[derive(Serialize)]
pub(super) struct Ending<'a> {
    pub(super) stop_reason: &'a str,
    pub(super) stop_sequence: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_details: Option<Value>,
}

#[derive(Serialize)]
#[serde(tag = "type")]
pub(super) enum Piece<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: &'a str },
    #[serde(rename = "input_json_delta")]
    Input { partial_json: &'a str },
    #[serde(rename = "citations_delta")]
    Citation { citation: &'a Value },
}

impl Wire<'_> {
    const fn name(&self) -> &'static str {
        match self {
            Wire::MessageStart { .. } => "message_start",
            Wire::ContentBlockStart { .. } => "content_block_start",
            Wire::ContentBlockDelta { .. } => "content_block_delta",
            Wire::ContentBlockStop { .. } => "content_block_stop",
            Wire::MessageDelta { .. } => "message_delta",
            Wire::MessageStop => "message_stop",
            Wire::Ping => "ping",
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        frame(self.name(), self, out);
    }
}

/// A whole event.
pub(super) fn frame(name: &str, data: &impl Serialize, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    if serde_json::to_writer(&mut *out, data).is_err() {
        // Texts and JSON that was read before cannot fail to be written; if they did, no half of an event stays.
        out.truncate(start);
        return;
    }
    out.extend_from_slice(b"\n\n");
}
