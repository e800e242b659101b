//! The items of a stream that is read, and the parts that they become.

use super::super::members::{Members, objects, text, word};
use super::super::proof::{Author, Proof};
use super::super::read::annotation;
use super::super::{PARTS_MAX, answer, names};
use crate::chat::{Delta, Event, Origin, Part, PartKind};
use crate::openai::stream::TOOL_CALL_BYTES_MAX;
use serde_json::Value;

/// Where events go, and what they need.
pub(super) struct Scene<'a> {
    pub(super) origin: &'a Origin,
    pub(super) out: &'a mut Vec<Event>,
}

/// One item, by its `output_index`.
#[derive(Debug)]
struct Item {
    at: u64,
    kind: Kind,
    is_over: bool,
}

#[derive(Debug)]
enum Kind {
    Message(Vec<Content>),
    /// Its part begins with its first words: only they say whether it is a summary.
    Thought {
        part: Option<u32>,
        id: Option<Box<str>>,
        paragraph: u64,
        is_summary: bool,
    },
    Call {
        part: u32,
        bytes: usize,
        is_custom: bool,
    },
    /// It comes whole.
    Other,
}

/// A part of a message, by its `content_index`.
#[derive(Debug)]
struct Content {
    at: u64,
    part: u32,
    is_refusal: bool,
    has_words: bool,
    has_citations: bool,
    is_over: bool,
}

/// All of them, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct Items {
    all: Vec<Item>,
    next: u32,
    pub(super) has_calls: bool,
    pub(super) has_refusal: bool,
}

impl Items {
    pub(super) const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    fn start(&mut self, kind: PartKind, scene: &mut Scene<'_>) -> Result<u32, String> {
        let part = self.next;
        if usize::try_from(part).unwrap_or(usize::MAX) >= PARTS_MAX {
            return Err(format!("an answer has more than {PARTS_MAX} parts"));
        }
        self.next += 1;
        scene.out.push(Event::PartStart { candidate: 0, part, kind });
        Ok(part)
    }

    /// The item that is open at this place. Numbers repeat where a server does not count.
    fn open(&mut self, at: u64) -> Option<usize> {
        self.all.iter().rposition(|item| item.at == at && !item.is_over)
    }

    /// The same, begun with this kind if the server did not say that it begins.
    fn at(&mut self, at: u64, kind: fn() -> Kind) -> Result<usize, String> {
        if let Some(found) = self.open(at) {
            return Ok(found);
        }
        self.add(at, kind())
    }

    fn add(&mut self, at: u64, kind: Kind) -> Result<usize, String> {
        if self.all.len() >= PARTS_MAX {
            return Err(format!("an answer has more than {PARTS_MAX} items"));
        }
        self.all.push(Item { at, kind, is_over: false });
        Ok(self.all.len() - 1)
    }

    pub(super) fn begin(&mut self, at: u64, mut item: Members, scene: &mut Scene<'_>) -> Result<(), String> {
        let kind = word(&mut item, "type").unwrap_or_default();
        let kind = match &*kind {
            "message" => Kind::Message(Vec::new()),
            "reasoning" => {
                let id = word(&mut item, "id").map(Into::into);
                Kind::Thought { part: None, id, paragraph: 0, is_summary: false }
            }
            "function_call" | "custom_tool_call" => {
                let is_custom = kind == "custom_tool_call";
                let group = word(&mut item, "namespace");
                let name = word(&mut item, "name").ok_or("a tool call has no name")?;
                let id = word(&mut item, "call_id").or_else(|| word(&mut item, "id"));
                let id = id.ok_or("a tool call has no id")?.into();
                let name = names::flat(group.as_deref(), name).into();
                self.has_calls = true;
                let part = self.start(PartKind::ToolCall { id, name, is_custom }, scene)?;
                Kind::Call { part, bytes: 0, is_custom }
            }
            _ => Kind::Other,
        };
        self.add(at, kind).map(drop)
    }

    /// The content of a message; its part begins if it is new.
    fn content(
        &mut self,
        at: u64,
        content: u64,
        is_refusal: bool,
        scene: &mut Scene<'_>,
    ) -> Result<Option<&mut Content>, String> {
        let item = self.at(at, || Kind::Message(Vec::new()))?;
        let Kind::Message(contents) = &self.all[item].kind else { return Ok(None) };
        let found = contents.iter().position(|known| known.at == content && !known.is_over);
        if found.is_none() {
            self.has_refusal |= is_refusal;
            let kind = if is_refusal { PartKind::Refusal } else { PartKind::Text };
            let part = self.start(kind, scene)?;
            let (has_words, has_citations, is_over) = (false, false, false);
            let new = Content { at: content, part, is_refusal, has_words, has_citations, is_over };
            if let Kind::Message(contents) = &mut self.all[item].kind {
                contents.push(new);
            }
        }
        let Kind::Message(contents) = &mut self.all[item].kind else { return Ok(None) };
        let last = contents.len().saturating_sub(1);
        Ok(contents.get_mut(found.unwrap_or(last)).filter(|known| known.is_refusal == is_refusal))
    }

