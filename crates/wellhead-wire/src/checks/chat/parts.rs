//! Texts, media, thoughts and calls.

use super::{Can, Dice};
use crate::chat::{
    CacheHint, Dialect, Media, Opaque, Origin, Part, Reasoning, Source, Tool, ToolCall, ToolKind, ToolResult,
};
use serde_json::{Map, Value, json};

/// Texts with everything that quoting, framing and cutting get wrong.
const TEXTS: [&str; 16] = [
    "Hello",
    "What is the weather in Zürich?",
    " leading and trailing ",
    "two\nlines\r\nand a tab\t.",
    "\"quoted\" and \\back\\slashed",
    "{\"looks\": [\"like\", \"json\"]}",
    "data: [DONE]\n\n",
    "event: error\ndata: {}",
    "日本語とemoji 👩‍👩‍👧‍👦 🇨🇭",
    "e\u{301}\u{202e}right to left\u{202c}\u{2028}\u{feff}",
    "\u{0}\u{1}\u{1f}\u{7f}\u{85}",
    "</think><|im_end|>",
    "100 % ~ wh1~ %7E",
    "a",
    "\u{10ffff}\u{e000}",
    "'; -- $(x) `y` <b>&amp;</b>",
];

/// Base64 of small contents; nobody looks into them.
const BASE64: [&str; 3] = ["iVBORw0KGgo=", "QUJD", "AAECAwQFBgcICQ=="];

/// Makes one conversation or answer.
pub(super) struct Writer<'a> {
    pub(super) dice: Dice,
    pub(super) can: &'a Can,
    /// Calls so far, for their ids.
    calls: u64,
}

impl<'a> Writer<'a> {
    pub(super) const fn new(seed: u64, can: &'a Can) -> Self {
        Self { dice: Dice::new(seed), can, calls: 0 }
    }

    /// Any text; also the empty one, where the dialect keeps it.
    pub(super) fn text(&mut self) -> String {
        match self.dice.below(40) {
            0 if self.can.empty_text => String::new(),
            1 => "long ".repeat(self.dice.below(800) + 1),
            2 => self.dice.pick(&TEXTS).repeat(20),
            3..=9 => [*self.dice.pick(&TEXTS), *self.dice.pick(&TEXTS)].concat(),
            _ => (*self.dice.pick(&TEXTS)).to_owned(),
        }
    }

    pub(super) fn text_part(&mut self) -> Part {
        let text = self.text();
        let cache = self.cache(self.can.cache_parts && !text.is_empty());
        let opaque = self.opaque(self.can.text_opaque, 5);
        Part::Text { text, citations: Vec::new(), cache, opaque }
    }

    pub(super) fn cache(&mut self, can: bool) -> Option<CacheHint> {
        let ttl = self.can.cache_ttl;
        self.dice.maybe(can, 8, |dice| CacheHint {
            ttl_seconds: dice.maybe(ttl, 2, |dice| if dice.one_in(2) { 300 } else { 3600 }),
        })
    }

    pub(super) fn opaque(&mut self, can: bool, n: usize) -> Option<Opaque> {
        let Can { dialect, origins, .. } = *self.can;
        self.dice.maybe(can, n, |dice| Opaque {
            dialect: if origins { *dice.pick(&Dialect::ALL) } else { dialect },
            origin: origins.then(|| Origin {
                provider: (*dice.pick(&["anthropic", "a~b%", "日本"])).into(),
                model: (*dice.pick(&["m", "models/x:y@1", "~%7E"])).into(),
            }),
            data: format!("ErUB{}+/{}==", dice.word(), "Q".repeat(dice.below(60))).into(),
        })
    }

    fn media(&mut self, types: &[&str], base64: bool, url: bool, file: bool) -> Option<Media> {
        let media_type: Box<str> = (*self.dice.pick(types)).into();
        let mut kinds = Vec::new();
        kinds.extend(base64.then(|| Source::Base64((*self.dice.pick(&BASE64)).into())));
        kinds.extend(
            url.then(|| Source::Url(format!("https://example.org/{}?a=1&b=%20", self.dice.below(9)))),
        );
        kinds.extend(file.then(|| Source::File(format!("file-{}", self.dice.below(99)))));
        if kinds.is_empty() {
            return None;
        }
        let source = kinds.swap_remove(self.dice.below(kinds.len()));
        let media_type = matches!(source, Source::Base64(_)).then_some(media_type);
        Some(Media { source, media_type })
    }

    pub(super) fn image(&mut self, asked: bool) -> Option<Part> {
        let can = self.can;
        let media = self.media(
            &["image/png", "image/jpeg", "image/webp"],
            can.image_base64 || !asked,
            can.image_url && asked,
            can.image_file && asked,
        )?;
        let detail = self
            .dice
            .maybe(can.image_detail && asked, 3, |dice| (*dice.pick(&["low", "high", "auto"])).into());
        let cache = self.cache(can.cache_parts && asked);
        Some(Part::Image { media, detail, cache })
    }

