//! What a target of the same dialect would refuse a conversation for, changed by spans: everything else stays as the
//! client wrote it.

use crate::json::{self, Cursor, Member, Splice, Text, quoted};
use crate::openai::chat::short_id;
use memchr::memmem;
use std::ops::Range;

/// Longest body that is looked through: a megabyte takes about a millisecond, which is what a worker may spend. Longer
/// ones are sent as they are.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Where a target refuses what OpenAI takes. The default is OpenAI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent quirks, as the catalogue lists them")]
pub struct Fit {
    /// It knows no role `developer`: `system` is written.
    pub no_developer: bool,
    /// It refuses `name` on messages, but for those of tools.
    pub no_names: bool,
    /// Ids of tool calls need exactly nine letters or digits.
    pub short_tool_ids: bool,
    /// It calls the seed `random_seed`.
    pub random_seed: bool,
}

impl Fit {
    /// Adds the edits that the target needs. What cannot be read is left to the target to judge.
    pub(super) fn edit(self, splice: &mut Splice<'_>, body: &[u8]) {
        if self == Self::default() || body.len() > BODY_BYTES_MAX || !self.may_concern(body) {
            return;
        }
        let Ok(spans) = json::scan(body, &["messages", "seed", "random_seed"]) else { return };
        let [messages, seed, random_seed] = spans.members;
        if let (true, Some(seed), None) = (self.random_seed, &seed, &random_seed) {
            splice.replace(seed.name.clone(), quoted("random_seed"));
        }
        let Some(messages) = messages.filter(|_| self.no_developer || self.no_names || self.short_tool_ids)
        else {
            return;
        };
        each(body, messages.value, &mut |span| self.message(splice, body, span));
    }

    /// Most conversations hold nothing of the kind, which is found out without parsing them.
    fn may_concern(self, body: &[u8]) -> bool {
        let holds = |needle: &str| memmem::find(body, needle.as_bytes()).is_some();
        (self.no_developer && holds("\"developer\""))
            || (self.no_names && holds("\"name\""))
            || (self.short_tool_ids && holds("\"tool_call"))
            || (self.random_seed && holds("\"seed\""))
    }

    fn message(self, splice: &mut Splice<'_>, body: &[u8], span: Range<usize>) {
        let slice = body.get(span.clone()).unwrap_or_default();
        let Ok(spans) = json::scan(slice, &["role", "name", "tool_call_id", "tool_calls"]) else { return };
        let [role, name, call_id, calls] =
            spans.members.map(|member| member.map(|member| moved(member, span.start)));
        let role_is = |word: &str| {
            let value = role.as_ref().and_then(|role| body.get(role.value.clone()));
            value.and_then(Text::parse).is_some_and(|text| text.decode() == word)
        };
        if self.no_developer
            && role_is("developer")
            && let Some(role) = &role
        {
            splice.replace(role.value.clone(), quoted("system"));
        }
        if let Some(name) = name.filter(|_| self.no_names && !role_is("tool")) {
            splice.remove(&name);
        }
        if !self.short_tool_ids {
            return;
        }
        if let Some(id) = call_id {
            shorten(splice, body, id.value);
        }
        let Some(calls) = calls else { return };
        each(body, calls.value, &mut |call| {
            let slice = body.get(call.clone()).unwrap_or_default();
            if let Ok(spans) = json::scan(slice, &["id"])
                && let [Some(id)] = spans.members
            {
                shorten(splice, body, moved(id, call.start).value);
            }
        });
    }
}

/// Each element of the array at `span`; nothing if there is none.
fn each(body: &[u8], span: Range<usize>, element: &mut dyn FnMut(Range<usize>)) {
    let slice = body.get(span.clone()).unwrap_or_default();
    let Ok(mut cursor) = Cursor::new(slice) else { return };
    if cursor.peek() != Some(b'[') {
        return;
    }
    // The body was checked as a whole before.
    let read = cursor.array(|cursor| {
        let inner = cursor.skip()?;
        element(inner.start + span.start..inner.end + span.start);
        Ok(())
    });
    debug_assert!(read.is_ok(), "a checked text is none");
}

fn moved(member: Member, by: usize) -> Member {
    let shift = |range: Range<usize>| range.start + by..range.end + by;
    Member { name: shift(member.name), value: shift(member.value) }
}

/// The same id has the same short form in the call and in its result.
fn shorten(splice: &mut Splice<'_>, body: &[u8], span: Range<usize>) {
    let Some(id) = body.get(span.clone()).and_then(Text::parse).map(|text| text.decode()) else { return };
    let short = short_id(&id);
    if *short != *id {
        splice.replace(span, quoted(&short));
    }
}
