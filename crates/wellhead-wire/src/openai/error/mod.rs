//! Errors of the OpenAI dialect: reading every vendor's, and writing our own.

mod body;
mod classify;
mod facts;
mod phrases;
mod retry_after;

#[cfg(test)]
mod tests;

pub use body::{Attempt, ErrorBody};
pub use classify::classify;
pub(crate) use classify::{classify_in_success, protocol_failure, success_failure};
pub use facts::{ERROR_BODY_BYTES_MAX, ERROR_MESSAGE_BYTES_MAX, upstream_message};
pub use retry_after::RETRY_AFTER_SECONDS_MAX;
