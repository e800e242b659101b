//! The management API as commands use it: where it is, the token that opens it, and requests to it. There is no other
//! way in: what a command can do, any client of the API can do.

mod client;
mod locate;
mod segment;

pub(crate) use client::Client;
pub(crate) use segment::segment;
