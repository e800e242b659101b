//! Where client and target speak the same dialect: what either wrote reaches the other byte for byte, but for what must
//! change. That is the model's name, and the marks that say where opaque reasoning came from.

mod carry;
mod opaque;
mod request;

#[cfg(test)]
mod tests;

pub(super) use carry::Carrier;
pub use request::kept_request;

use crate::chat::{Dialect, Origin};
use crate::json::{self, Splice, quoted};
use bytes::Bytes;
use opaque::Place;

/// Whether what is written in this dialect can be passed on as it is. OpenAI's needs none of this: all else is made of it.
pub const fn is_kept(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::Anthropic | Dialect::Gemini)
}

/// A target's whole answer for a client of its own dialect. With `origin`, opaque reasoning says that it comes from there.
pub fn kept_answer(dialect: Dialect, body: &Bytes, origin: Option<&Origin>) -> Bytes {
    let mut splice = Splice::new(body);
    if let Some(origin) = origin {
        opaque::mark(dialect, Place::Answer, body, origin, &mut splice);
    }
    if splice.is_empty() { body.clone() } else { splice.finish() }
}

/// The same, named as the client named the model.
pub fn named_answer(dialect: Dialect, body: &Bytes, model: &str) -> Bytes {
    let member = if dialect == Dialect::Gemini { "modelVersion" } else { "model" };
    json::replaced(body, &[member], &quoted(model)).unwrap_or_else(|| body.clone())
}
