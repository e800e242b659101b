//! What clients, providers and the standards may rely on.

mod asides;
mod beside;
mod bodies;
mod dialects;
mod endpoints;
mod headers;
mod http2;
mod identity;
mod limits;
mod models;
mod native;
mod paths;
mod quirks;
mod reasoning;
mod responses;
mod tls;
mod usage;
