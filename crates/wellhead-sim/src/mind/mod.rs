//! What the fake models say: deterministic text, tool calls and JSON, without any I/O.

mod answer;
mod ask;
mod prose;
mod rng;
mod schema;
mod text;

pub(crate) use answer::{Answer, Call, Said, Stop, answer};
pub(crate) use ask::{Ask, Choice, Format, Tool};
pub(crate) use rng::{Rng, hash};
pub(crate) use text::{Text, count};
