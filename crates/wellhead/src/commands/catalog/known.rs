//! The built-in catalogue with what a configuration says in its place.

use std::collections::BTreeMap;
use std::sync::Arc;

use wellhead_catalog::{Catalog, Kind, Model, Models};

/// Everything that is known.
pub(super) struct Known<'a> {
    pub(super) catalog: &'a Catalog,
    /// What the configuration says, by KIND/MODEL.
    configured: BTreeMap<String, Arc<Model>>,
}

impl<'a> Known<'a> {
    pub(super) const fn new(catalog: &'a Catalog, configured: BTreeMap<String, Arc<Model>>) -> Self {
        Self { catalog, configured }
    }

    /// A model of a kind: configured, listed, or as its family is.
    pub(super) fn model(&self, kind: &Kind, id: &str) -> Option<Model> {
        let configured = self.configured.get(&format!("{}/{id}", kind.name));
        configured.map(|model| Model::clone(model)).or_else(|| Models::BUILTIN.find(kind, id))
    }

    /// Every model of a kind, in order of name.
    pub(super) fn of_kind(&self, kind: &Kind) -> Vec<Model> {
        let listed = Models::BUILTIN.of_kind(kind).map(|model| (Arc::clone(&model.id), model));
        let mut models: BTreeMap<Arc<str>, Model> = listed.collect();
        let own = format!("{}/", kind.name);
        for (name, model) in &self.configured {
            if name.starts_with(&own) {
                models.insert(Arc::clone(&model.id), Model::clone(model));
            }
        }
        models.into_values().collect()
    }

    /// Kinds whose models are not another kind's: each model is told once.
    pub(super) fn sellers(&self) -> impl Iterator<Item = &Arc<Kind>> {
        let own = |kind: &&Arc<Kind>| {
            let configured = format!("{}/", kind.name);
            kind.models.is_empty()
                || kind.models.iter().any(|list| **list == *kind.name)
                || self.configured.keys().any(|name| name.starts_with(&configured))
        };
        self.catalog.kinds().filter(own)
    }
}
