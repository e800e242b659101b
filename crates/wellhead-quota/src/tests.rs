//! The promises of the limits, checked against arithmetic that shares nothing with the code: lists of what was
//! admitted, added up over every window, and a bucket kept as a plain number.

mod app;
mod gcra;
mod headers;
mod refunds;
mod threads;
mod tokens;

/// Nanoseconds in a second and a millisecond.
const S: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;
