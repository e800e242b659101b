//! Most events of a stream differ from the one before in their text only. Once that has been seen, the rest is compared
//! instead of being read again: a few instructions for an event that has nothing new to say.

use crate::json::{Cursor, Text};
use std::ops::Range;

/// Largest event, without its text, that is worth remembering. Chunks of all vendors are below 400 bytes.
const AROUND_BYTES_MAX: usize = 1024;

/// What stood around the text of the last event that was nothing but text.
#[derive(Debug, Default)]
pub(super) struct Likeness {
    /// Up to and including the text's opening quote.
    before: Box<[u8]>,
    /// From its closing quote on.
    after: Box<[u8]>,
    /// Whether an event with text only has gone by: from the second on it pays.
    met: bool,
}

impl Likeness {
    /// The text of an event that is otherwise equal to the one that was learnt: everything that follows from the rest is
    /// known. `None`: it has to be read.
    #[inline]
    pub(super) fn text_of<'d>(&self, data: &'d [u8]) -> Option<Text<'d>> {
        let (before, after) = (self.before.len(), self.after.len());
        if before == 0 || !data.starts_with(&self.before) || !data.ends_with(&self.after) {
            return None;
        }
        // With both quotes: that it is one string and nothing more is for the reader of strings to say.
        let quoted = data.get(before - 1..(data.len() + 1).checked_sub(after)?)?;
        let mut cursor = Cursor::new(quoted).ok()?;
        let text = cursor.string_value().ok()??;
        cursor.end().ok()?;
        (!text.is_empty()).then_some(text)
    }

    /// An event with nothing but text went by; `text` is where that stands, without its quotes.
    pub(super) fn learn(&mut self, data: &[u8], text: Range<usize>) {
        if !self.met {
            self.met = true;
            return;
        }
        let (Some(before), Some(after)) = (data.get(..text.start), data.get(text.end..)) else { return };
        if before.len() + after.len() <= AROUND_BYTES_MAX {
            (self.before, self.after) = (before.into(), after.into());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use crate::openai::Endpoint;
    use crate::openai::stream::StreamObserver;
    use crate::sse::Event;
    use serde_json::{Value, json};

    /// Deltas that look alike and are not, between others that are.
    fn deltas() -> Vec<Value> {
        let texts = ["a", "\"", "\\", "\n", "é😀", "\"}}]}", "", " ", "{\"content\":\"x\"}", "\u{7f}", "]"];
        let mut deltas: Vec<Value> = texts.iter().map(|text| json!({ "content": text })).collect();
        deltas.push(json!({ "content": null }));
        deltas.push(json!({ "content": "t", "refusal": "no" }));
        deltas.push(json!({ "reasoning": "t" }));
        deltas.push(json!({ "content": "t", "role": "assistant" }));
        deltas
    }

    /// Whatever order they come in: each event means what it means to an observer that has seen nothing before, and
    /// the text is what a client puts together.
    #[test]
    fn what_is_alike_is_read_as_if_it_were_read_whole() {
        let deltas = deltas();
        for seed in 0..20_000_usize {
            let mut observer = StreamObserver::remembering(Endpoint::ChatCompletions, true);
            let mut text = String::new();
            let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
            for _ in 0..12 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let delta = &deltas[(state >> 33) % deltas.len()];
                let usage = if state >> 60 == 0 { json!({ "completion_tokens": 3 }) } else { Value::Null };
                let choice = json!({ "index": 0, "delta": delta, "finish_reason": null });
                let chunk = json!({ "id": "c", "choices": [choice], "usage": usage });
                let raw = format!("data: {chunk}\n\n");
                let event = Event::parse(raw.as_bytes());
                let alone = StreamObserver::remembering(Endpoint::ChatCompletions, true).observe(&event);
                assert_eq!(observer.observe(&event), alone, "seed {seed}: {raw}");
                text.push_str(delta["content"].as_str().unwrap_or_default());
            }
            let delivered = observer.take_delivered().unwrap();
            assert_eq!(delivered.text(), text, "seed {seed}");
        }
    }
}
