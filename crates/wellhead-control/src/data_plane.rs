//! What the control plane needs of the data plane. Calls return at once; none may block.

use std::sync::Arc;

use wellhead_config::Snapshot;
use wellhead_types::{ConfigStatus, Status, StoriesKept, Story};

/// The data plane as the control plane sees it.
pub trait DataPlane: Send + Sync {
    /// Makes every request from now on use this snapshot. Called from the configurator only, one call at a time, with
    /// growing generations.
    fn publish(&self, snapshot: Arc<Snapshot>);

    /// The upstream truth. The data plane fills everything but `config`, which is overwritten.
    fn status(&self) -> Status;

    /// The story of a request that did not go straight: failed, rescued or shed. `None`: it went straight, or it is no
    /// longer kept.
    fn explain(&self, request_id: &str) -> Option<Arc<Story>>;

    /// How many stories there are.
    fn stories_kept(&self) -> StoriesKept;

    /// All metrics in the Prometheus text format (or OpenMetrics), those of the configuration included.
    fn metrics_text(&self) -> String;

    /// Whether the gateway is shutting down: `/readyz` says so at once.
    fn is_draining(&self) -> bool;

    /// Whether every listener for applications is bound.
    fn is_listening(&self) -> bool;

    /// Called after every attempt to load a configuration, so that metrics can tell generation and success.
    fn set_config_metrics(&self, status: &ConfigStatus);
}
