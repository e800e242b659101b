//! Sockets: an HTTP/1.1 server by hand, because faults need the bytes, and hyper's HTTP/2.

pub(crate) mod accept;
mod body;
mod head;
mod http1;
mod http2;
mod io;
mod request;
mod tls;
mod wire;

pub(crate) use request::Request;
pub(crate) use tls::acceptor;
pub(crate) use wire::{AnswerHead, Gone, Wire};
