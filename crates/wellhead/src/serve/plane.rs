//! Joins the planes: what the control plane needs of the data plane, answered by the gateway.

use std::sync::Arc;
use wellhead_config::Snapshot;
use wellhead_control::DataPlane;
use wellhead_net::{Drain, DrainPhase};
use wellhead_proxy::Gateway;
use wellhead_telemetry::Metrics;
use wellhead_types::{ConfigStatus, Status, StoriesKept, Story};

/// The gateway as the control plane sees it.
pub(super) struct Plane {
    gateway: Arc<Gateway>,
    metrics: Arc<Metrics>,
    drain: Drain,
}

impl Plane {
    pub(super) const fn new(gateway: Arc<Gateway>, metrics: Arc<Metrics>, drain: Drain) -> Self {
        Self { gateway, metrics, drain }
    }
}

impl DataPlane for Plane {
    fn publish(&self, snapshot: Arc<Snapshot>) {
        self.gateway.publish(&snapshot);
    }

    fn status(&self) -> Status {
        self.gateway.status()
    }

    fn explain(&self, request_id: &str) -> Option<Arc<Story>> {
        self.gateway.explain(request_id)
    }

    fn stories_kept(&self) -> StoriesKept {
        self.gateway.stories_kept()
    }

    fn metrics_text(&self) -> String {
        self.gateway.refresh_gauges();
        self.metrics.render()
    }

    fn is_draining(&self) -> bool {
        self.drain.phase() >= DrainPhase::Announced
    }

    /// The listeners are bound before the control plane exists.
    fn is_listening(&self) -> bool {
        true
    }

    fn set_config_metrics(&self, status: &ConfigStatus) {
        self.metrics.set_generation(status.generation);
        self.metrics.count_reload(status.last_reload_ok);
    }
}
