//! Server-sent events (WHATWG HTML section 9.2.6), observed without being re-written.
//!
//! The framer cuts a byte stream into whole events, shows each to the caller, and gives back the bytes as they came:
//! events that pass and lie next to each other in one chunk leave as one slice of it. It never delivers part of an
//! event, so whatever was sent to the client so far is always a whole number of events.

mod event;
mod framer;
pub mod original;

#[cfg(test)]
mod tests;

pub use event::Event;
pub use framer::{FrameError, Framer, Release, Tail, Verdict};
