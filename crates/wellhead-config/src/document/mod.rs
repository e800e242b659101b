//! `Document`: what was written, with places, checked for shape and meaning, and with `${…}` replaced.

mod app;
mod catalog;
mod later;
mod model;
mod process;
mod provider;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use app::{App, AppLimits, Budget, Webhook};
pub use catalog::{CatalogOverlay, ModelFacts, ModelPrices, PriceTier};
pub use later::{Api, ApiLimits, Cache, HealthCheck, Match, Team};
pub use model::{AnswerCache, Fallback, Model, ModelDefer, ModelTimeouts, Stream, Target};
pub use process::{Defer, Dns, Limits, Listen, Server, Telemetry};
pub use provider::{Provider, ProviderTimeouts, Tls};
use wellhead_catalog::{Kind, Model as CatalogModel, Models};

use crate::section::section;
use crate::values::{ApiName, AppName, Int, ModelName, Named, ProviderName, TeamName};

section! {
    /// The configuration of a Wellhead gateway.
    Root {
        /// Version of this language. Always 1.
        Must version: Int<1, 1>,
        /// Where to listen.
        May listen: Listen,
        /// Accounts with model vendors, and model servers, by name.
        May providers: Named<ProviderName, Provider>,
        /// The names that clients send as `model`, and the targets that they stand for.
        May models: Named<ModelName, Model>,
        /// How streams are delivered and rescued, for models that do not say it themselves.
        May stream: Stream,
        /// Consumers with their keys and limits, by name.
        May apps: Named<AppName, App>,
        /// Facts about models: limits, prices, abilities.
        May catalog: CatalogOverlay,
        /// Limits that are not tied to one object.
        May limits: Limits,
        /// What is kept of deferred requests.
        May defer: Defer,
        /// How host names become addresses.
        May dns: Dns,
        /// How the process runs.
        May server: Server,
        /// Where records and traces go.
        May telemetry: Telemetry,
        /// HTTP services that are published through the gateway, by name.
        Later apis: Named<ApiName, Api>,
        /// Groups of apps with a common budget, by name.
        Later teams: Named<TeamName, Team>,
    }
}

/// What was written. It comes from [`load`](crate::load) only, so whatever is in it has been checked.
#[derive(Debug, Clone)]
pub struct Document {
    /// The file's name as it was given to `load`.
    pub file: String,
    /// Variables that stand for values of it, by number.
    pub(crate) environment: Vec<String>,
    /// What the file says.
    pub root: Root,
    /// The kinds of its providers, by kind name.
    pub(crate) kinds: BTreeMap<String, Arc<Kind>>,
    /// What its section `catalog` comes to, by KIND/MODEL.
    pub(crate) facts: BTreeMap<String, Arc<CatalogModel>>,
}

/// Two documents are equal when they say the same, wherever they come from.
impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.root == other.root
    }
}

impl Document {
    /// The kind of a provider, as the catalog has it.
    pub fn kind_of(&self, provider: &Provider) -> Option<&Arc<Kind>> {
        self.kinds.get(&*provider.kind.as_ref()?.value.0)
    }

    /// Models that the section `catalog` says something about, by KIND/MODEL, with everything that is known of them.
    pub const fn facts(&self) -> &BTreeMap<String, Arc<CatalogModel>> {
        &self.facts
    }

    /// What is known of a vendor's model: what the section `catalog` says, else what the catalogue has.
    pub fn facts_of(&self, kind: &Kind, model: &str) -> Option<Arc<CatalogModel>> {
        let own = self.facts.get(&format!("{}/{model}", kind.name)).cloned();
        own.or_else(|| Models::BUILTIN.find(kind, model).map(Arc::new))
    }

    /// Where an app was declared: `wellhead.yaml:42`, or `environment`.
    pub fn origin_of(&self, line: u32) -> String {
        if line == 0 {
            return "environment".to_owned();
        }
        format!("{}:{line}", self.file)
    }
}
