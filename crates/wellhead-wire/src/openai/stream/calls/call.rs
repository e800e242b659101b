//! One tool call while it grows.

use super::{CallError, TOOL_CALL_BYTES_MAX};
use crate::json::{self, Text};

/// A piece of a call, as one event holds it.
#[derive(Debug)]
pub(crate) struct Fragment<'a> {
    pub(crate) choice: u32,
    pub(crate) index: u32,
    /// It names the function.
    pub(crate) named: bool,
    /// Its input is text, not JSON (custom tools).
    pub(crate) free_text: bool,
    pub(crate) arguments: Option<Arguments<'a>>,
}

/// Arguments, or a piece of them.
#[derive(Debug)]
pub(crate) enum Arguments<'a> {
    /// A piece of the text that is JSON when it is whole.
    Piece(Text<'a>),
    /// All of that text, whatever came before.
    All(Text<'a>),
    /// Vendors that write them as an object.
    Object(&'a str),
}

/// What is known of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It may grow.
    Open,
    /// It has ended and can be delivered.
    Whole,
    /// The answer ended in the middle of it.
    Discarded,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) choice: u32,
    pub(super) index: u32,
    pub(super) state: State,
    named: bool,
    free_text: bool,
    arguments: String,
    brackets: Brackets,
}

/// Where in brackets and strings a text ends; enough to know cheaply that it cannot be whole yet.
#[derive(Debug, Default)]
struct Brackets {
    depth: usize,
    in_string: bool,
    escaped: bool,
    opened: bool,
}

impl Brackets {
    fn feed(&mut self, text: &str) {
        for byte in text.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => {
                    self.depth += 1;
                    self.opened = true;
                }
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    const fn are_closed(&self) -> bool {
        self.opened && self.depth == 0 && !self.in_string
    }
}

impl Call {
    pub(super) fn new(fragment: &Fragment<'_>) -> Self {
        Self {
            choice: fragment.choice,
            index: fragment.index,
            state: State::Open,
            named: false,
            free_text: fragment.free_text,
            arguments: String::new(),
            brackets: Brackets::default(),
        }
    }

    /// Whether a piece under the same index begins another call: some hosts put all calls on one index. It names a
    /// function although this call has its name, and this call could be over. (Hosts that repeat the name with every
    /// piece do so while the arguments are not whole.)
    pub(super) fn is_followed_by(&self, fragment: &Fragment<'_>) -> bool {
        let could_be_over =
            self.state == State::Whole || self.arguments.is_empty() || self.brackets.are_closed();
        fragment.named && self.named && could_be_over
    }

    pub(super) fn push(&mut self, fragment: &Fragment<'_>) -> Result<(), CallError> {
        self.named |= fragment.named;
        self.free_text |= fragment.free_text;
        let Some(arguments) = &fragment.arguments else { return Ok(()) };
        if self.state != State::Open {
            return match arguments {
                // The event that says "done" may come after the one that proved it.
                Arguments::All(_) => Ok(()),
                Arguments::Piece(text) if text.decode().trim_ascii().is_empty() => Ok(()),
                _ => Err(CallError::BehindTheEnd),
            };
        }
        let before = match arguments {
            Arguments::All(text) => {
                self.brackets = Brackets::default();
                self.arguments.clear();
                text.push_to(&mut self.arguments);
                0
            }
            Arguments::Piece(text) => {
                let before = self.arguments.len();
                text.push_to(&mut self.arguments);
                before
            }
            Arguments::Object(text) => {
                let before = self.arguments.len();
                self.arguments.push_str(text);
                before
            }
        };
        if self.arguments.len() > TOOL_CALL_BYTES_MAX {
            return Err(CallError::TooLong);
        }
        self.brackets.feed(self.arguments.get(before..).unwrap_or_default());
        Ok(())
    }

    /// It has had its end signal; whether it is whole.
    pub(super) fn end(&mut self) -> bool {
        let arguments = self.arguments.trim_ascii();
        if !self.free_text && !arguments.is_empty() && json::validate(arguments.as_bytes()).is_err() {
            return false;
        }
        self.close();
        true
    }

    /// Another call has begun: that ends this one if its arguments are there and whole.
    pub(super) fn end_if_there(&mut self) {
        let there = self.state == State::Open && !self.free_text && self.brackets.are_closed();
        if there && json::validate(self.arguments.as_bytes()).is_ok() {
            self.close();
        }
    }

    fn close(&mut self) {
        self.state = State::Whole;
        self.arguments = String::new();
    }
}
