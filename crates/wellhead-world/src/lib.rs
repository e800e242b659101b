//! The seeded world: the data plane of production (gateway, workers, resolver, pools, codec) on virtual time, among
//! upstreams, clients, name servers and configurations that follow from one number. What happens is checked against
//! the promises of the survival ladder; a seed that breaks one can be played again, step by step.
//!
//! Start reading at [`run`]. How to use it: docs/reference/simulation.md.

mod check;
mod client;
mod dice;
mod log;
mod mind;
mod network;
pub mod planted;
mod play;
mod run;
mod scenario;
mod stage;
mod upstream;
mod wire;

pub use run::{Verdict, run, run_with};
pub use scenario::Theme;
