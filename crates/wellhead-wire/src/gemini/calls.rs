//! Names for calls that have none: Gemini may leave out the id, and then tells calls apart by their name and order
//! (wire.md, trap 6).

use std::collections::{HashMap, HashSet, VecDeque};

/// How an id begins that was made here. Ids like this are not written to a target of this dialect: its model never had
/// them.
const MADE: &str = "gcall_";

/// Longest piece of an answer's id that becomes part of a call's: some vendors take no more than 40 bytes in all.
const PIECE_BYTES_MAX: usize = 24;

/// Whether the id was made here.
pub(super) fn is_made(id: &str) -> bool {
    id.starts_with(MADE)
}

/// Makes ids for the calls of one answer. They have to be unique in the whole conversation, so that they carry the id
/// of the answer; one without an id is known by its bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Namer {
    piece: String,
    made: u32,
}

impl Namer {
    /// For an answer with this id, or with these bytes.
    pub(super) fn new(answer_id: Option<&str>, bytes: &[u8]) -> Self {
        let piece: String = answer_id
            .unwrap_or("")
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
            .take(PIECE_BYTES_MAX)
            .collect();
        let piece = if piece.is_empty() { format!("{:016x}", fnv(bytes)) } else { piece };
        Self { piece, made: 0 }
    }

    /// The next one.
    pub(super) fn name(&mut self) -> Box<str> {
        self.made = self.made.saturating_add(1);
        format!("{MADE}{}_{}", self.piece, self.made).into()
    }
}

/// FNV-1a.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The calls of a conversation that a client tells, in order: gives ids to those without, and finds the call that a
/// response without an id answers.
#[derive(Debug, Default)]
pub(super) struct Told {
    made: u32,
    waiting: HashMap<Box<str>, VecDeque<Box<str>>>,
    answered: HashSet<Box<str>>,
}

impl Told {
    /// A call.
    pub(super) fn call(&mut self, id: Option<String>, name: &str) -> Box<str> {
        let id = id.map_or_else(|| self.make(), Box::from);
        self.waiting.entry(name.into()).or_default().push_back(id.clone());
        id
    }

    /// A response. One that answers nothing gets an id that nobody else has: the target will say what is wrong.
    pub(super) fn response(&mut self, id: Option<String>, name: &str) -> Box<str> {
        if let Some(id) = id {
            self.answered.insert(id.as_str().into());
            return id.into();
        }
        let waiting = self.waiting.get_mut(name);
        let first = waiting
            .and_then(|ids| std::iter::from_fn(|| ids.pop_front()).find(|id| !self.answered.contains(id)));
        first.unwrap_or_else(|| self.make())
    }

    fn make(&mut self) -> Box<str> {
        self.made = self.made.saturating_add(1);
        format!("{MADE}{}", self.made).into()
    }
}

#[cfg(test)]
mod tests {
    use super::{Namer, Told, is_made};

    // wire.md, trap 6.
    #[test]
    fn responses_without_ids_answer_calls_by_name_and_order() {
        let mut told = Told::default();
        let first = told.call(None, "weather");
        let second = told.call(None, "weather");
        let other = told.call(None, "time");
        let named = told.call(Some("own".to_owned()), "time");
        assert_eq!(told.response(None, "time"), other);
        assert_eq!(told.response(None, "weather"), first);
        assert_eq!(&*told.response(Some("own".to_owned()), "time"), "own");
        assert_eq!(told.response(None, "weather"), second);
        let nobody = told.response(None, "time");
        assert!(nobody != named && nobody != other, "one response answers one call");
    }

    #[test]
    fn ids_are_unique_over_answers_and_fit_everywhere() {
        let mut first = Namer::new(Some("u6b3aO-fEMPUz7IP5p-W4AoXXXXXXXXXXXXXX"), b"");
        let mut second = Namer::new(None, b"{\"candidates\":[]}");
        let ids = [first.name(), first.name(), second.name(), Namer::new(None, b"{}").name()];
        for (at, id) in ids.iter().enumerate() {
            assert!(id.len() <= 40 && is_made(id), "{id}");
            assert!(id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')), "{id}");
            assert!(!ids[..at].contains(id), "{id}");
        }
    }
}
