//! The OpenAI dialect: requests, streams, answers and errors of OpenAI and of the many vendors that speak like it.

pub mod answer;
pub mod chat;
mod endpoint;
pub mod error;
pub mod request;
pub mod responses;
pub mod resume;
pub mod reuse;
pub mod stand_in;
pub mod stream;
mod usage;

pub use endpoint::{BodyKind, Endpoint};
pub use usage::read_usage;
