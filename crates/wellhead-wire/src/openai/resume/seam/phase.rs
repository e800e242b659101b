//! Where the seam lies: how much of the second stream's text the client has already.

use super::Broken;
use super::overlap::overlap;
use wellhead_types::planted::{self, Planted};

/// A beginning this long is not the same by chance: it is an echo, and what waited can be forgotten.
const ECHO_BYTES_SURE: usize = 4096;

/// What is expected next. Positions are bytes of the text that was delivered.
#[derive(Debug)]
pub(super) enum Phase {
    /// All of the delivered text, from `at` on.
    Match { at: usize },
    /// Perhaps the prefill; up to `at` it was.
    Echo { at: usize },
    /// Perhaps the white space that the prefill was sent without.
    Blank { at: usize },
    /// Perhaps the end of the delivered text; `new` has come so far.
    Overlap { new: String },
    /// So many bytes that the client has.
    Skip { left: usize },
    /// New text.
    Flow,
}

/// What becomes of a piece of text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// So many bytes of it are swallowed; nothing more is known to be repeated in this piece.
    Swallow(usize),
    /// So many bytes of it are swallowed; the rest is for the next phase.
    Next(usize),
    /// It has to wait.
    Wait,
    /// What waited is new and goes first; then this piece again.
    Replay,
}

impl Phase {
    /// Looks at the next piece of text. `last`: nothing that could be repeated comes behind it.
    pub(super) fn step(&mut self, delivered: &str, piece: &str, last: bool) -> Result<Step, Broken> {
        match self {
            Self::Flow => Ok(Step::Swallow(0)),
            Self::Match { at } => {
                let common = same(delivered, *at, piece);
                *at += common;
                let is_whole = *at == delivered.len();
                if !is_whole && (common < piece.len() || last) {
                    if planted::has(Planted::ResumeAcceptsADifferentAnswer) {
                        *self = Self::Flow;
                        return Ok(Step::Swallow(common));
                    }
                    return Err(Broken::Mismatch);
                }
                if is_whole {
                    *self = Self::Flow;
                }
                Ok(Step::Swallow(common))
            }
            Self::Blank { at } => {
                let common = same(delivered, *at, piece);
                *at += common;
                if common < piece.len() || last || *at == delivered.len() {
                    *self = Self::Flow;
                }
                Ok(Step::Swallow(common))
            }
            Self::Skip { left } => {
                let bytes = piece.len().min(*left);
                *left -= bytes;
                if *left == 0 {
                    *self = Self::Flow;
                }
                Ok(Step::Swallow(bytes))
            }
            Self::Echo { at } => {
                let prefill = delivered.trim_ascii_end();
                let common = same(prefill, *at, piece);
                *at += common;
                let at = *at;
                if at == prefill.len() {
                    *self = Self::Blank { at };
                    return Ok(Step::Next(common));
                }
                if common == piece.len() && !last {
                    return Ok(Step::Wait);
                }
                if at - common >= ECHO_BYTES_SURE {
                    return Err(Broken::Mismatch);
                }
                *self = Self::Blank { at: prefill.len() };
                Ok(Step::Replay)
            }
            Self::Overlap { new } => {
                new.push_str(piece);
                match overlap(delivered, new, last) {
                    None => Ok(Step::Wait),
                    Some(left) => {
                        *self = if left == 0 { Self::Flow } else { Self::Skip { left } };
                        Ok(Step::Replay)
                    }
                }
            }
        }
    }

    /// Whether what waits can only be a repetition.
    pub(super) fn is_sure(&self) -> bool {
        matches!(self, Self::Echo { at } if *at >= ECHO_BYTES_SURE)
    }
}

/// How many bytes of `piece` are those of `text` from `at` on.
fn same(text: &str, at: usize, piece: &str) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    rest.iter().zip(piece.as_bytes()).take_while(|(a, b)| a == b).count()
}
