//! Provider kinds, models and prices as data. Kinds (base URL, auth style, quirks) are parsed from `catalog/*.toml`,
//! models are looked up in `catalog/models/*.csv`; both are embedded in the binary.
//!
//! Adding a vendor of a known dialect changes a TOML file and no code; adding a model changes a line. What is written
//! there is checked when it is read, so that a wrong entry is an error with file and line and never a strange request to
//! a vendor.

mod catalog;
mod check;
mod error;
mod kind;
pub mod model;
mod models;
mod money;
mod quirk;

pub use catalog::{BUILTIN, Catalog};
pub use check::SOURCES;
pub use error::CatalogError;
pub use kind::{AZURE_KEY_HEADER, Auth, Dialect, Kind, Prefill, Quirks, Rerank, fits};
pub use model::{Abilities, Ability, Mode, Model, Overlay, Price, Prices, Rates, Tier, Unit};
pub use models::Models;
pub use money::{Cost, Metered, NanoDollars, Unpriced};
pub use quirk::{KnownQuirk, PARAMS, Quirk, ReasoningBack, Thinking};
