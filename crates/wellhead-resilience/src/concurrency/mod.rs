//! How many requests one endpoint is given at a time, learnt from how its latency answers to load, and how long a
//! request may queue for its turn (survival.md R6). The latency fed in is the time to the first token of a stream, or
//! to the headers of anything else.

mod codel;
mod gate;
mod gradient;
mod guard;
#[cfg(test)]
mod tests;

pub use codel::{Codel, Order, Verdict};
pub use gate::{Gate, INTERVAL, Interval, Limits};
pub use gradient::{IN_FLIGHT_LIMIT_MAX, IN_FLIGHT_LIMIT_MIN, Limit};
