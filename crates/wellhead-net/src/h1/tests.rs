#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

//! Over real sockets, against servers that send exactly the bytes of the case. Requirements are from RFC 9112, and from
//! how other proxies lost, repeated or mixed up answers.

mod cancel;
mod cut;
mod delivery;
mod early;
mod flow;
mod interim;
mod reuse;
mod silence;
mod stale;
mod support;
mod tls;
mod unasked;
