//! A target's own events on their way to a client of this dialect: what has to be remembered of them, so that the stream can
//! be gone on with or ended by somebody else.

use super::open::{Block, Kind};
use super::wire::Wire;
use crate::json::{self, quoted};
use crate::sse;
use std::borrow::Cow;

/// Most blocks that are remembered as open; whoever reads the target's stream allows no more.
const OPEN_MAX: usize = 64;

/// What a client has seen of a stream that was not written here.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// One more than the highest number of a block.
    pub(super) next: u32,
    /// Blocks that have begun and not ended, and whether they are texts.
    pub(super) open: Vec<(u32, bool)>,
    /// It was said why the message ends.
    has_ending: bool,
    is_over: bool,
}

impl Seen {
    /// Takes an event and appends it, naming the model as the client did.
    pub(super) fn relay(&mut self, raw: &[u8], model: &str, out: &mut Vec<u8>) {
        let event = sse::Event::parse(raw);
        let Some(data) = event.data() else { return out.extend_from_slice(raw) };
        let name = match event.event() {
            Some(name) => Cow::Borrowed(name),
            None => text(&data, &["type"]).map_or(Cow::Borrowed(&b""[..]), |name| name.into_bytes().into()),
        };
        match &*name {
            b"message_start" => {
                if let Some(renamed) = json::replaced(&data, &["message", "model"], &quoted(model)) {
                    return event.write_with(&renamed, out);
                }
            }
            b"content_block_start" => self.begins(&data),
            b"content_block_stop" => {
                let index = index(&data);
                self.open.retain(|(open, _)| *open != index);
            }
            b"message_delta" => {
                self.has_ending |= text(&data, &["delta", "stop_reason"]).is_some();
            }
            b"message_stop" => self.is_over = true,
            _ => {}
        }
        out.extend_from_slice(raw);
    }

    fn begins(&mut self, data: &[u8]) {
        let index = index(data);
        let is_text = text(data, &["content_block", "type"]).is_some_and(|kind| kind == "text");
        self.next = self.next.max(index.saturating_add(1));
        self.open.retain(|(open, _)| *open != index);
        if self.open.len() < OPEN_MAX {
            self.open.push((index, is_text));
        }
    }

    /// Ends every block but a text that somebody else goes on with; gives that one.
    pub(super) fn hand_over(&mut self, out: &mut Vec<u8>) -> Option<Block> {
        let text = self.open.pop_if(|(_, is_text)| *is_text);
        for (index, _) in self.open.drain(..) {
            Wire::ContentBlockStop { index }.write(out);
        }
        text.map(|(index, _)| Block::begun(Kind::Text, index))
    }

    /// Ends a message of which everything has been said; `false` if that is not so.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> bool {
        if self.has_ending && !self.is_over {
            for (index, _) in self.open.drain(..) {
                Wire::ContentBlockStop { index }.write(out);
            }
            Wire::MessageStop.write(out);
            self.is_over = true;
        }
        self.is_over
    }
}

fn index(data: &[u8]) -> u32 {
    let index = json::find(data, &["index"]).and_then(|index| std::str::from_utf8(index).ok());
    index.and_then(|index| index.parse().ok()).unwrap_or(0)
}

fn text(data: &[u8], path: &[&str]) -> Option<String> {
    Some(json::Text::parse(json::find(data, path)?)?.decode().into_owned())
}
