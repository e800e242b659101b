//! The admin listener. `routes.rs` is the list of everything it answers; `guard.rs` decides who may ask.

mod api;
mod fields;
mod guard;
mod health;
mod idempotency;
mod problem;
mod reply;
mod routes;
mod server;
mod status;

use std::sync::Arc;

use wellhead_types::Secret;

use crate::Configurator;
use crate::data_plane::DataPlane;
use idempotency::Idempotency;

pub(crate) use server::serve;

/// What every handler can reach.
pub(crate) struct Admin {
    pub(crate) configurator: Arc<Configurator>,
    pub(crate) data_plane: Arc<dyn DataPlane>,
    token: Secret,
    hosts: Vec<String>,
    idempotency: Idempotency,
}

/// What axum hands to handlers.
pub(crate) type Shared = axum::extract::State<Arc<Admin>>;

impl Admin {
    pub(crate) fn new(
        configurator: Arc<Configurator>,
        data_plane: Arc<dyn DataPlane>,
        token: Secret,
        hosts: Vec<String>,
    ) -> Self {
        let hosts = hosts.into_iter().map(|host| host.to_ascii_lowercase()).collect();
        Self { configurator, data_plane, token, hosts, idempotency: Idempotency::default() }
    }
}
