//! Conversations: turns of user and model, strictly by turns, with the instructions beside them.

use super::calls::Told;
use super::parts::{is_uploaded, level_of};
use super::written::{Answered, Args, Blob, Call, Content, File, Ours, Piece, Resolution, Response};
use super::{GEMINI, Options, Service, calls, parts, proto, sign};
use crate::chat::{
    BadField, Fields, Loss, Media, Message, Opaque, Part, Reasoning, Request, Role, Source, Target, ToolCall,
    ToolResult, Unsupported,
};
use std::borrow::Cow;
use std::collections::HashMap;

/// Takes the instructions and the conversation out of a body.
pub(super) fn read(body: &mut Fields, told: &mut Told) -> Result<Vec<Message>, BadField> {
    let mut messages = Vec::new();
    if let Some(mut system) = proto::child(body, "systemInstruction")? {
        drop(system.take("role"));
        let parts = read_parts(&mut system, told)?;
        push(&mut messages, Role::System, parts);
    }
    for mut content in proto::children(body, "contents")? {
        let role = match content.text("role")?.as_deref() {
            None | Some("" | "user" | "function" | "tool") => Role::User,
            Some("model") => Role::Assistant,
            Some(other) => return Err(content.invalid("role", &format!("`{other}`"), "`user` or `model`")),
        };
        let parts = read_parts(&mut content, told)?;
        let before = messages.len();
        // Results are a message of their own.
        let mut run = Vec::new();
        for part in parts {
            let is_result = matches!(part, Part::ToolResult(_));
            if run.last().is_some_and(|last| matches!(last, Part::ToolResult(_)) != is_result) {
                push(&mut messages, role, std::mem::take(&mut run));
            }
            run.push(part);
        }
        push(&mut messages, role, run);
        if let Some(first) = messages.get_mut(before) {
            first.rest = content.rest();
        }
    }
    Ok(messages)
}

fn push(messages: &mut Vec<Message>, role: Role, parts: Vec<Part>) {
    let role = if matches!(parts.first(), Some(Part::ToolResult(_))) { Role::Tool } else { role };
    if !parts.is_empty() {
        messages.push(Message::new(role, parts));
    }
}

fn read_parts(content: &mut Fields, told: &mut Told) -> Result<Vec<Part>, BadField> {
    let path = content.path("parts");
    let mut parts = Vec::new();
    for (at, value) in proto::repeated(content, "parts")?.into_iter().enumerate() {
        parts::read(&format!("{path}[{at}]"), value, told, &mut parts)?;
    }
    Ok(parts)
}

/// The turns, and the instructions.
pub(super) type Written<'a> = (Vec<Content<'a>>, Option<Content<'a>>);

/// Writes a conversation. Instructions at its beginning stand beside it; those in its middle become what the user says
/// there, because the dialect has no place for them and their order matters. A request of instructions alone is what
/// the user says: there has to be a turn.
pub(super) fn write<'a>(
    request: &'a Request,
    target: &Target,
    options: Options,
    loss: &mut Loss<'_>,
) -> Result<Written<'a>, Unsupported> {
    let mut writing =
        Writing { target, options, loss, calls: Calls::of(&request.messages), after: Vec::new() };
    let mut system: Vec<Piece<'a>> = Vec::new();
    let mut contents: Vec<Content<'a>> = Vec::new();
    for (at, message) in request.messages.iter().enumerate() {
        writing.message(at, message);
        let pieces = writing.pieces(at, message)?;
        let is_system = matches!(message.role, Role::System | Role::Developer);
        if pieces.is_empty() {
            continue;
        }
        if is_system && contents.is_empty() {
            system.extend(pieces);
            continue;
        }
        if is_system {
            writing.loss.note(format!("messages[{at}].role"));
        }
        let role = if message.role == Role::Assistant { "model" } else { "user" };
        let rest = message.rest.of(GEMINI);
        match contents.last_mut() {
            // wire.md, trap 2: turns alternate.
            Some(last) if last.role == Some(role) => last.parts.extend(pieces),
            _ => contents.push(Content { role: Some(role), parts: pieces, rest }),
        }
    }
    if contents.is_empty() && !system.is_empty() {
        contents.push(Content { role: Some("user"), parts: std::mem::take(&mut system), rest: None });
    }
    if !target.can.prefill && contents.last().is_some_and(|last| last.role == Some("model")) {
        let last = request.messages.len() - 1;
        let why = "ends the conversation with the model's own turn, which this model does not go on with";
        writing.loss.cannot(format!("messages[{last}]"), why)?;
        drop(contents.pop());
    }
    if options.wants_signatures {
        sign_calls(&mut contents);
    }
    let system = (!system.is_empty()).then_some(Content { role: None, parts: system, rest: None });
    Ok((contents, system))
}

