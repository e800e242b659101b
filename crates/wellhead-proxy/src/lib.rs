//! The data plane. It is given snapshots and sockets, and emits one record per request; it knows no store, no console
//! and no clock of another machine.
//!
//! Start reading at [`pipeline`]: the order of the stages on one page.

mod answer;
mod body;
mod clock;
mod count;
mod defer;
mod diagnosis;
mod exchange;
mod front;
mod gateway;
mod models;
mod pipeline;
mod plan;
mod replay;
mod rescue;
mod settle;
mod stages;
mod state;
mod status;
mod stream;
mod substitute;
mod translate;

pub use body::GatewayBody;
pub use clock::{Clock, Entropy};
pub use defer::{Deferred, start_replay};
pub use gateway::{Gateway, GatewayOptions, Worker};
pub use pipeline::serve;
pub use plan::Question;
