//! A snapshot made ready for the hot path: look-ups by hash, headers and URIs already encoded, handles to the state
//! that outlives it. Built whole on the control thread, then swapped.

mod aside;
mod native;
mod provider;
mod question;
mod quirks;
mod route;
mod webhook;

pub(crate) use aside::Aside;
pub(crate) use native::{Native, Typed, Voice};
pub(crate) use provider::{CloudKey, KeyPlan, ProviderPlan, Uris};
pub use question::Question;
pub(crate) use route::{Route, TargetPlan};
pub(crate) use webhook::WebhookPlan;

use crate::state::Registry;
use crate::substitute;
use http::HeaderValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use wellhead_config::Snapshot;
use wellhead_config::snapshot::{App, Defer, Limits};
use wellhead_policy::KeyHash;
use wellhead_quota::AppLimits;
use wellhead_resilience::Nanos;
use wellhead_telemetry::Metrics;
use wellhead_types::{Name, Priority};
use wellhead_wire::openai::Endpoint;

/// One generation, compiled.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) generation: u64,
    pub(crate) limits: Arc<Limits>,
    pub(crate) defer: Arc<Defer>,
    pub(crate) apps: HashMap<Name, Arc<AppPlan>>,
    pub(crate) identities: HashMap<KeyHash, Identity>,
    pub(crate) routes: BTreeMap<Name, Arc<Route>>,
    pub(crate) providers: Vec<Arc<ProviderPlan>>,
    /// Every provider serves Responses.
    all_typed: bool,
}

/// Who a key belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) app: Arc<AppPlan>,
    pub(crate) key_id: Name,
}

/// What an app may do.
#[derive(Debug)]
pub(crate) struct AppPlan {
    pub(crate) name: Name,
    /// `None`: every model.
    pub(crate) models: Option<HashSet<Name>>,
    /// Regions of providers that may see its requests; `None`: all (decision 19).
    pub(crate) regions: Option<Vec<Name>>,
    /// Where it is told that a deferred request has ended.
    pub(crate) webhook: Option<WebhookPlan>,
    pub(crate) limits: Arc<AppLimits>,
    pub(crate) priority: Priority,
}

impl AppPlan {
    pub(crate) fn may_use(&self, model: &str) -> bool {
        self.models.as_ref().is_none_or(|models| models.contains(model))
    }

    /// Whether its requests may go to this provider. One whose region nobody knows is in none.
    pub(crate) fn may_reach(&self, provider: &ProviderPlan) -> bool {
        let Some(regions) = &self.regions else { return true };
        provider.region.as_ref().is_some_and(|region| regions.contains(region))
    }
}

impl Plan {
    /// Whether a request to the Responses API can go as it is wherever it may have to go. Of an unknown model, the error
    /// can.
    pub(crate) fn passes_responses(&self, body: &[u8]) -> bool {
        if self.all_typed {
            return true;
        }
        let named = wellhead_wire::json::find(body, &["model"]);
        let model = named.and_then(|name| serde_json::from_slice::<Cow<'_, str>>(name).ok());
        let Some(route) = model.and_then(|model| self.routes.get(&*model)) else { return true };
        let serves =
            |route: &Route| route.targets.iter().all(|target| target.provider.serves(Endpoint::Responses));
        serves(route) && substitute::others(self, route).iter().flatten().all(|other| serves(other))
    }

    /// Compiles a snapshot. Providers that cannot be encoded (a header value that is none) were refused by the
    /// configuration; what slips through is left out and logged rather than taking the gateway down.
    pub(crate) fn compile(snapshot: &Snapshot, registry: &Registry, metrics: &Metrics, now: Nanos) -> Self {
        let providers: HashMap<Name, Arc<ProviderPlan>> = snapshot
            .providers
            .values()
            .filter_map(|p| match ProviderPlan::compile(p, registry) {
                Ok(plan) => Some((p.name.clone(), Arc::new(plan))),
                Err(error) => {
                    tracing::error!(provider = %p.name, error, "provider left out of the plan");
                    None
                }
            })
            .collect();
        let routes = snapshot
            .models
            .values()
            .map(|model| (model.name.clone(), Arc::new(Route::compile(model, &providers, registry, metrics))))
            .collect();
        let mut sorted: Vec<_> = providers.into_values().collect();
        sorted.sort_by(|a, b| a.name.cmp(&b.name));
        let (apps, identities) = apps(snapshot.apps.values(), registry, now);
        Self {
            generation: snapshot.generation,
            limits: snapshot.limits.clone(),
            defer: snapshot.defer.clone(),
            apps,
            identities,
            routes,
            all_typed: sorted.iter().all(|p| p.serves(Endpoint::Responses)),
            providers: sorted,
        }
    }
}

type Apps = HashMap<Name, Arc<AppPlan>>;

/// Apps by name, and who keys belong to.
fn apps<'a>(
    declared: impl Iterator<Item = &'a Arc<App>>,
    registry: &Registry,
    now: Nanos,
) -> (Apps, HashMap<KeyHash, Identity>) {
    let (mut apps, mut identities) = (Apps::new(), HashMap::new());
    for app in declared {
        let plan = Arc::new(AppPlan {
            name: app.name.clone(),
            models: app.models.as_ref().map(|models| models.iter().cloned().collect()),
            regions: app.regions.clone(),
            webhook: app.webhook.as_ref().and_then(|webhook| {
                WebhookPlan::compile(webhook)
                    .map_err(|error| tracing::error!(app = %app.name, error, "webhook left out of the plan"))
                    .ok()
            }),
            limits: registry.app(&app.name, &app.limits, now),
            priority: app.priority,
        });
        for key in &app.keys {
            identities.insert(key.hash, Identity { app: plan.clone(), key_id: key.id.clone() });
        }
        apps.insert(app.name.clone(), plan);
    }
    (apps, identities)
}

/// A header value from text that the configuration has checked.
fn header_value(text: &str, what: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|_| format!("{what} is no valid header value"))
}
