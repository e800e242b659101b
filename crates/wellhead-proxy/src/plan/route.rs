//! A model made ready: its targets with their handles.

use super::{ProviderPlan, Uris};
use crate::state::{Registry, TargetState};
use http::HeaderValue;
use std::collections::HashMap;
use std::sync::Arc;
use wellhead_config::snapshot::{Model, Target};
use wellhead_resilience::Nanos;
use wellhead_resilience::ladder::TargetView;
use wellhead_telemetry::{Metrics, RouteMetrics, TargetMetrics};
use wellhead_types::Name;
use wellhead_wire::openai::Endpoint;

/// What a model name stands for.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) model: Arc<Model>,
    pub(crate) targets: Vec<TargetPlan>,
    pub(crate) metrics: Arc<RouteMetrics>,
    pub(crate) header: HeaderValue,
}

/// One target of a route.
#[derive(Debug)]
pub(crate) struct TargetPlan {
    pub(crate) id: Name,
    pub(crate) model: Name,
    pub(crate) provider: Arc<ProviderPlan>,
    /// Rank of its tier among those in use, so that 0 is always the first one.
    pub(crate) tier: u8,
    pub(crate) weight: u32,
    pub(crate) state: Arc<TargetState>,
    pub(crate) metrics: Arc<TargetMetrics>,
    pub(crate) header: HeaderValue,
    uris: Vec<Uris>,
}

impl Route {
    pub(super) fn compile(
        model: &Arc<Model>,
        providers: &HashMap<Name, Arc<ProviderPlan>>,
        registry: &Registry,
        metrics: &Metrics,
    ) -> Self {
        let mut tiers: Vec<u8> = model.targets.iter().map(|t| t.tier).collect();
        tiers.sort_unstable();
        tiers.dedup();
        let rank =
            |tier: u8| u8::try_from(tiers.iter().position(|t| *t == tier).unwrap_or(0)).unwrap_or(u8::MAX);
        let targets = model.targets.iter().filter_map(|target| {
            let provider = providers.get(&target.provider.name)?;
            TargetPlan::compile(target, rank(target.tier), provider, registry, metrics)
                .map_err(|error| tracing::error!(target = %target.id, error, "target left out of the plan"))
                .ok()
        });
        Self {
            targets: targets.collect(),
            metrics: metrics.route(&model.name),
            header: visible(&model.name),
            model: model.clone(),
        }
    }
}

impl TargetPlan {
    fn compile(
        target: &Target,
        tier: u8,
        provider: &Arc<ProviderPlan>,
        registry: &Registry,
        metrics: &Metrics,
    ) -> Result<Self, String> {
        let uris = Endpoint::ALL.iter().map(|e| provider.uris(e.upstream_path(), &target.model));
        Ok(Self {
            id: target.id.clone(),
            model: target.model.clone(),
            provider: provider.clone(),
            tier,
            weight: target.weight,
            state: registry.target(&target.id),
            metrics: metrics.target(&target.id),
            header: visible(&target.id),
            uris: uris.collect::<Result<_, String>>()?,
        })
    }

    pub(crate) fn uris(&self, endpoint: Endpoint) -> &Uris {
        &self.uris[endpoint as usize]
    }

    /// What the ladder needs to know.
    pub(crate) fn view(&self, now: Nanos) -> TargetView {
        TargetView {
            tier: self.tier,
            weight: self.weight,
            key_free_at: self.provider.key_free_at(&self.model, now).max(self.state.away_until(now)),
            key_limited: self.state.away_until(now).is_none() && self.provider.is_limited(now),
            keyless: self.provider.keys.is_empty(),
            rests_until: self.state.rests_until(),
        }
    }
}

/// A name as a header value; what a header cannot carry becomes `?`.
fn visible(name: &str) -> HeaderValue {
    let ascii: String =
        name.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect();
    HeaderValue::from_str(&ascii).unwrap_or_else(|_| HeaderValue::from_static("?"))
}