    pub(super) fn part(
        &mut self,
        at: u64,
        content: u64,
        part: &Members,
        scene: &mut Scene<'_>,
    ) -> Result<(), String> {
        match part.get("type").and_then(Value::as_str) {
            Some("output_text") => self.content(at, content, false, scene).map(drop),
            Some("refusal") => self.content(at, content, true, scene).map(drop),
            _ => Ok(()),
        }
    }

    pub(super) fn text(
        &mut self,
        at: u64,
        content: u64,
        text: String,
        scene: &mut Scene<'_>,
    ) -> Result<(), String> {
        self.words(at, content, false, text, scene)
    }

    pub(super) fn refuse(
        &mut self,
        at: u64,
        content: u64,
        text: String,
        scene: &mut Scene<'_>,
    ) -> Result<(), String> {
        self.words(at, content, true, text, scene)
    }

    fn words(
        &mut self,
        at: u64,
        content: u64,
        is_refusal: bool,
        text: String,
        scene: &mut Scene<'_>,
    ) -> Result<(), String> {
        if text.is_empty() {
            return Ok(());
        }
        if let Some(content) = self.content(at, content, is_refusal, scene)? {
            content.has_words = true;
            more(content.part, Delta::Text(text), scene);
        }
        Ok(())
    }

    pub(super) fn cite(
        &mut self,
        at: u64,
        content: u64,
        cited: Value,
        scene: &mut Scene<'_>,
    ) -> Result<(), String> {
        if let Some(content) = self.content(at, content, false, scene)? {
            content.has_citations = true;
            let (dialect, citation) = annotation(cited);
            more(content.part, Delta::Citation(dialect, citation), scene);
        }
        Ok(())
    }

    /// A part of a message is whole. What its server has not said piece by piece it says now.
    pub(super) fn part_end(
        &mut self,
        at: u64,
        content: u64,
        mut part: Members,
        scene: &mut Scene<'_>,
    ) -> Result<(), String> {
        let is_refusal = match part.get("type").and_then(Value::as_str) {
            Some("output_text") => false,
            Some("refusal") => true,
            _ => return Ok(()),
        };
        let Some(content) = self.content(at, content, is_refusal, scene)? else { return Ok(()) };
        let whole = text(&mut part, if is_refusal { "refusal" } else { "text" });
        if let Some(whole) = whole.filter(|whole| !whole.is_empty() && !content.has_words) {
            content.has_words = true;
            more(content.part, Delta::Text(whole), scene);
        }
        if !is_refusal && !content.has_citations {
            for cited in crate::chat::members::list(&mut part, "annotations") {
                let (dialect, citation) = annotation(cited);
                more(content.part, Delta::Citation(dialect, citation), scene);
            }
        }
        content.end(scene);
        Ok(())
    }

    /// More of a thought. Its paragraphs are numbered.
    pub(super) fn think(
        &mut self,
        at: u64,
        number: u64,
        summary: bool,
        text: String,
        scene: &mut Scene<'_>,
    ) -> Result<(), String> {
        if text.is_empty() {
            return Ok(());
        }
        let item = self.at(at, || Kind::Thought { part: None, id: None, paragraph: 0, is_summary: false })?;
        let Kind::Thought { part, id, .. } = &self.all[item].kind else { return Ok(()) };
        let (open, id) = (*part, id.clone());
        let number_part = match open {
            Some(part) => part,
            None => self.start(PartKind::Reasoning { id, is_summary: summary }, scene)?,
        };
        let Kind::Thought { part, paragraph, is_summary, .. } = &mut self.all[item].kind else {
            return Ok(());
        };
        if part.is_none() {
            (*part, *is_summary, *paragraph) = (Some(number_part), summary, number);
        }
        // A summary beside the thought itself says nothing new.
        if *is_summary != summary {
            return Ok(());
        }
        if std::mem::replace(paragraph, number) != number {
            more(number_part, Delta::Text("\n\n".to_owned()), scene);
        }
        more(number_part, Delta::Text(text), scene);
        Ok(())
    }

    pub(super) fn arguments(&mut self, at: u64, text: String, scene: &mut Scene<'_>) -> Result<(), String> {
        let Some(item) = self.open(at) else {
            return Err("a tool call goes on that has not begun".to_owned());
        };
        let Kind::Call { part, bytes, .. } = &mut self.all[item].kind else { return Ok(()) };
        *bytes = bytes.saturating_add(text.len());
        if *bytes > TOOL_CALL_BYTES_MAX {
            return Err(format!("the arguments of a tool call are longer than {TOOL_CALL_BYTES_MAX} bytes"));
        }
        if !text.is_empty() {
            more(*part, Delta::Arguments(text), scene);
        }
        Ok(())
    }

