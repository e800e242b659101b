//! The control plane: configuration's only writer, and the admin listener with health, status, metrics and the
//! management API. It never sees a request of an application: the data plane gets whole snapshots through [`DataPlane`].
//!
//! Start: [`Configurator::new`], [`Configurator::load_first`], build the data plane from that snapshot, then
//! [`ControlPlane::start`].

mod clock;
mod configurator;
mod data_plane;
mod http;
mod lookup;
mod plane;
mod source;
mod watch;

pub use configurator::{
    Applied, ChangeError, Configurator, ConfiguratorOptions, FirstLoad, FirstLoadError, IssuedKey,
    KeyRequest, ReloadError,
};
pub use data_plane::DataPlane;
pub use lookup::SystemLookup;
pub use plane::{ControlOptions, ControlPlane};
pub use source::ConfigSource;
