//! A request: what has to be known of it before it can be routed, and what is changed for one target.

mod estimate;
mod fit;
mod head;
mod prepare;

#[cfg(test)]
mod tests;

pub use crate::json::Part;
pub use fit::Fit;
pub use head::{BadRequest, MODEL_BYTES_MAX, RequestHead};
pub use prepare::{PrepareFlags, prepare, prepare_parts, prepare_pieces};
