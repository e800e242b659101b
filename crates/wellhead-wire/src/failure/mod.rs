//! What a vendor's answer says when it is no answer: one `Failure`, whoever wrote it.
//!
//! [`classify`] judges an answer by status, headers and body. [`in_band`] finds the errors that come inside a success,
//! in every dialect. [`headroom`] reads how much room is left within a vendor's limits. What is looked for is data:
//! the table below `rows/`, which is also the page docs/reference/signals.md.
//!
//! Waits are never above [`WAIT_SECONDS_MAX`]. How long a key then rests is another's decision
//! (`wellhead-resilience`, `key_rest`).

mod facts;
mod headroom;
mod in_band;
mod judge;
mod means;
mod row;
mod rows;
mod vendor;
mod wait;

#[cfg(test)]
mod tests;

pub use facts::{ERROR_BODY_BYTES_MAX, ERROR_MESSAGE_BYTES_MAX, upstream_message};
pub use headroom::{Headroom, ROOMS_MAX, Room, Unit, Window, headroom};
pub use in_band::{aws_exception, in_band};
pub(crate) use in_band::{classify_in_success, exception_in_success, has_failed};
pub use judge::classify;
pub(crate) use judge::{protocol_failure, success_failure};
pub use vendor::Vendor;
pub use wait::WAIT_SECONDS_MAX;
