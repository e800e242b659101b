//! Sockets: per-core workers with their own listeners, TLS and DNS towards upstreams, and a connection pool per worker.
//! Knows HTTP connections, but no routes, keys or models.

pub mod body;
mod connect;
mod cut;
pub mod drain;
mod endpoint;
mod error;
mod examine;
mod h1;
mod in_body;
mod listen;
pub mod network;
mod pool;
mod resolve;
mod serve;
mod tls;
mod worker;

pub use body::OutBody;
pub use connect::Connector;
pub use drain::{Drain, DrainPhase};
pub use endpoint::{Endpoint, Protocol, TlsOptions};
pub use error::SendError;
pub use examine::{AddressState, Examination, Timed, TlsFacts};
pub use in_body::InBody;
pub use listen::{bind_all, bind_one};
pub use pool::{BuildRequest, Pool, PoolLimits};
pub use resolve::{Addresses, Finding, NameReport, PartlyRefused, Resolver};
pub use serve::{ServeLimits, serve_connections};
pub use tls::{CertificateDate, CertificateFacts, TlsRegistry};
pub use worker::{Runtime, WorkerHandles, WorkerMain, spawn_workers};