    /// An item is whole.
    pub(super) fn end(&mut self, at: u64, item: Members, scene: &mut Scene<'_>) -> Result<(), String> {
        let found = match self.open(at) {
            Some(found) => found,
            None => {
                self.begin(at, item.clone(), scene)?;
                self.all.len() - 1
            }
        };
        match &self.all[found].kind {
            Kind::Message(_) => self.message_end(at, item, scene)?,
            Kind::Thought { part, .. } => {
                let part = *part;
                self.thought_end(part, item, scene)?;
            }
            // Nothing of it came piece by piece.
            Kind::Call { bytes: 0, is_custom, .. } => {
                let (mut item, is_custom) = (item, *is_custom);
                self.arguments(at, answer::arguments(&mut item, is_custom), scene)?;
            }
            Kind::Call { .. } => {}
            Kind::Other => {
                let mut logprobs = Vec::new();
                let parts = answer::parts_of(item, Author::Target(scene.origin), &mut logprobs)?;
                self.all[found].is_over = true;
                return parts.into_iter().try_for_each(|part| self.whole(part, scene));
            }
        }
        self.over(found, scene)
    }

    fn message_end(&mut self, at: u64, mut item: Members, scene: &mut Scene<'_>) -> Result<(), String> {
        let said: Vec<Members> = objects(&mut item, "content").collect();
        let has_begun = |number: u64, items: &Self| {
            let open = items.all.iter().rfind(|item| item.at == at && !item.is_over);
            open.is_some_and(|item| match &item.kind {
                Kind::Message(contents) => contents.iter().any(|content| content.at == number),
                _ => true,
            })
        };
        for (content, number) in said.into_iter().zip(0_u64..) {
            if !has_begun(number, self) {
                self.part_end(at, number, content, scene)?;
            }
        }
        Ok(())
    }

    fn thought_end(
        &mut self,
        begun: Option<u32>,
        item: Members,
        scene: &mut Scene<'_>,
    ) -> Result<(), String> {
        let proof = item.get("encrypted_content").and_then(Value::as_str).filter(|proof| !proof.is_empty());
        let proof = proof.map(|proof| Author::Target(scene.origin).proof(proof));
        let part = match begun {
            Some(part) => part,
            None => {
                // Nothing of it came piece by piece.
                let mut logprobs = Vec::new();
                let parts = answer::parts_of(item, Author::Target(scene.origin), &mut logprobs)?;
                return parts.into_iter().try_for_each(|part| self.whole(part, scene));
            }
        };
        if let Some(Proof::Own { opaque, .. }) = proof {
            more(part, Delta::Opaque(opaque), scene);
        }
        Ok(())
    }

    /// Ends whatever of an item is open.
    fn over(&mut self, found: usize, scene: &mut Scene<'_>) -> Result<(), String> {
        let item = &mut self.all[found];
        item.is_over = true;
        match &mut item.kind {
            Kind::Message(contents) => contents.iter_mut().for_each(|content| content.end(scene)),
            Kind::Thought { part: Some(part), .. } => {
                scene.out.push(Event::PartEnd { candidate: 0, part: *part });
            }
            Kind::Call { part, bytes, is_custom } => {
                if *bytes == 0 && !*is_custom {
                    more(*part, Delta::Arguments("{}".to_owned()), scene);
                }
                scene.out.push(Event::PartEnd { candidate: 0, part: *part });
            }
            Kind::Thought { .. } | Kind::Other => {}
        }
        Ok(())
    }

    /// A part that comes in one piece, as the events of a stream.
    pub(super) fn whole(&mut self, part: Part, scene: &mut Scene<'_>) -> Result<(), String> {
        self.has_calls |= matches!(part, Part::ToolCall(_));
        self.has_refusal |= matches!(part, Part::Refusal(_));
        let (kind, deltas) = crate::chat::taken_apart(part);
        let number = self.start(kind, scene)?;
        deltas.into_iter().for_each(|delta| more(number, delta, scene));
        scene.out.push(Event::PartEnd { candidate: 0, part: number });
        Ok(())
    }

    /// Ends everything that is open.
    pub(super) fn close(&mut self, scene: &mut Scene<'_>) -> Result<(), String> {
        for found in 0..self.all.len() {
            if !self.all[found].is_over {
                self.over(found, scene)?;
            }
        }
        Ok(())
    }
}

impl Content {
    fn end(&mut self, scene: &mut Scene<'_>) {
        if !std::mem::replace(&mut self.is_over, true) {
            scene.out.push(Event::PartEnd { candidate: 0, part: self.part });
        }
    }
}

fn more(part: u32, delta: Delta, scene: &mut Scene<'_>) {
    scene.out.push(Event::Delta { candidate: 0, part, delta });
}