    /// Something that a user shows.
    pub(super) fn shown(&mut self) -> Option<Part> {
        let can = self.can;
        match self.dice.below(6) {
            0 => {
                let media = self.media(&["audio/wav", "audio/mp3"], can.audio_base64, false, false)?;
                Some(Part::Audio { media, id: None, transcript: None })
            }
            1 => {
                let media = self.media(&["video/mp4"], can.video_base64, can.video_url, false)?;
                Some(Part::Video { media })
            }
            2 | 3 => self.document(),
            _ => self.image(true),
        }
    }

    fn document(&mut self) -> Option<Part> {
        let can = self.can;
        let media = if can.document_text && self.dice.one_in(3) {
            Media {
                source: Source::Text(format!("About {}", self.text())),
                media_type: Some("text/plain".into()),
            }
        } else {
            self.media(&["application/pdf"], can.document_base64, can.document_url, can.document_file)?
        };
        let title = self.dice.maybe(can.document_title, 2, |_| "Report 7".into());
        let context = self.dice.maybe(can.document_notes, 3, |_| "From \"last\" year.".to_owned());
        let citable = self.dice.maybe(can.document_notes, 3, |dice| dice.one_in(2));
        Some(Part::Document { media, title, context, citable, cache: self.cache(can.cache_parts) })
    }

    pub(super) fn reasoning(&mut self) -> Part {
        let can = self.can;
        let must = !can.reasoning_unsigned;
        let opaque =
            if must { self.opaque(can.reasoning_opaque, 1) } else { self.opaque(can.reasoning_opaque, 2) };
        let is_redacted = self.dice.one_in(5) && can.redacted && opaque.is_some();
        let hidden = is_redacted || (self.dice.one_in(4) && can.reasoning_hidden && opaque.is_some());
        let text = if hidden { String::new() } else { format!("Let me think. {}", self.text()) };
        let is_summary = self.dice.one_in(2) && can.summaries && !hidden;
        let id = self.dice.maybe(can.reasoning_ids, 2, |dice| format!("rs_{}", dice.below(999)).into());
        Part::Reasoning(Reasoning { text, is_summary, opaque, is_redacted, id })
    }

    pub(super) fn call(&mut self, tools: &[Tool]) -> ToolCall {
        self.calls += 1;
        let id = format!("call{:05}", self.calls + 1000 * self.dice.number(1, 9)).into();
        let tool = self.dice.pick(tools);
        let is_custom = matches!(tool.kind, ToolKind::Custom { .. });
        let arguments = if is_custom { self.text() } else { Value::Object(self.arguments()).to_string() };
        let opaque = self.opaque(self.can.call_opaque, 3);
        ToolCall { id, name: tool.name().unwrap_or("f").into(), arguments, is_custom, opaque, cache: None }
    }

    fn arguments(&mut self) -> Map<String, Value> {
        if self.dice.one_in(5) { Map::new() } else { self.object(3) }
    }

    fn object(&mut self, depth: usize) -> Map<String, Value> {
        let names = ["city", "größe", "a b", "", "$ref", "0", "nested", "\"q\""];
        (0..self.dice.below(4)).map(|_| ((*self.dice.pick(&names)).to_owned(), self.json(depth))).collect()
    }

    /// Any JSON; numbers survive every parser.
    fn json(&mut self, depth: usize) -> Value {
        match self.dice.below(if depth == 0 { 6 } else { 9 }) {
            0 => Value::Null,
            1 => json!(self.dice.one_in(2)),
            2 => json!(-i64::from(self.dice.one_in(2)) * 1_234_567),
            3 => json!(f64::from(u32::try_from(self.dice.below(4000)).expect("small")) / 8.0 + 0.125),
            4 | 5 => json!(*self.dice.pick(&TEXTS)),
            6 => (0..self.dice.below(4)).map(|_| self.json(depth - 1)).collect(),
            _ => Value::Object(self.object(depth - 1)),
        }
    }

    pub(super) fn result(&mut self, call: &ToolCall) -> Part {
        let can = self.can;
        let texts = 1 + if can.result_parts { self.dice.below(3) } else { 0 };
        let mut parts: Vec<Part> = (0..texts).map(|_| Part::text(self.text())).collect();
        if can.result_images && self.dice.one_in(4) {
            parts.extend(self.image(true).map(|image| match image {
                Part::Image { media, .. } => Part::Image { media, detail: None, cache: None },
                other => other,
            }));
        }
        Part::ToolResult(ToolResult {
            call_id: call.id.clone(),
            name: can.result_names.then(|| call.name.clone()),
            parts,
            is_error: can.result_errors && self.dice.one_in(4),
            cache: self.cache(can.cache_results),
        })
    }
}
