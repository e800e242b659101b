//! Editing a chunk by spans: nothing is written anew but what must change.

use crate::json::{self, Cursor, Member, ObjectSpan, ScanError, Splice, Text};
use crate::openai::read_usage;
use crate::openai::stream::Identity;
use crate::sse::Event;
use std::ops::Range;
use wellhead_types::Usage;

/// Where things lie in a chunk.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    object: ObjectSpan,
    /// `id`, `created`, `model`, `system_fingerprint`.
    names: [Option<Range<usize>>; 4],
    model: Option<&'a [u8]>,
    usage: Option<(Range<usize>, Usage)>,
    text: Option<Text<'a>>,
    role: Option<Member>,
}

/// What is to change.
#[derive(Debug)]
pub(super) struct Edits<'a> {
    pub(super) identity: &'a Identity,
    /// Bytes of the text that are left out.
    pub(super) skip: usize,
    /// What takes the place of the chunk's usage.
    pub(super) usage: Option<Usage>,
    /// How and where the answer was resumed.
    pub(super) mark: Option<(&'static str, usize)>,
}

const NAMES: [&str; 4] = ["id", "created", "model", "system_fingerprint"];

impl<'a> Layout<'a> {
    pub(super) fn read(data: &'a [u8]) -> Result<Self, ScanError> {
        let mut cursor = Cursor::new(data)?;
        cursor.peek();
        let open = cursor.position();
        let mut layout = Self {
            object: ObjectSpan { open, is_empty: false },
            names: [const { None }; 4],
            model: None,
            usage: None,
            text: None,
            role: None,
        };
        let count = cursor.object(|cursor, name| {
            if name.is("choices") && cursor.peek() == Some(b'[') {
                return cursor.array(|cursor| layout.choice(cursor)).map(drop);
            }
            let span = cursor.skip()?;
            let value = cursor.slice(span.clone());
            if let Some(index) = NAMES.iter().position(|known| name.is(known)) {
                if NAMES[index] == "model" {
                    layout.model = Some(value);
                }
                layout.names[index] = Some(span);
            } else if name.is("usage") {
                layout.usage = read_usage(value).map(|usage| (span, usage));
            }
            Ok(())
        })?;
        cursor.end()?;
        layout.object.is_empty = count == 0;
        Ok(layout)
    }

    /// What the chunk says it used.
    pub(super) fn usage(&self) -> Option<Usage> {
        self.usage.as_ref().map(|(_, usage)| *usage)
    }

    /// Whether the text that would be edited is this one.
    pub(super) fn says(&self, text: &str) -> bool {
        self.text.is_some_and(|own| own.decode() == text)
    }

    fn choice(&mut self, cursor: &mut Cursor<'a>) -> Result<(), ScanError> {
        if cursor.peek() != Some(b'{') {
            return cursor.skip().map(drop);
        }
        let read = cursor.object(|cursor, name| {
            if name.is("text") {
                self.text = cursor.string_value()?.or(self.text);
                return Ok(());
            }
            if (name.is("delta") || name.is("message")) && cursor.peek() == Some(b'{') {
                return self.delta(cursor);
            }
            cursor.skip().map(drop)
        });
        read.map(drop)
    }

    fn delta(&mut self, cursor: &mut Cursor<'a>) -> Result<(), ScanError> {
        let read = cursor.object(|cursor, name| {
            if name.is("content") {
                self.text = cursor.string_value()?.or(self.text);
            } else if name.is("role") {
                let value = cursor.skip()?;
                self.role = Some(Member { name: name.span(), value });
            } else {
                cursor.skip()?;
            }
            Ok(())
        });
        read.map(drop)
    }
}

/// Writes an event with its edits. `data` is the event's own.
pub(super) fn write(
    event: &Event<'_>,
    data: &[u8],
    layout: &Layout<'_>,
    edits: &Edits<'_>,
    out: &mut Vec<u8>,
) {
    let mut splice = Splice::new(data);
    let identity = edits.identity;
    let names = [&identity.id, &identity.created, &identity.model, &identity.system_fingerprint];
    for (span, name) in layout.names.iter().zip(names) {
        if let (Some(span), Some(name)) = (span, name) {
            splice.replace(span.clone(), &**name);
        }
    }
    if let Some(role) = &layout.role {
        splice.remove(role);
    }
    if let Some(text) = layout.text.filter(|_| edits.skip > 0) {
        let start = text.span().start + 1;
        splice.replace(start..start + text.offset_of(edits.skip), Vec::new());
    }
    if let (Some(usage), Some((span, _))) = (edits.usage, &layout.usage) {
        set_usage(&mut splice, data, span, usage);
    }
    if let Some((how, seam)) = edits.mark {
        let model = layout.model.unwrap_or(b"null");
        let mut mark = format!("{{\"resumed\":\"{how}\",\"seam\":{seam},\"model\":").into_bytes();
        mark.extend_from_slice(model);
        mark.push(b'}');
        splice.insert(layout.object, "wellhead", &mark);
    }
    let edited = splice.finish();
    let raw = event.raw();
    let place = data.as_ptr().addr().checked_sub(raw.as_ptr().addr()).filter(|start| *start < raw.len());
    if let Some(start) = place {
        out.extend_from_slice(raw.get(..start).unwrap_or_default());
        out.extend_from_slice(&edited);
        out.extend_from_slice(raw.get(start + data.len()..).unwrap_or_default());
        return;
    }
    // Data on several lines was joined elsewhere, and becomes one line: in JSON a line end is white space.
    if let Some(name) = event.event() {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name);
        out.push(b'\n');
    }
    out.extend_from_slice(b"data: ");
    out.extend(edited.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }));
    out.extend_from_slice(b"\n\n");
}

/// Sets the counts that the usage has. Details stay: they are the second stream's own.
fn set_usage(splice: &mut Splice<'_>, data: &[u8], span: &Range<usize>, usage: Usage) {
    let object = data.get(span.clone()).unwrap_or_default();
    let Ok(spans) = json::scan(object, &["prompt_tokens", "completion_tokens", "total_tokens"]) else {
        return;
    };
    let counts =
        [usage.input_tokens, usage.output_tokens, usage.input_tokens.saturating_add(usage.output_tokens)];
    for (member, count) in spans.members.into_iter().zip(counts) {
        if let Some(member) = member {
            let value = member.value.start + span.start..member.value.end + span.start;
            splice.replace(value, count.to_string());
        }
    }
}
