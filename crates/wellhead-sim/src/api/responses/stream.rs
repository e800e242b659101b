//! The events of a streamed response, in the vendor's order and numbered.

use std::io::Write as _;

use serde_json::{Value, json};

use super::object::{Item, Response};
use crate::api::chat::json as write_json;
use crate::mind::{Said, Text};
use crate::reply::{Events, Step};

/// One event; the numbers are the item and the token.
#[derive(Debug, Clone, Copy)]
enum Piece {
    Created,
    InProgress,
    ItemAdded(usize),
    PartAdded(usize),
    Delta(usize, usize),
    TextDone(usize),
    PartDone(usize),
    ArgumentsDone(usize),
    ItemDone(usize),
    End,
}

/// A streamed response.
pub(super) struct ResponseEvents {
    response: Response,
    items: Vec<Item>,
    pieces: std::vec::IntoIter<Piece>,
    sequence: u64,
}

impl ResponseEvents {
    pub(super) fn new(response: Response) -> Self {
        let items = response.items();
        let mut pieces = vec![Piece::Created, Piece::InProgress];
        for (at, item) in items.iter().enumerate() {
            let deltas = deltas(&response, *item).map_or(0, Text::len);
            pieces.push(Piece::ItemAdded(at));
            pieces.extend((*item == Item::Message).then_some(Piece::PartAdded(at)));
            pieces.extend((0..deltas).map(|token| Piece::Delta(at, token)));
            match item {
                Item::Message => pieces.extend([Piece::TextDone(at), Piece::PartDone(at)]),
                Item::Call(_) => pieces.push(Piece::ArgumentsDone(at)),
                Item::Reasoning => {}
            }
            pieces.push(Piece::ItemDone(at));
        }
        pieces.push(Piece::End);
        Self { response, items, pieces: pieces.into_iter(), sequence: 0 }
    }

    /// Starts an event: its name, and its data up to the members of its own.
    fn start(&mut self, out: &mut Vec<u8>, name: &str) {
        let _ =
            write!(out, "event: {name}\ndata: {{\"type\":\"{name}\",\"sequence_number\":{}", self.sequence);
        self.sequence += 1;
    }

    /// A whole event.
    fn event(&mut self, out: &mut Vec<u8>, name: &str, members: &Value) {
        self.start(out, name);
        for (member, value) in members.as_object().into_iter().flatten() {
            let _ = write!(out, ",\"{member}\":{value}");
        }
        out.extend_from_slice(b"}\n\n");
    }

    fn id(&self, at: usize) -> &str {
        self.response.ids.get(at).map_or("", String::as_str)
    }

    /// The events that a token takes, written without building a value.
    fn delta(&mut self, out: &mut Vec<u8>, at: usize, token: usize) {
        let item = self.items.get(at).copied().unwrap_or(Item::Message);
        let message = item == Item::Message;
        self.start(
            out,
            if message { "response.output_text.delta" } else { "response.function_call_arguments.delta" },
        );
        let _ = write!(out, ",\"item_id\":\"{}\",\"output_index\":{at}", self.id(at));
        if message {
            out.extend_from_slice(b",\"content_index\":0,\"logprobs\":[]");
        }
        out.extend_from_slice(b",\"delta\":");
        write_json(out, deltas(&self.response, item).map_or("", |text| text.token(token)));
        out.extend_from_slice(b"}\n\n");
    }

    fn done(&mut self, out: &mut Vec<u8>, piece: Piece) {
        match piece {
            Piece::TextDone(at) => {
                let text = self.response.part()["text"].take();
                let members = json!({"item_id": self.id(at), "output_index": at, "content_index": 0, "text": text, "logprobs": []});
                self.event(out, "response.output_text.done", &members);
            }
            Piece::PartDone(at) => {
                let members = json!({"item_id": self.id(at), "output_index": at, "content_index": 0, "part": self.response.part()});
                self.event(out, "response.content_part.done", &members);
            }
            Piece::ArgumentsDone(at) => {
                let item = self.items.get(at).copied().unwrap_or(Item::Message);
                let item = self.response.item(item, self.id(at));
                let members = json!({"item_id": self.id(at), "output_index": at, "name": item["name"], "arguments": item["arguments"]});
                self.event(out, "response.function_call_arguments.done", &members);
            }
            Piece::ItemDone(at) => {
                let item = self.items.get(at).copied().unwrap_or(Item::Message);
                let members = json!({"output_index": at, "item": self.response.item(item, self.id(at))});
                self.event(out, "response.output_item.done", &members);
            }
            _ => {}
        }
    }
}

/// What is streamed of an item. Reasoning is not: without a summary the vendor says nothing about it either.
fn deltas(response: &Response, item: Item) -> Option<&Text> {
    match (item, &response.answer.said) {
        (Item::Message, Said::Text(text)) => Some(text),
        (Item::Call(number), Said::Calls(_)) => response.call(number).map(|call| &call.arguments),
        _ => None,
    }
}

impl Events for ResponseEvents {
    fn next(&mut self, out: &mut Vec<u8>) -> Option<Step> {
        let piece = self.pieces.next()?;
        match piece {
            Piece::Created => {
                self.event(out, "response.created", &json!({"response": self.response.in_progress()}));
            }
            Piece::InProgress => {
                self.event(out, "response.in_progress", &json!({"response": self.response.in_progress()}));
            }
            Piece::ItemAdded(at) => {
                let item = self.items.get(at).copied().unwrap_or(Item::Message);
                let members = json!({"output_index": at, "item": self.response.begun(item, self.id(at))});
                self.event(out, "response.output_item.added", &members);
            }
            Piece::PartAdded(at) => {
                let part = json!({"type": "output_text", "annotations": [], "logprobs": [], "text": ""});
                let members =
                    json!({"item_id": self.id(at), "output_index": at, "content_index": 0, "part": part});
                self.event(out, "response.content_part.added", &members);
            }
            Piece::Delta(at, token) => {
                self.delta(out, at, token);
                return Some(Step::Token);
            }
            Piece::End => {
                let name =
                    if self.response.incomplete() { "response.incomplete" } else { "response.completed" };
                self.event(out, name, &json!({"response": self.response.finished()}));
            }
            piece => self.done(out, piece),
        }
        Some(match piece {
            Piece::TextDone(_)
            | Piece::PartDone(_)
            | Piece::ArgumentsDone(_)
            | Piece::ItemDone(_)
            | Piece::End => Step::Terminator,
            _ => Step::Plain,
        })
    }

    fn error(&mut self, out: &mut Vec<u8>) {
        let error = json!({"code": "server_error", "message": "The server had an error while it worked on this request.", "param": null});
        self.event(out, "error", &error);
        self.event(out, "response.failed", &json!({"response": self.response.failed()}));
    }
}