/// The first call of each of the model's turns needs a signature (wire.md, trap 7). Earlier turns are not checked, but
/// they keep what they were given once, so that the prompt's beginning stays the same for the cache.
fn sign_calls(contents: &mut [Content<'_>]) {
    for content in contents.iter_mut().filter(|content| content.role == Some("model")) {
        let first = content.parts.iter_mut().find_map(|piece| match piece {
            Piece::Ours(ours) if ours.function_call.is_some() => Some(ours),
            _ => None,
        });
        if let Some(call) = first {
            call.thought_signature.get_or_insert(Cow::Borrowed(sign::UNCHECKED));
        }
    }
}

/// The calls of a conversation: their order and their names.
struct Calls<'a>(HashMap<&'a str, (usize, &'a str)>);

impl<'a> Calls<'a> {
    fn of(messages: &'a [Message]) -> Self {
        let calls = messages.iter().flat_map(|message| &message.parts).filter_map(|part| match part {
            Part::ToolCall(call) => Some((&*call.id, &*call.name)),
            _ => None,
        });
        Self(calls.enumerate().map(|(at, (id, name))| (id, (at, name))).collect())
    }
}

struct Writing<'a, 'w, 'l> {
    target: &'w Target,
    options: Options,
    loss: &'w mut Loss<'l>,
    calls: Calls<'a>,
    /// Media of results, for models that take them only beside the results.
    after: Vec<Piece<'a>>,
}

impl<'a> Writing<'a, '_, '_> {
    fn message(&mut self, at: usize, message: &Message) {
        if message.name.is_some() {
            self.loss.note(format!("messages[{at}].name"));
        }
        for name in message.rest.foreign_to(GEMINI) {
            self.loss.note(format!("messages[{at}].{name}"));
        }
    }

    fn pieces(&mut self, at: usize, message: &'a Message) -> Result<Vec<Piece<'a>>, Unsupported> {
        let mut parts: Vec<(usize, &'a Part)> = message.parts.iter().enumerate().collect();
        let made = |part: &Part| matches!(part, Part::ToolResult(result) if calls::is_made(&result.call_id));
        if message.role == Role::Tool && message.parts.iter().any(made) {
            // Without ids, results are told apart by their order.
            parts.sort_by_key(|(_, part)| match part {
                Part::ToolResult(result) => {
                    self.calls.0.get(&*result.call_id).map_or(usize::MAX, |call| call.0)
                }
                _ => usize::MAX,
            });
        }
        let mut pieces = Vec::with_capacity(parts.len());
        let mut signature = None;
        for (number, part) in parts {
            let path = format!("messages[{at}].content[{number}]");
            if let Part::Reasoning(Reasoning { text, opaque: Some(opaque), .. }) = part
                && text.is_empty()
                && opaque.is_for(GEMINI, &self.target.origin)
                && matches!(message.parts.get(number + 1), Some(next) if is_medium(next))
            {
                signature = Some(&*opaque.data);
                continue;
            }
            let before = pieces.len();
            self.piece(&path, part, &mut pieces)?;
            if let Some(signature) = signature.take()
                && let Some(Piece::Ours(ours)) = pieces.get_mut(before)
            {
                ours.thought_signature = Some(Cow::Borrowed(signature));
            }
        }
        pieces.append(&mut self.after);
        Ok(pieces)
    }

    fn piece(&mut self, path: &str, part: &'a Part, out: &mut Vec<Piece<'a>>) -> Result<(), Unsupported> {
        match part {
            Part::Text { text, citations, cache, opaque } => {
                self.cached(cache.is_some());
                if !citations.is_empty() {
                    self.loss.note(format!("{path}.citations"));
                }
                let thought_signature = self.signature(opaque.as_ref());
                // An empty text says nothing, and alone is refused.
                if !text.is_empty() || thought_signature.is_some() {
                    out.push(Ours { thought_signature, ..Ours::text(text.as_str()) }.into());
                }
            }
            Part::Refusal(text) => out.push(Ours::text(text.as_str()).into()),
            Part::Reasoning(reasoning) => out.extend(self.thought(reasoning)),
            Part::ToolCall(call) => out.push(self.call(call)),
            Part::ToolResult(result) => out.extend(self.result(path, result)?),
            Part::Other(dialect, value) if *dialect == GEMINI => out.push(Piece::Theirs(value)),
            Part::Other(dialect, _) => {
                let why = format!("is a part that only {} knows", dialect.as_str());
                self.loss.cannot(path.to_owned(), &why)?;
            }
            Part::Image { .. } | Part::Audio { .. } | Part::Video { .. } | Part::Document { .. } => {
                self.medium(path, part, out)?;
            }
        }
        Ok(())
    }

    fn cached(&mut self, is_cached: bool) {
        if is_cached {
            self.loss.note("cache_control");
        }
    }

    fn signature(&mut self, opaque: Option<&'a Opaque>) -> Option<Cow<'a, str>> {
        let opaque = opaque?;
        if opaque.is_for(GEMINI, &self.target.origin) {
            return Some(Cow::Borrowed(&opaque.data));
        }
        self.loss.note("reasoning");
        None
    }

    /// Another origin's thoughts are left out, as are all where the model does not think.
    fn thought(&mut self, reasoning: &'a Reasoning) -> Option<Piece<'a>> {
        if !self.target.can.reasoning {
            self.loss.note("reasoning");
            return None;
        }
        let thought_signature = match &reasoning.opaque {
            None => None,
            Some(opaque) => Some(self.signature(Some(opaque))?),
        };
        if reasoning.text.is_empty() && thought_signature.is_none() {
            return None;
        }
        Some(Ours { thought: true, thought_signature, ..Ours::text(reasoning.text.as_str()) }.into())
    }

    fn call(&mut self, call: &'a ToolCall) -> Piece<'a> {
        self.cached(call.cache.is_some());
        let id = (!calls::is_made(&call.id)).then_some(Cow::Borrowed(&*call.id));
        let args = if call.is_custom {
            Args::Text(Cow::Borrowed(&call.arguments))
        } else {
            Args::of(&call.arguments)
        };
        let function_call = Some(Call { id, name: Cow::Borrowed(&call.name), args });
        let thought_signature = self.signature(call.opaque.as_ref());
        Ours { function_call, thought_signature, ..Ours::default() }.into()
    }

    fn result(&mut self, path: &str, result: &'a ToolResult) -> Result<Option<Piece<'a>>, Unsupported> {
        self.cached(result.cache.is_some());
        // The dialect repeats the name, which others leave out.
        let name = result.name.as_deref().or_else(|| self.calls.0.get(&*result.call_id).map(|call| call.1));
        let Some(name) = name else {
            self.loss.cannot(path.to_owned(), "answers a call that is not in the conversation")?;
            return Ok(None);
        };
        let (mut texts, mut media) = (Vec::new(), Vec::new());
        for (number, part) in result.parts.iter().enumerate() {
            let path = format!("{path}.content[{number}]");
            match part {
                Part::Text { text, .. } | Part::Refusal(text) => texts.push(text.as_str()),
                part => self.piece(&path, part, &mut media)?,
            }
        }
        if !self.options.media_in_results {
            self.after.append(&mut media);
        }
        let response = match texts[..] {
            [] => Answered::Nothing,
            [text] => Answered::Text(Cow::Borrowed(text), result.is_error),
            _ => Answered::Text(Cow::Owned(texts.join("\n")), result.is_error),
        };
        let id = (!calls::is_made(&result.call_id)).then_some(&*result.call_id);
        let function_response = Some(Response { id, name, response, parts: media });
        Ok(Some(Ours { function_response, ..Ours::default() }.into()))
    }

    fn medium(&mut self, path: &str, part: &'a Part, out: &mut Vec<Piece<'a>>) -> Result<(), Unsupported> {
        let can = self.target.can;
        let (media, able, fallback) = match part {
            Part::Image { media, .. } => (media, can.images, "image/jpeg"),
            Part::Audio { media, .. } => (media, can.audio, "audio/wav"),
            Part::Document { media, .. } => (media, can.documents, "application/pdf"),
            Part::Video { media } => (media, true, "video/mp4"),
            _ => return Ok(()),
        };
        if !able {
            return self.loss.cannot(path.to_owned(), "is a medium that this model cannot read");
        }
        let mut display_name = None;
        let mut media_resolution = None;
        match part {
            Part::Image { detail, cache, .. } => {
                self.cached(cache.is_some());
                let level = detail.as_deref().and_then(level_of).filter(|_| self.options.media_resolution);
                media_resolution = level.map(|level| Resolution { level });
                if level.is_none() && detail.as_deref().is_some_and(|detail| detail != "auto") {
                    self.loss.note(format!("{path}.detail"));
                }
            }
            Part::Document { title, context, citable, cache, .. } => {
                self.cached(cache.is_some());
                if *citable == Some(true) {
                    self.loss.cannot(format!("{path}.citations"), "cannot be asked for at the Gemini API")?;
                }
                out.extend(context.as_deref().map(|context| Piece::from(Ours::text(context))));
                if self.options.service == Service::Vertex {
                    display_name = title.as_deref();
                } else if title.is_some() {
                    self.loss.note(format!("{path}.title"));
                }
            }
            _ => {}
        }
        match bytes(media, fallback, display_name) {
            Some(ours) => out.push(Ours { media_resolution, ..ours }.into()),
            None => {
                let why =
                    "is a file that was uploaded somewhere else: Google knows `gs://` and its own files";
                self.loss.cannot(path.to_owned(), why)?;
            }
        }
        Ok(())
    }
}

const fn is_medium(part: &Part) -> bool {
    matches!(part, Part::Image { .. } | Part::Audio { .. } | Part::Video { .. } | Part::Document { .. })
}

/// A medium as this dialect has it; `None` for an upload of another vendor's. Google wants to know the type.
pub(super) fn bytes<'a>(
    media: &'a Media,
    fallback: &'static str,
    display_name: Option<&'a str>,
) -> Option<Ours<'a>> {
    let said = media.media_type.as_deref();
    let blob = |mime_type: &'a str, data: &'a str| Ours {
        inline_data: Some(Blob { mime_type: Some(mime_type.into()), data: data.into(), display_name }),
        ..Ours::default()
    };
    match &media.source {
        Source::Base64(data) => Some(blob(said.unwrap_or_else(|| sniffed(data).unwrap_or(fallback)), data)),
        Source::Text(text) => Some(Ours::text(text.as_str())),
        Source::File(uri) if !is_uploaded(uri) => None,
        Source::Url(uri) | Source::File(uri) => {
            if let Some((head, data)) = uri.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"))
            {
                return Some(blob(if head.is_empty() { fallback } else { head }, data));
            }
            let mime_type = said.unwrap_or_else(|| extension(uri).unwrap_or(fallback));
            let file = File { mime_type: Some(mime_type.into()), file_uri: uri.into(), display_name };
            Some(Ours { file_data: Some(file), ..Ours::default() })
        }
    }
}

/// The type by the first bytes, in base64.
fn sniffed(data: &str) -> Option<&'static str> {
    const TABLE: [(&str, &str); 5] = [
        ("iVBORw0KGgo", "image/png"),
        ("/9j/", "image/jpeg"),
        ("R0lGOD", "image/gif"),
        ("JVBERi0", "application/pdf"),
        ("SUQz", "audio/mpeg"),
    ];
    TABLE.iter().find(|(head, _)| data.starts_with(head)).map(|(_, media_type)| *media_type)
}

/// The type by the name's end.
fn extension(uri: &str) -> Option<&'static str> {
    const TABLE: [(&str, &str); 14] = [
        (".png", "image/png"),
        (".jpg", "image/jpeg"),
        (".jpeg", "image/jpeg"),
        (".webp", "image/webp"),
        (".gif", "image/gif"),
        (".heic", "image/heic"),
        (".pdf", "application/pdf"),
        (".txt", "text/plain"),
        (".mp3", "audio/mpeg"),
        (".wav", "audio/wav"),
        (".mp4", "video/mp4"),
        (".mov", "video/quicktime"),
        (".webm", "video/webm"),
        (".html", "text/html"),
    ];
    let path = uri.split(['?', '#']).next().unwrap_or("").to_ascii_lowercase();
    TABLE.iter().find(|(end, _)| path.ends_with(end)).map(|(_, media_type)| *media_type)
}
