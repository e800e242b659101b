//! The canonical chat model: one shape into which every dialect's conversations, answers and streams fit without loss.
//!
//! A dialect reads its own bytes into this model and writes them from it; no dialect knows another one. What has a
//! meaning in more than one dialect has a field here. What only one dialect knows travels in [`Rest`], tagged with
//! that dialect: it comes out again where the same dialect is written, and is named as left out everywhere else.
//!
//! Bodies that stay within their dialect never come here; they keep their bytes (see [`crate::openai`]).

mod answer;
mod body;
mod custom;
mod dialect;
mod event;
mod fields;
mod fold;
pub(crate) mod ids;
mod input;
pub(crate) mod members;
mod message;
mod opaque;
mod request;
mod target;
mod tool;
mod unsupported;

#[cfg(test)]
mod tests;

pub use answer::{Answer, Candidate, Stop, StopKind};
pub use body::BadBody;
pub use custom::CustomTools;
pub use dialect::{Dialect, Rest};
pub use event::{Delta, Event, PartKind};
pub use fields::{BadField, Fields};
pub(crate) use fold::taken_apart;
pub use fold::{ANSWER_BYTES_MAX, Fold, FoldError};
pub(crate) use input::Input;
pub use message::{CacheHint, Media, Message, Part, Reasoning, Role, Source, ToolCall, ToolResult};
pub use opaque::{Opaque, Origin};
pub use request::{Effort, Format, Output, ReasoningAsk, ReasoningMode, Request, Sampling};
pub use target::{Abilities, ErrorShown, Shown, Target};
pub use tool::{Tool, ToolChoice, ToolKind};
pub(crate) use unsupported::is_hint;
pub use unsupported::{Dropped, Encoded, Loss, Losses, Unsupported};
