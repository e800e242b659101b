//! The built binary from outside, over real sockets. Each test is named by the promise that it holds the gateway to.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod causes;
mod conformance;
mod operations;
mod resilience;
mod security;
mod support;
mod survival;
