//! Which call a piece of a stream belongs to (wire.md, trap 4).
//!
//! Vendors number calls from 0 or 1, with gaps, or all with 0; they give an id once, in every piece, a blank one, or none;
//! they repeat the name or send it after the arguments. A call is not over because its arguments happen to parse.

use super::super::PARTS_MAX;
use super::super::call::{Said, made_id};
use crate::chat::Delta;
use crate::openai::stream::TOOL_CALL_BYTES_MAX;

/// What a piece says where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// `tool_calls[].index`.
    Number(u64),
    /// None was said.
    Nowhere,
    /// `function_call`, of which there is one.
    Function,
}

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    place: Place,
    id: Option<String>,
    name: Option<String>,
    is_custom: bool,
    /// Arguments and proof from before the name.
    waiting: Vec<Delta>,
    bytes: usize,
    /// All arguments so far are one JSON object, as of calls that come in one piece.
    is_whole: bool,
    /// Its part, once it has begun.
    pub(super) part: Option<u32>,
}

/// Why a stream's calls cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    #[error("the arguments of a tool call are longer than {TOOL_CALL_BYTES_MAX} bytes")]
    TooLong,
    #[error("an answer has more than {PARTS_MAX} tool calls")]
    TooMany,
    #[error("a tool call has no name")]
    NoName,
}

/// What a piece leads to.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// The call begins now: id, name, whether it takes free text.
    pub(super) begins: Option<(Box<str>, Box<str>, bool)>,
    pub(super) deltas: Vec<Delta>,
    /// Which call.
    pub(super) at: usize,
}

/// The calls of one candidate, in the order in which they were first heard of.
#[derive(Debug, Default)]
pub(super) struct Calls(pub(super) Vec<Call>);

impl Calls {
    /// Takes a piece.
    pub(super) fn take(
        &mut self,
        place: Place,
        said: Said,
        opaque: Option<Delta>,
        answer: Option<&str>,
    ) -> Result<Step, CallError> {
        let at = match self.find(place, &said) {
            Some(at) => at,
            None if self.0.len() >= PARTS_MAX => return Err(CallError::TooMany),
            None => {
                let id = said.id.clone();
                self.0.push(Call {
                    place,
                    id,
                    name: None,
                    is_custom: said.is_custom,
                    waiting: Vec::new(),
                    bytes: 0,
                    is_whole: false,
                    part: None,
                });
                self.0.len() - 1
            }
        };
        let call = &mut self.0[at];
        call.is_custom |= said.is_custom;
        if call.id.is_none() {
            call.id = said.id;
        }
        let named = call.name.is_none() && said.name.is_some();
        call.name = call.name.take().or(said.name);
        let mut deltas: Vec<Delta> = Vec::new();
        if let Some(arguments) = said.arguments.filter(|arguments| !arguments.is_empty()) {
            call.is_whole = call.bytes == 0 && is_object(&arguments);
            call.bytes = call.bytes.saturating_add(arguments.len());
            deltas.push(Delta::Arguments(arguments));
        }
        if call.bytes > TOOL_CALL_BYTES_MAX {
            return Err(CallError::TooLong);
        }
        deltas.extend(opaque);
        match &call.name {
            None => {
                call.waiting.append(&mut deltas);
                Ok(Step { at, ..Step::default() })
            }
            Some(name) if named => {
                let id = call.id.clone().unwrap_or_else(|| made_id(answer, at));
                let begins = Some((id.into(), name.as_str().into(), call.is_custom));
                call.waiting.append(&mut deltas);
                Ok(Step { begins, deltas: std::mem::take(&mut call.waiting), at })
            }
            Some(_) => Ok(Step { begins: None, deltas, at }),
        }
    }

    /// The call that a piece goes on with; `None`: it begins another.
    fn find(&self, place: Place, said: &Said) -> Option<usize> {
        let newest = |fits: &dyn Fn(&Call) -> bool| self.0.iter().rposition(fits);
        if place == Place::Nowhere {
            if let Some(id) = &said.id {
                return newest(&|call| call.id.as_ref() == Some(id));
            }
            let last = self.0.len().checked_sub(1)?;
            return (!self.0[last].is_followed_by(said)).then_some(last);
        }
        let at = newest(&|call| call.place == place)?;
        let call = &self.0[at];
        let renamed = match (&said.id, &call.id) {
            // Ids change within a call; only with a name they begin another.
            (Some(new), Some(old)) => new != old && said.name.is_some() && call.name.is_some(),
            (None, _) => call.is_followed_by(said),
            (Some(_), None) => false,
        };
        if renamed {
            // It may be one that has begun under this number before.
            return said
                .id
                .as_ref()
                .and_then(|id| newest(&|call| call.place == place && call.id.as_ref() == Some(id)));
        }
        Some(at)
    }

    /// When the candidate is over: calls without a name are none.
    pub(super) fn check(&self) -> Result<(), CallError> {
        if self.0.iter().all(|call| call.part.is_some()) { Ok(()) } else { Err(CallError::NoName) }
    }
}

impl Call {
    /// Whether a named piece without an id begins another call: this one and that one are both whole.
    fn is_followed_by(&self, said: &Said) -> bool {
        said.name.is_some()
            && self.name.is_some()
            && self.is_whole
            && said.arguments.as_deref().is_some_and(is_object)
    }

    /// Whether nothing was said of its arguments.
    pub(super) const fn lacks_arguments(&self) -> bool {
        self.bytes == 0 && !self.is_custom
    }
}

fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}
