//! Random conversations, answers and streams for the round trips of every dialect: valid, in normal form, the same for
//! the same seed, and holding only what the dialect under test can express.
//!
//! Normal form, which decoders have to arrive at: an assistant's turn is one message, whatever items its dialect cuts it
//! into; the results that follow it are one [`Role::Tool`](crate::chat::Role) message, in the order of the calls; every
//! message has a part; arguments are compact JSON. A turn with a refusal stops with
//! [`StopKind::Refusal`](crate::chat::StopKind), one with calls never with `End`. Opaque data has no origin (see
//! [`claimed`]) unless [`Can::origins`] asks for it.

mod can;
mod conversation;
mod dice;
mod parts;
mod request;
mod stream;
mod tidy;

#[cfg(test)]
mod tests;

pub use can::Can;
pub use dice::Dice;
pub use stream::events;
pub use tidy::{claimed, folded, without_words};

use crate::chat;
use parts::Writer;

/// How many conversations a dialect has to bring back in every run. A long run asks for more.
#[cfg(test)]
pub(crate) fn seeds() -> u64 {
    const LEAST: u64 = 3000;
    std::env::var("WELLHEAD_ROUND_TRIPS").ok().and_then(|number| number.parse().ok()).unwrap_or(LEAST)
}

/// A request.
pub fn request(seed: u64, can: &Can) -> chat::Request {
    Writer::new(seed, can).request()
}

/// An answer. What [`events`] says with the same seed is this, but for `service_tier`, which streams do not have.
pub fn answer(seed: u64, can: &Can) -> chat::Answer {
    Writer::new(seed, can).answer()
}
