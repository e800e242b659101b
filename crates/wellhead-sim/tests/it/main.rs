//! The simulator, observed from outside: every endpoint and every fault, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, reason = "tests")]

mod chat;
#[cfg(unix)]
mod cli;
mod client;
mod control;
mod endpoints;
mod faults;
mod http2;
mod responses;
mod server;
mod tls;
